use std::fs;

use bytes::Bytes;
use domain::Life;
use rustix::param::{clock_ticks_per_second, page_size};
use wire::launcher::v1::Process;

use crate::{journal::nanos_of, supervised::Supervised};

/// A process as it is listed; none if there is nothing to see.
pub fn describe(process: &Supervised) -> Option<Process> {
    let shown = process.shown();
    let state = match shown.life {
        Life::Absent | Life::Exited { .. } => return None,
        Life::Verifying { .. } | Life::Starting { .. } => "starting",
        Life::Running { .. } => "running",
        Life::Draining { .. } => "draining",
        Life::Backoff { .. } => "backoff",
    };
    let entry = &process.entry;
    let (rss_bytes, cpu_time) = usage(shown.pid).unwrap_or_default();
    Some(Process {
        pid: shown.pid,
        name: entry.name.clone(),
        r#type: entry.plugin_type.word().to_owned(),
        version: entry.version.clone(),
        sha256: Bytes::copy_from_slice(entry.sha256.as_bytes()),
        multiplexed: shown.multiplexed,
        mounts: process.members.paths(),
        state: state.to_owned(),
        started_at: shown.started.map(nanos_of).unwrap_or_default(),
        restarts: shown.restarts,
        rss_bytes,
        cpu_time,
    })
}

/// Resident bytes, and nanoseconds of processor time.
fn usage(pid: u32) -> Option<(u64, u64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything. After it the state is the third field of the manual page.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let ticks = field(14)? + field(15)?;
    let pages = field(24)?;
    Some((pages * page_size() as u64, ticks * 1_000_000_000 / clock_ticks_per_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_uses_memory() {
        let (rss, _) = usage(std::process::id()).unwrap();
        assert!(rss > 1 << 20);
    }
}
