//! What became of reloads, for those who ask later.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

/// How many are remembered.
const KEPT: usize = 256;

/// The latest reloads of this node.
#[derive(Debug, Default)]
pub(crate) struct Reloads(Mutex<VecDeque<Reload>>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reload {
    pub(crate) id: String,
    pub(crate) ended: Timestamp,
    /// Why not everything was reloaded; else empty.
    pub(crate) error: String,
}

impl Reloads {
    fn all(&self) -> MutexGuard<'_, VecDeque<Reload>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One has ended.
    pub(crate) fn ended(&self, reload: Reload) {
        let mut all = self.all();
        if all.len() == KEPT {
            all.pop_front();
        }
        all.push_back(reload);
    }

    /// The one with this id, if it is remembered.
    pub(crate) fn get(&self, id: &str) -> Option<Reload> {
        self.all().iter().rev().find(|reload| reload.id == id).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_latest_are_remembered() {
        let reloads = Reloads::default();
        let reload =
            |id: usize| Reload { id: id.to_string(), ended: Timestamp::UNIX_EPOCH, error: String::new() };
        (0..=KEPT).for_each(|id| reloads.ended(reload(id)));
        assert_eq!(reloads.get("0"), None);
        assert_eq!(reloads.get("1"), Some(reload(1)));
        assert_eq!(reloads.all().len(), KEPT);
    }
}
