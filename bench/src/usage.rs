use std::{fs, ops::Sub, time::Duration};

use rustix::param::clock_ticks_per_second;

/// What processes have used of the machine so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Processor time, the system's share included.
    pub cpu: Duration,
    /// Resident memory in bytes.
    pub memory: u64,
}

impl Usage {
    /// Of all these together; one that is gone counts nothing.
    pub fn of(pids: &[u32]) -> Self {
        let ticks: u64 = pids.iter().filter_map(|pid| ticks(*pid)).sum();
        let seconds = ticks as f64 / clock_ticks_per_second() as f64;
        let memory = pids.iter().filter_map(|pid| resident(*pid)).sum();
        Self { cpu: Duration::from_secs_f64(seconds), memory }
    }
}

impl Sub for Usage {
    type Output = Self;

    /// The time between two looks; the memory of the later one.
    fn sub(self, before: Self) -> Self {
        Self { cpu: self.cpu.saturating_sub(before.cpu), memory: self.memory }
    }
}

fn ticks(pid: u32) -> Option<u64> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in brackets, which may hold anything.
    let fields: Vec<&str> = line.rsplit_once(") ")?.1.split(' ').collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

fn resident(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? << 10)
}
