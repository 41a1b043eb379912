use std::hash::{DefaultHasher, Hash, Hasher};

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How many turns there are; all names share them.
const TURNS: usize = 64;

/// Changes of what is stored under one name take turns, so that none undoes another. Never two at a time: names share
/// turns, so the second could be the first.
pub(crate) struct Turns([RwLock<()>; TURNS]);

impl Turns {
    /// While what has this name is to stay as it is.
    pub(crate) async fn keep(&self, name: &(impl Hash + ?Sized)) -> RwLockReadGuard<'_, ()> {
        self.of(name).read().await
    }

    /// While what has this name is changed.
    pub(crate) async fn change(&self, name: &(impl Hash + ?Sized)) -> RwLockWriteGuard<'_, ()> {
        self.of(name).write().await
    }

    fn of(&self, name: &(impl Hash + ?Sized)) -> &RwLock<()> {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        // Only the lowest bits matter.
        &self.0[hasher.finish() as usize % TURNS]
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| RwLock::new(())))
    }
}
