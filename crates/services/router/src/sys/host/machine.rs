use std::{collections::HashMap, fs};

use procfs::{Current, CurrentSI, KernelStats, ProcResult, Uptime};
use serde_json::{Value, json};

/// The machine and its system, under the names that clients know.
pub(super) fn describe() -> ProcResult<Value> {
    let system = rustix::system::uname();
    let uptime = Uptime::current()?.uptime_duration().as_secs();
    let release = release();
    let named = |name: &str| release.get(name).map(String::as_str).unwrap_or_default();
    let family = release.get("ID_LIKE").map_or(named("ID"), String::as_str);
    let processes = fs::read_dir("/proc")?.flatten().filter(|entry| is_process(&entry.file_name()));
    Ok(json!({
        "hostname": system.nodename().to_string_lossy(),
        "uptime": uptime,
        "bootTime": KernelStats::current()?.btime,
        "procs": processes.count(),
        "os": "linux",
        "platform": named("ID"),
        "platformFamily": family,
        "platformVersion": named("VERSION_ID"),
        "kernelVersion": system.release().to_string_lossy(),
        "kernelArch": system.machine().to_string_lossy(),
        "virtualizationSystem": "",
        "virtualizationRole": "",
        "hostId": fs::read_to_string("/etc/machine-id").unwrap_or_default().trim(),
    }))
}

fn is_process(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
}

/// What the distribution says of itself; not every container has it.
fn release() -> HashMap<String, String> {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
}
