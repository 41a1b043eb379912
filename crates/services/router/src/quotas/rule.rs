use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

/// All rules of one sort, by their names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rules<R>(BTreeMap<String, R>);

/// A rule that is for what lies below a path.
pub(crate) trait OfPath {
    fn path(&self) -> &str;
}

impl OfPath for RateLimit {
    fn path(&self) -> &str {
        &self.path
    }
}

impl<R> Default for Rules<R> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// How often each client may ask below a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RateLimit {
    /// Empty: everything; a mount; a path in it, which may end in `*`.
    pub(crate) path: String,
    /// Requests in an interval.
    pub(crate) rate: f64,
    pub(crate) interval: Duration,
    /// How long whoever asks more often gets no answer; zero: only until there is room again.
    pub(crate) block_interval: Duration,
    /// Whether it is for the namespaces below, too.
    pub(crate) inheritable: bool,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            path: String::new(),
            rate: 0.0,
            interval: Duration::from_secs(1),
            block_interval: Duration::ZERO,
            inheritable: false,
        }
    }
}

impl<R: Clone + OfPath> Rules<R> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &R)> {
        self.0.iter()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&R> {
        self.0.get(name)
    }

    /// The other rule for the same path.
    pub(crate) fn rival(&self, name: &str, path: &str) -> Option<&str> {
        let mut others = self.0.iter().filter(|(other, rule)| *other != name && rule.path() == path);
        others.next().map(|(other, _)| other.as_str())
    }

    pub(crate) fn with(&self, name: String, rule: R) -> Self {
        let mut rules = self.0.clone();
        rules.insert(name, rule);
        Self(rules)
    }

    /// Those that are not for a namespace or for what is in it.
    pub(crate) fn outside(&self, namespace: &str) -> Self {
        let mut rules = self.0.clone();
        rules.retain(|_, rule| !rule.path().starts_with(namespace));
        Self(rules)
    }

    pub(crate) fn without(&self, name: &str) -> Self {
        let mut rules = self.0.clone();
        rules.remove(name);
        Self(rules)
    }
}
