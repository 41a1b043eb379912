//! What can be seen of processes when somebody asks, and need not be counted all the time.

use std::collections::HashMap;

use metrics::{Gauge, Label, gauge};
use wire::launcher::v1::Process;

use super::{Book, with};

/// The states that a process is listed in.
const STATES: [&str; 4] = ["starting", "running", "draining", "backoff"];

/// Of all processes of one version of a plugin.
pub(super) struct ProcessGauges {
    states: [Gauge; STATES.len()],
    memory: Gauge,
    processor: Gauge,
}

/// The same as numbers.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    states: [u32; STATES.len()],
    memory: u64,
    processor: u64,
}

impl ProcessGauges {
    pub(super) fn new(labels: &[Label]) -> Self {
        Self {
            states: STATES.map(|state| gauge!("vault.plugin.processes", with(labels, "state", state))),
            memory: gauge!("vault.plugin.rss_bytes", labels.to_vec()),
            processor: gauge!("vault.plugin.cpu_seconds", labels.to_vec()),
        }
    }

    fn set(&self, seen: &Seen) {
        for (gauge, count) in self.states.iter().zip(seen.states) {
            gauge.set(count);
        }
        self.memory.set(seen.memory as f64);
        self.processor.set(seen.processor as f64 / 1e9);
    }
}

/// Sets what there is to see of the processes that are listed. A plugin that has none any more has none of anything.
pub fn look_around(book: &Book, processes: &[Process]) {
    let seen = sum(processes);
    let none = Seen::default();
    for meters in book.all() {
        let Some(process) = meters.processes.get() else { continue };
        let key = (&*meters.name, &*meters.kind, &*meters.version);
        process.gauges.set(seen.get(&key).unwrap_or(&none));
    }
}

fn sum(processes: &[Process]) -> HashMap<(&str, &str, &str), Seen> {
    let mut all = HashMap::<_, Seen>::new();
    for process in processes {
        let seen = all.entry((&*process.name, &*process.r#type, &*process.version)).or_default();
        if let Some(state) = STATES.iter().position(|state| *state == process.state) {
            seen.states[state] += 1;
        }
        seen.memory += process.rss_bytes;
        seen.processor += process.cpu_time;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processes_of_one_version_are_summed_up() {
        let process = |state: &str, version: &str| Process {
            name: "kv".to_owned(),
            r#type: "secret".to_owned(),
            version: version.to_owned(),
            state: state.to_owned(),
            rss_bytes: 10,
            cpu_time: 2,
            ..Process::default()
        };
        let all = [
            process("running", "v1"),
            process("backoff", "v1"),
            process("running", "v2"),
            process("running", "v1"),
        ];
        let seen = sum(&all);
        assert_eq!(seen[&("kv", "secret", "v1")], Seen { states: [0, 2, 0, 1], memory: 30, processor: 6 });
        assert_eq!(seen[&("kv", "secret", "v2")].states, [0, 1, 0, 0]);
    }
}
