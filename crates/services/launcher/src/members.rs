use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The mounts that a process serves: their paths, by uuid.
#[derive(Debug, Default)]
pub struct Members(Mutex<All>);

#[derive(Debug, Default)]
struct All {
    paths: BTreeMap<String, String>,
    founder: Option<String>,
}

impl Members {
    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more, or the same again.
    pub fn add(&self, uuid: &str, path: &str) {
        let mut all = self.all();
        if all.paths.is_empty() {
            all.founder = Some(uuid.to_owned());
        }
        all.paths.insert(uuid.to_owned(), path.to_owned());
    }

    /// Whether this is the mount that the process was begun for.
    pub fn is_founder(&self, uuid: &str) -> bool {
        self.all().founder.as_deref() == Some(uuid)
    }

    /// One less; whether none is left.
    pub fn remove(&self, uuid: &str) -> bool {
        let mut all = self.all();
        all.paths.remove(uuid);
        if all.founder.as_deref() == Some(uuid) {
            all.founder = None;
        }
        all.paths.is_empty()
    }

    /// Their paths.
    pub fn paths(&self) -> Vec<String> {
        self.all().paths.values().cloned().collect()
    }
}

impl fmt::Display for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.paths().join(", "))
    }
}
