use std::sync::Arc;

use super::{Leases, record::Record};
use crate::error::Result;

/// A lease that one has to oneself, to renew or to revoke it. It is free again when this is dropped.
pub(super) struct Claim<'l> {
    leases: &'l Leases,
    id: Option<Arc<str>>,
}

impl<'l> Claim<'l> {
    /// A lease that the queue has handed out.
    pub(super) const fn due(leases: &'l Leases, id: Arc<str>) -> Self {
        Self { leases, id: Some(id) }
    }

    pub(super) fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }

    /// Leaves it to the queue to say what becomes of the lease.
    pub(super) fn settle(mut self, settle: impl FnOnce(&Leases, &str)) {
        if let Some(id) = self.id.take() {
            settle(self.leases, &id);
            self.leases.released.notify_waiters();
        }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            self.leases.queue().release(&id);
            self.leases.released.notify_waiters();
            self.leases.changed.notify_one();
        }
    }
}

impl Leases {
    /// Waits until nobody else works on a lease. None: there is no such lease.
    pub(super) async fn claim(&self, id: &str) -> Result<Option<Claim<'_>>> {
        loop {
            let released = self.released.notified();
            if self.queue().claim(id) {
                return Ok(Some(Claim { leases: self, id: Some(id.into()) }));
            }
            if self.queue().contains(id) {
                released.await;
                continue;
            }
            // It may be stored and not be known yet.
            let Some(Record { mount, ends, .. }) = self.read(id).await? else { return Ok(None) };
            self.queue().load(id, &mount, Some(super::record::millis(ends)));
            if !self.queue().contains(id) {
                return Ok(None);
            }
        }
    }
}
