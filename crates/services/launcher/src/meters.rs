//! What is counted and timed of plugins. The labels are what was registered, and words of our own: nothing of a request.

mod gauges;

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use metrics::{Counter, Gauge, Histogram, Label, counter, gauge, histogram};

pub use gauges::look_around;

use gauges::ProcessGauges;

/// What the launcher's process counts, for those who ask. The process decides how it is kept.
pub trait Meters: Send + Sync + fmt::Debug {
    /// As Vault tells it in JSON, or in Prometheus' text format; empty: that is switched off.
    fn told(&self, prometheus: bool) -> bytes::Bytes;
}

/// All that is counted, by plugin.
#[derive(Default)]
pub struct Book(Mutex<Vec<Arc<PluginMeters>>>);

/// What is counted of one version of one plugin. Looked up once for each mount and process, and never for a request.
pub struct PluginMeters {
    name: String,
    kind: String,
    version: String,
    calls: Counter,
    call_time: Histogram,
    in_flight: Gauge,
    storage: [Counter; StorageCall::ALL.len()],
    processes: OnceLock<ProcessMeters>,
}

/// What is counted only of plugins that have processes.
struct ProcessMeters {
    starts: Counter,
    restarts: Counter,
    handshake: Histogram,
    gauges: ProcessGauges,
}

/// What a plugin asks of its storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageCall {
    /// One value.
    Get,
    /// The names below a prefix.
    List,
    /// One value is written.
    Put,
    /// One value is removed.
    Delete,
}

impl StorageCall {
    const ALL: [Self; 4] = [Self::Get, Self::List, Self::Put, Self::Delete];

    const fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Put => "put",
            Self::Delete => "delete",
        }
    }
}

impl Book {
    /// What is counted of a plugin.
    pub fn of(&self, name: &str, kind: &str, version: &str) -> Arc<PluginMeters> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all
            .iter()
            .find(|meters| (&*meters.name, &*meters.kind, &*meters.version) == (name, kind, version));
        if let Some(known) = known {
            return Arc::clone(known);
        }
        let new = Arc::new(PluginMeters::new(name, kind, version));
        all.push(Arc::clone(&new));
        new
    }

    fn all(&self) -> Vec<Arc<PluginMeters>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl PluginMeters {
    fn new(name: &str, kind: &str, version: &str) -> Self {
        let labels = labels(name, kind, version);
        let storage = StorageCall::ALL
            .map(|call| counter!("vault.plugin.storage_calls", with(&labels, "operation", call.word())));
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            version: version.to_owned(),
            calls: counter!("vault.plugin.calls", labels.clone()),
            call_time: histogram!("vault.plugin.call_milliseconds", labels.clone()),
            in_flight: gauge!("vault.plugin.in_flight", labels.clone()),
            storage,
            processes: OnceLock::new(),
        }
    }

    fn labels(&self) -> Vec<Label> {
        labels(&self.name, &self.kind, &self.version)
    }

    fn processes(&self) -> &ProcessMeters {
        self.processes.get_or_init(|| {
            let labels = self.labels();
            ProcessMeters {
                starts: counter!("vault.plugin.starts", labels.clone()),
                restarts: counter!("vault.plugin.restarts", labels.clone()),
                handshake: histogram!("vault.plugin.handshake_milliseconds", labels.clone()),
                gauges: ProcessGauges::new(&labels),
            }
        })
    }

    /// A call into the plugin goes on for as long as this is held.
    pub fn call(self: &Arc<Self>) -> Inside {
        self.in_flight.increment(1.0);
        Inside { meters: Arc::clone(self), begun: Instant::now() }
    }

    /// The plugin asks something of its storage.
    pub fn stores(&self, call: StorageCall) {
        self.storage[call as usize].increment(1);
    }

    /// A process was started, for the first time or again.
    pub fn started(&self, again: bool) {
        let processes = self.processes();
        processes.starts.increment(1);
        if again {
            processes.restarts.increment(1);
        }
    }

    /// A process has said who it is, so long after its start.
    pub fn greeted(&self, after: Duration) {
        self.processes().handshake.record(millis(after));
    }

    /// A process has ended, or there was none to begin with.
    pub fn ended(&self, reason: &'static str, had_process: bool) {
        let labels = with(&self.labels(), "reason", reason);
        match had_process {
            true => counter!("vault.plugin.exits", labels).increment(1),
            false => counter!("vault.plugin.start_failures", labels).increment(1),
        }
    }
}

impl fmt::Debug for PluginMeters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PluginMeters").field(&self.name).field(&self.version).finish()
    }
}

/// A call into a plugin, until dropped.
#[derive(Debug)]
pub struct Inside {
    meters: Arc<PluginMeters>,
    begun: Instant,
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.meters.in_flight.decrement(1.0);
        self.meters.calls.increment(1);
        self.meters.call_time.record(millis(self.begun.elapsed()));
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn labels(name: &str, kind: &str, version: &str) -> Vec<Label> {
    [("plugin", name), ("type", kind), ("version", version)]
        .map(|(label, value)| Label::new(label, value.to_owned()))
        .into()
}

fn with(labels: &[Label], label: &'static str, value: &'static str) -> Vec<Label> {
    let mut labels = labels.to_vec();
    labels.push(Label::from_static_parts(label, value));
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_looked_up_by_all_that_tells_it_apart() {
        let book = Book::default();
        let kv = book.of("kv", "secret", "v1.0.0");
        assert!(Arc::ptr_eq(&kv, &book.of("kv", "secret", "v1.0.0")));
        for other in [("kv", "secret", ""), ("kv", "auth", "v1.0.0"), ("vk", "secret", "v1.0.0")] {
            assert!(!Arc::ptr_eq(&kv, &book.of(other.0, other.1, other.2)), "{other:?}");
        }
    }

    #[test]
    fn every_call_of_the_storage_has_a_place_of_its_own() {
        for (place, call) in StorageCall::ALL.into_iter().enumerate() {
            assert_eq!(call as usize, place);
        }
    }
}
