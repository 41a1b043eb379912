use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::SaltedId;

/// How many turns there are; tokens share them.
const TURNS: usize = 64;

/// Changes of one token take turns: uses are counted one after the other, and nothing is born of a token that ends.
/// Never two at a time: tokens share turns, so the second could be the first.
pub(super) struct Turns([RwLock<()>; TURNS]);

impl Turns {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| RwLock::new(())))
    }

    /// While the token is to stay as it is.
    pub(super) async fn keep(&self, id: &SaltedId) -> RwLockReadGuard<'_, ()> {
        self.0[id.spread(TURNS)].read().await
    }

    /// While the token is changed.
    pub(super) async fn change(&self, id: &SaltedId) -> RwLockWriteGuard<'_, ()> {
        self.0[id.spread(TURNS)].write().await
    }
}
