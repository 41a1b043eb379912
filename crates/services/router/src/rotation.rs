//! The storage key is rotated by itself: after so much use, and after so long if that is wanted.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use wire::catalog::v1::{KeyStatus, KeyStatusRequest, RotateRequest};

use crate::{
    core::{Active, Core},
    error::Result,
    store::Store,
};

const KEY: &str = "core/rotation";

/// How often is looked whether it is time.
const PERIOD: Duration = Duration::from_secs(300);

/// The shortest interval; each term stays in the keyring for ever.
pub(crate) const SHORTEST: Duration = Duration::from_secs(24 * 3600);

/// How many encryptions with one key are the fewest and the most that a key may be set to. The most is nine tenths of what
/// NIST SP 800-38D allows for random nonces of 96 bits.
pub(crate) const OPERATIONS: std::ops::RangeInclusive<u64> = 1_000_000..=3_865_470_566;

/// When that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rotation {
    pub(crate) enabled: bool,
    /// Seconds; zero: however long.
    pub(crate) interval: u64,
    pub(crate) max_operations: u64,
}

impl Default for Rotation {
    fn default() -> Self {
        Self { enabled: true, interval: 0, max_operations: *OPERATIONS.end() }
    }
}

impl Rotation {
    pub(crate) async fn load(store: &Store) -> Result<Self> {
        Ok(store.read(KEY).await?.unwrap_or_default())
    }

    pub(crate) async fn save(&self, store: &Store) -> Result<()> {
        store.write(KEY.to_owned(), self).await
    }

    fn is_due(&self, key: &KeyStatus, now: Timestamp) -> bool {
        let installed = Timestamp::from_nanosecond(key.install_time.into()).unwrap_or(now);
        let age = u64::try_from(now.as_second() - installed.as_second()).unwrap_or(0);
        let old = self.interval > 0 && age >= self.interval;
        self.enabled && (old || key.encryptions >= self.max_operations)
    }
}

/// Looks for as long as the barrier stays open.
pub(crate) fn watch(core: &Arc<Core>, active: &Arc<Active>) {
    let (core, active): (Weak<Core>, Weak<Active>) = (Arc::downgrade(core), Arc::downgrade(active));
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(PERIOD).await;
            let (Some(core), Some(_)) = (core.upgrade(), active.upgrade()) else { return };
            if let Err(error) = rotate_if_due(&core).await {
                tracing::warn!(%error, "whether the storage key has to be rotated is not known");
            }
        }
    });
}

async fn rotate_if_due(core: &Core) -> Result<()> {
    let rotation = Rotation::load(&core.store).await?;
    let barrier = &core.clients.barrier;
    let key = barrier.get_key_status(KeyStatusRequest {}).await?.into_inner();
    if rotation.is_due(&key, Timestamp::now()) {
        let key = barrier.rotate(RotateRequest {}).await?.into_inner();
        tracing::info!(term = key.term, "the storage key was rotated, because it was time");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_rotated_when_it_is_old_or_used_up_and_only_then() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let key = |age: i64, encryptions| KeyStatus {
            install_time: (now.as_second() - age) * 1_000_000_000,
            encryptions,
            ..KeyStatus::default()
        };
        let usual = Rotation::default();
        assert!(!usual.is_due(&key(1 << 19, usual.max_operations - 1), now));
        assert!(usual.is_due(&key(0, usual.max_operations), now));
        let daily = Rotation { interval: 86_400, ..usual };
        assert!(!daily.is_due(&key(86_399, 0), now));
        assert!(daily.is_due(&key(86_400, 0), now));
        let off = Rotation { enabled: false, ..daily };
        assert!(!off.is_due(&key(86_400, u64::MAX), now));
        // A clock that was set back makes no key old.
        assert!(!daily.is_due(&key(-10, 0), now));
    }
}
