use std::collections::BTreeSet;

use procfs::{ProcResult, process::Process};
use serde_json::{Value, json};

/// The file systems on devices, each once, under the names that clients know.
pub(super) fn all() -> ProcResult<Value> {
    let mounts = Process::myself()?.mountinfo()?;
    let mut seen = BTreeSet::new();
    let on_devices = mounts.into_iter().filter(|mount| {
        let source = mount.mount_source.as_deref().unwrap_or_default();
        (source.starts_with('/') || mount.fs_type == "overlay") && seen.insert(mount.majmin.clone())
    });
    Ok(on_devices.filter_map(|mount| usage(&mount.mount_point, &mount.fs_type)).collect())
}

/// None: it cannot be asked, which is no reason to leave the others out.
fn usage(path: &std::path::Path, fs_type: &str) -> Option<Value> {
    let stat = rustix::fs::statvfs(path).ok()?;
    let total = stat.f_blocks * stat.f_frsize;
    let used = total.saturating_sub(stat.f_bfree * stat.f_frsize);
    let free = stat.f_bavail * stat.f_frsize;
    let inodes_used = stat.f_files.saturating_sub(stat.f_ffree);
    Some(json!({
        "path": path,
        "fstype": fs_type,
        "total": total,
        "free": free,
        "used": used,
        "usedPercent": share(used, used + free),
        "inodesTotal": stat.f_files,
        "inodesUsed": inodes_used,
        "inodesFree": stat.f_ffree,
        "inodesUsedPercent": share(inodes_used, stat.f_files),
    }))
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 }
}
