//! What the process counts and times while it runs, for those who ask.
//!
//! Everybody counts through the `metrics` facade. Here it is summed up as it comes, so that a server under load keeps
//! no more of it than an idle one, and told for Prometheus, or in intervals of ten seconds, as Vault does in JSON.

mod interval;
mod memory;
mod prometheus;
mod samples;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

use memory::Memory;

/// How long an interval is.
const INTERVAL: Duration = Duration::from_secs(10);

/// How the counts are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telemetry {
    /// How long what does not change any more is told to Prometheus; zero: nothing is.
    pub prometheus_retention: Duration,
    /// The names of gauges do not hold that of the host.
    pub disable_hostname: bool,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { prometheus_retention: Duration::from_secs(24 * 3600), disable_hostname: false }
    }
}

/// All counts of the process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    memory: Arc<Memory>,
    retention: Duration,
    /// The name of the host, where it is told.
    host: Option<Arc<str>>,
}

impl Metrics {
    /// Begins to count, for the whole process; a second time nothing new is counted.
    pub fn start(telemetry: &Telemetry) -> Self {
        let memory = Arc::new(Memory::new(Timestamp::now()));
        if metrics::set_global_recorder(memory::Recorder(memory.clone())).is_err() {
            tracing::debug!("this process counts already");
        }
        let name = rustix::system::uname();
        let host = (!telemetry.disable_hostname).then(|| name.nodename().to_string_lossy().into());
        Self { memory, retention: telemetry.prometheus_retention, host }
    }

    /// Ends one interval after the other; what is told of them needs this.
    pub async fn keep(self) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.tick().await;
        loop {
            ticks.tick().await;
            self.memory.turn(Timestamp::now());
        }
    }

    /// The last interval that is over, as Vault tells it.
    pub fn json(&self) -> Value {
        self.memory.last(Timestamp::now()).view(self.host.as_deref())
    }

    /// All counts, in Prometheus' text format; none: that is switched off.
    pub fn prometheus(&self) -> Option<String> {
        let told = !self.retention.is_zero();
        told.then(|| prometheus::render(&self.memory.totals(Timestamp::now(), self.retention)))
    }
}
