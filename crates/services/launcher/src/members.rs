use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The mounts that a process serves. Known by the number of their place: a mount that comes back while it is leaving
/// has two.
#[derive(Debug, Default)]
pub struct Members(Mutex<All>);

#[derive(Debug, Default)]
struct All {
    paths: BTreeMap<u64, String>,
    founder: Option<u64>,
}

impl Members {
    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more.
    pub fn add(&self, place: u64, path: &str) {
        let mut all = self.all();
        if all.paths.is_empty() {
            all.founder = Some(place);
        }
        all.paths.insert(place, path.to_owned());
    }

    /// Whether this is the mount that the process was begun for.
    pub fn is_founder(&self, place: u64) -> bool {
        self.all().founder == Some(place)
    }

    /// One less; whether none is left.
    pub fn remove(&self, place: u64) -> bool {
        let mut all = self.all();
        all.paths.remove(&place);
        if all.founder == Some(place) {
            all.founder = None;
        }
        all.paths.is_empty()
    }

    /// The paths of so many of them, and how many more there are.
    pub fn some(&self, count: usize) -> (Vec<String>, u32) {
        let all = self.all();
        let more = all.paths.len().saturating_sub(count);
        (all.paths.values().take(count).cloned().collect(), u32::try_from(more).unwrap_or(u32::MAX))
    }

    /// Their paths, each once.
    pub fn paths(&self) -> Vec<String> {
        // A mount may have several connections to databases in one process.
        let mut paths: Vec<_> = self.all().paths.values().cloned().collect();
        let mut seen = BTreeSet::new();
        paths.retain(|path| seen.insert(path.clone()));
        paths
    }
}

impl fmt::Display for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.paths().join(", "))
    }
}
