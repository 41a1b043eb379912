use procfs::{Current, Meminfo, ProcResult};
use serde_json::{Value, json};

/// The memory, in bytes, under the names that clients know.
pub(super) fn describe() -> ProcResult<Value> {
    let info = Meminfo::current()?;
    let or_none = |bytes: Option<u64>| bytes.unwrap_or(0);
    let available = info.mem_available.unwrap_or(info.mem_free);
    let cached = info.cached + or_none(info.s_reclaimable);
    let used = info.mem_total.saturating_sub(info.mem_free + info.buffers + cached);
    let share = if info.mem_total == 0 { 0.0 } else { used as f64 / info.mem_total as f64 * 100.0 };
    Ok(json!({
        "total": info.mem_total,
        "available": available,
        "used": used,
        "usedPercent": share,
        "free": info.mem_free,
        "active": info.active,
        "inactive": info.inactive,
        "wired": 0,
        "laundry": 0,
        "buffers": info.buffers,
        "cached": cached,
        "writeBack": info.writeback,
        "dirty": info.dirty,
        "writeBackTmp": or_none(info.writeback_tmp),
        "shared": or_none(info.shmem),
        "slab": info.slab,
        "sreclaimable": or_none(info.s_reclaimable),
        "sunreclaim": or_none(info.s_unreclaim),
        "pageTables": or_none(info.page_tables),
        "swapCached": info.swap_cached,
        "commitLimit": or_none(info.commit_limit),
        "committedAS": info.committed_as,
        "highTotal": or_none(info.high_total),
        "highFree": or_none(info.high_free),
        "lowTotal": or_none(info.low_total),
        "lowFree": or_none(info.low_free),
        "swapTotal": info.swap_total,
        "swapFree": info.swap_free,
        "mapped": info.mapped,
        "vmallocTotal": info.vmalloc_total,
        "vmallocUsed": info.vmalloc_used,
        "vmallocChunk": info.vmalloc_chunk,
        "hugePagesTotal": or_none(info.hugepages_total),
        "hugePagesFree": or_none(info.hugepages_free),
        "hugePagesRsvd": or_none(info.hugepages_rsvd),
        "hugePagesSurp": or_none(info.hugepages_surp),
        "hugePageSize": or_none(info.hugepagesize),
        "anonHugePages": or_none(info.anon_hugepages),
    }))
}
