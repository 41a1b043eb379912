use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OwnedMutexGuard;

type Lock = Arc<tokio::sync::Mutex<()>>;

/// One lock for each path that somebody writes to right now, and no memory for the others.
#[derive(Default)]
pub(crate) struct Locks(Mutex<HashMap<String, Lock>>);

/// A path that is locked, or waited for. Dropping it opens the path.
pub(crate) struct Locked<'l> {
    locks: &'l Locks,
    path: String,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Locks {
    /// Waits until nobody else has the path.
    pub(crate) async fn lock(&self, path: &str) -> Locked<'_> {
        // Made before the wait, so that a caller who gives up leaves nothing behind.
        let mut locked = Locked { locks: self, path: path.to_owned(), guard: None };
        let lock = Lock::clone(self.map().entry(path.to_owned()).or_default());
        locked.guard = Some(lock.lock_owned().await);
        locked
    }

    fn map(&self) -> MutexGuard<'_, HashMap<String, Lock>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.guard = None;
        let mut map = self.locks.map();
        // Locks are shared out under the map's lock only: nobody else has one that is counted once.
        if map.get(&self.path).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            map.remove(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn writers_of_one_path_wait_and_those_of_others_do_not() {
        let locks = Locks::default();
        let first = locks.lock("a").await;
        let _other = locks.lock("b").await;
        assert!(timeout(Duration::from_secs(1), locks.lock("a")).await.is_err());
        drop(first);
        locks.lock("a").await;
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_left_of_locks_that_nobody_has() {
        let locks = Locks::default();
        let first = locks.lock("a").await;
        assert!(timeout(Duration::from_secs(1), locks.lock("a")).await.is_err());
        drop(first);
        assert!(locks.map().is_empty());
    }
}
