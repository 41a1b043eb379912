use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use wire::goplugin::ConnInfo;

/// How long an announcement waits for its dial, and a dial for its announcement.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Where announcements and those who want them meet, whoever comes first.
#[derive(Debug, Default)]
pub(crate) struct Pending(Mutex<HashMap<u32, Slot>>);

#[derive(Debug)]
enum Slot {
    Announced { info: ConnInfo, until: Instant },
    Awaited(oneshot::Sender<ConnInfo>),
}

impl Slot {
    fn is_stale(&self, now: Instant) -> bool {
        match self {
            Self::Announced { until, .. } => *until <= now,
            Self::Awaited(waiter) => waiter.is_closed(),
        }
    }
}

impl Pending {
    /// An announcement has come. One serves one dial, and a second for the same number changes nothing.
    pub(crate) fn announce(&self, info: ConnInfo) {
        let now = Instant::now();
        let mut slots = self.fresh(now);
        let id = info.service_id;
        let slot = match slots.remove(&id) {
            Some(Slot::Awaited(waiter)) => match waiter.send(info) {
                Ok(()) => return,
                Err(info) => Slot::Announced { info, until: now + PATIENCE },
            },
            Some(first) => first,
            None => Slot::Announced { info, until: now + PATIENCE },
        };
        slots.insert(id, slot);
    }

    /// Waits for the announcement of this number.
    pub(crate) async fn wait(&self, id: u32) -> Option<ConnInfo> {
        let waiter = match self.claim(id) {
            Ok(info) => return Some(info),
            Err(waiter) => waiter,
        };
        timeout(PATIENCE, waiter).await.ok()?.ok()
    }

    fn claim(&self, id: u32) -> Result<ConnInfo, oneshot::Receiver<ConnInfo>> {
        let mut slots = self.fresh(Instant::now());
        if let Some(Slot::Announced { info, .. }) = slots.remove(&id) {
            return Ok(info);
        }
        let (sender, receiver) = oneshot::channel();
        slots.insert(id, Slot::Awaited(sender));
        Err(receiver)
    }

    fn fresh(&self, now: Instant) -> MutexGuard<'_, HashMap<u32, Slot>> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|_, slot| !slot.is_stale(now));
        slots
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn info(service_id: u32, address: &str) -> ConnInfo {
        ConnInfo { service_id, address: address.to_owned(), ..ConnInfo::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn the_order_of_announcement_and_dial_does_not_matter() {
        let pending = Arc::new(Pending::default());
        pending.announce(info(1, "first"));
        pending.announce(info(1, "second"));
        assert_eq!(pending.wait(1).await.unwrap().address, "first");
        let waiting = tokio::spawn({
            let pending = Arc::clone(&pending);
            async move { pending.wait(2).await }
        });
        tokio::time::sleep(Duration::from_secs(4)).await;
        pending.announce(info(2, "late"));
        assert_eq!(waiting.await.unwrap().unwrap().address, "late");
    }

    #[tokio::test(start_paused = true)]
    async fn both_sides_wait_for_five_seconds_only() {
        let pending = Pending::default();
        pending.announce(info(1, "forgotten"));
        tokio::time::sleep(PATIENCE).await;
        let before = Instant::now();
        assert_eq!(pending.wait(1).await, None);
        assert_eq!(before.elapsed(), PATIENCE);
    }
}
