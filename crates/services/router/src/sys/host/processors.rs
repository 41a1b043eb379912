use procfs::{CpuInfo, Current, CurrentSI, KernelStats, ProcResult};
use serde_json::{Value, json};

/// The processors, under the names that clients know.
pub(super) fn all() -> ProcResult<Value> {
    let info = CpuInfo::current()?;
    Ok((0..info.num_cores()).map(|number| one(&info, number)).collect())
}

fn one(info: &CpuInfo, number: usize) -> Value {
    let text = |name| info.get_field(number, name).unwrap_or_default();
    let whole = |name| text(name).split(' ').next().and_then(|word| word.parse::<i64>().ok()).unwrap_or(0);
    json!({
        "cpu": number,
        "vendorId": text("vendor_id"),
        "family": text("cpu family"),
        "model": text("model"),
        "stepping": whole("stepping"),
        "physicalId": text("physical id"),
        "coreId": text("core id"),
        "cores": 1,
        "modelName": text("model name"),
        "mhz": text("cpu MHz").parse::<f64>().unwrap_or(0.0),
        "cacheSize": whole("cache size"),
        "flags": info.flags(number).unwrap_or_default(),
        "microcode": text("microcode"),
    })
}

/// How long each of them did what since the machine started, in seconds.
pub(super) fn times() -> ProcResult<Value> {
    let stats = KernelStats::current()?;
    let seconds = |millis: u64| millis as f64 / 1000.0;
    let maybe = |millis: Option<u64>| seconds(millis.unwrap_or(0));
    let times = stats.cpu_time.iter().enumerate().map(|(number, time)| {
        json!({
            "cpu": format!("cpu{number}"),
            "user": seconds(time.user_ms()),
            "system": seconds(time.system_ms()),
            "idle": seconds(time.idle_ms()),
            "nice": seconds(time.nice_ms()),
            "iowait": maybe(time.iowait_ms()),
            "irq": maybe(time.irq_ms()),
            "softirq": maybe(time.softirq_ms()),
            "steal": maybe(time.steal_ms()),
            "guest": maybe(time.guest_ms()),
            "guestNice": maybe(time.guest_nice_ms()),
        })
    });
    Ok(times.collect())
}
