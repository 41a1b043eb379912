//! What is counted and timed of requests, under Vault's names.

use std::{
    fmt,
    sync::{LazyLock, OnceLock},
    time::Instant,
};

use domain::Operation;
use metrics::{Histogram, histogram};
use serde_json::{Value, json};

/// What the process counts, for those who ask. The process decides how it is kept.
pub trait Meters: Send + Sync + fmt::Debug {
    /// As Vault tells it in JSON.
    fn json(&self) -> Value;

    /// In Prometheus' text format; none: that is switched off.
    fn prometheus(&self) -> Option<String>;
}

/// Of a process that counts nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoMeters;

impl Meters for NoMeters {
    fn json(&self) -> Value {
        json!({ "Timestamp": "", "Gauges": [], "Points": [], "Counters": [], "Samples": [] })
    }

    fn prometheus(&self) -> Option<String> {
        None
    }
}

// Looked up once: every request comes here.
static REQUESTS: LazyLock<Histogram> = LazyLock::new(|| histogram!("vault.core.handle_request"));
static LOGINS: LazyLock<Histogram> = LazyLock::new(|| histogram!("vault.core.handle_login_request"));

/// A request has its answer.
pub(crate) fn handled(login: bool, begun: Instant) {
    let meter = if login { &LOGINS } else { &REQUESTS };
    meter.record(millis(begun));
}

fn millis(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}

/// The operations that are timed for each mount.
const TIMED: [Operation; 6] = [
    Operation::Read,
    Operation::List,
    Operation::Update,
    Operation::Patch,
    Operation::Delete,
    Operation::Help,
];

/// How long the requests to one mount take. Nothing is kept for what nobody asks.
#[derive(Debug)]
pub(crate) struct RouteMeters {
    /// The mount's path, as a part of a name.
    mount: String,
    meters: [OnceLock<Histogram>; TIMED.len()],
}

impl RouteMeters {
    pub(crate) fn of(path: &str) -> Self {
        Self { mount: path.replace('/', "-"), meters: Default::default() }
    }

    /// A request has been answered.
    pub(crate) fn answered(&self, operation: Operation, sent: Instant) {
        let timed = TIMED.iter().zip(&self.meters).find(|(timed, _)| **timed == operation);
        if let Some((_, meter)) = timed {
            let name = || format!("vault.route.{}.{}", operation.word(), self.mount);
            meter.get_or_init(|| histogram!(name())).record(millis(sent));
        }
    }
}
