//! What is counted and timed of requests, under Vault's names.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{LazyLock, Mutex, OnceLock, PoisonError},
    time::Instant,
};

use domain::Operation;
use metrics::{Counter, Histogram, counter, histogram};
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

// What nobody has done yet is told as none, so that what is watched is there from the beginning.
static LEASES: LazyLock<Counter> = LazyLock::new(|| counter!("vault.secret.lease.creation"));
static RATE_EXCEEDED: LazyLock<Counter> = LazyLock::new(|| counter!("vault.quota.rate_limit.violation"));
static LEASES_EXCEEDED: LazyLock<Counter> = LazyLock::new(|| counter!("vault.quota.lease_count.violation"));

/// How the records of requests, or of answers, are written.
#[derive(Debug)]
pub(crate) struct Recording {
    times: LazyLock<Histogram>,
    failures: LazyLock<Counter>,
}

/// The records of requests.
pub(crate) static REQUEST_RECORDS: Recording = Recording {
    times: LazyLock::new(|| histogram!("vault.audit.log_request")),
    failures: LazyLock::new(|| counter!("vault.audit.log_request_failure")),
};

/// The records of answers.
pub(crate) static ANSWER_RECORDS: Recording = Recording {
    times: LazyLock::new(|| histogram!("vault.audit.log_response")),
    failures: LazyLock::new(|| counter!("vault.audit.log_response_failure")),
};

impl Recording {
    /// A record is written, or no device could write it.
    pub(crate) fn told<T, E>(&self, begun: Instant, told: Result<T, E>) -> Result<T, E> {
        self.times.record(millis(begun));
        self.failures.increment(u64::from(told.is_err()));
        told
    }
}

/// A secret has a lease.
pub(crate) fn leased() {
    LEASES.increment(1);
}

/// A request came too soon after others.
pub(crate) fn rate_exceeded() {
    RATE_EXCEEDED.increment(1);
}

/// There are too many leases for one more.
pub(crate) fn leases_exceeded() {
    LEASES_EXCEEDED.increment(1);
}

/// From now on all that is counted here is told, as none if it is none.
pub(crate) fn begin() {
    for times in [&REQUESTS, &LOGINS, &REQUEST_RECORDS.times, &ANSWER_RECORDS.times] {
        LazyLock::force(times);
    }
    for counter in
        [&LEASES, &RATE_EXCEEDED, &LEASES_EXCEEDED, &REQUEST_RECORDS.failures, &ANSWER_RECORDS.failures]
    {
        LazyLock::force(counter);
    }
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

/// As many mounts are timed by themselves, in the order in which they are first asked. What is counted is kept for as
/// long as the process lives, so that mounts which come and go must not add up.
const NAMED_MOUNTS: usize = 1000;

/// All further mounts together. No mount's name is that: theirs end with a dash.
const OTHERS: &str = "others";

/// The mounts that are timed by themselves.
static NAMED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Asked once for each operation of a mount.
fn has_own_name(named: &Mutex<BTreeSet<String>>, mount: &str) -> bool {
    let mut named = named.lock().unwrap_or_else(PoisonError::into_inner);
    named.contains(mount) || named.len() < NAMED_MOUNTS && named.insert(mount.to_owned())
}

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

    /// The name under which it is timed.
    fn name(&self, operation: Operation) -> String {
        let mount = if has_own_name(&NAMED, &self.mount) { &*self.mount } else { OTHERS };
        format!("vault.route.{}.{mount}", operation.word())
    }

    /// A request has been answered.
    pub(crate) fn answered(&self, operation: Operation, sent: Instant) {
        let timed = TIMED.iter().zip(&self.meters).find(|(timed, _)| **timed == operation);
        if let Some((_, meter)) = timed {
            meter.get_or_init(|| histogram!(self.name(operation))).record(millis(sent));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_that_come_and_go_without_end_have_names_for_so_many() {
        let named = Mutex::default();
        let own = (0..3 * NAMED_MOUNTS).filter(|number| has_own_name(&named, &format!("kv{number}-")));
        assert_eq!(own.count(), NAMED_MOUNTS);
        assert!(has_own_name(&named, "kv0-"), "who had one keeps it");
        assert!(!has_own_name(&named, "another-"));
    }
}
