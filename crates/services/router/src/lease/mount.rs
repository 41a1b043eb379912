use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use futures::{StreamExt, TryStreamExt, stream};

use super::{
    LeaseRefusal, Leases,
    revoke::{AT_ONCE, How},
};
use crate::{Error, core::Active, error::Result};

impl Leases {
    /// Ends everything that a mount has issued, because the mount goes: secrets and logins. What its plugin does not
    /// take back is kept as irrevocable, with the reason. A plugin that does not answer is not asked again and again.
    pub(crate) async fn end_of_mount(&self, active: &Arc<Active>, uuid: &str) -> Result<()> {
        let silent = AtomicBool::new(false);
        let silent = &silent;
        let ends = self.of_mount(uuid).await?.into_iter();
        let ends = ends.map(|id| async move { self.end_or_record(active, &id, silent).await });
        stream::iter(ends).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Ends everything that a mount has issued. The first failure is told.
    pub(crate) async fn revoke_of_mount(&self, active: &Arc<Active>, uuid: &str) -> Result<()> {
        let ids = self.of_mount(uuid).await?;
        self.revoke_all(active, ids, How::Now).await
    }

    /// Keeps what a mount has issued while it went, for there is nobody any more who could take it back.
    pub(crate) async fn record_of_mount(&self, uuid: &str) -> Result<()> {
        let left: Vec<_> = self
            .queue()
            .of_mount(uuid)
            .filter(|(_, revocable)| *revocable)
            .map(|(id, _)| id.clone())
            .collect();
        for id in left {
            let Some(claim) = self.claim(&id).await? else { continue };
            self.mark_irrevocable(&id, &LeaseRefusal::MountGone.into()).await?;
            claim.settle(|leases, id| leases.queue().give_up(id));
        }
        Ok(())
    }

    async fn end_or_record(&self, active: &Arc<Active>, id: &str, silent: &AtomicBool) -> Result<()> {
        let Some(claim) = self.claim(id).await? else { return Ok(()) };
        let is_token = self.read(id).await?.is_none_or(|record| record.is_token);
        let ended = if is_token || !silent.load(Relaxed) {
            self.end(active, &claim, How::Now).await
        } else {
            Err(LeaseRefusal::PluginSilent.into())
        };
        let error = match ended {
            Ok(()) => return Ok(()),
            Err(error) if is_token || matches!(error, Error::Sealed | Error::SteppedDown) => {
                return Err(error);
            }
            Err(error) => error,
        };
        if does_not_answer(&error) {
            silent.store(true, Relaxed);
        }
        tracing::warn!(lease = id, %error, "a lease is irrevocable, for its mount goes");
        self.mark_irrevocable(id, &error).await?;
        claim.settle(|leases, id| leases.queue().give_up(id));
        Ok(())
    }

    /// The leases of a mount, those included that nobody tries to revoke any more: this is one more try.
    async fn of_mount(&self, uuid: &str) -> Result<Vec<Arc<str>>> {
        self.wait_until_loaded().await?;
        Ok(self.queue().of_mount(uuid).map(|(id, _)| id.clone()).collect())
    }
}

/// Whether the plugin could not even be asked.
const fn does_not_answer(error: &Error) -> bool {
    use domain::Kind::{Timeout, Unavailable};
    match error {
        Error::Mount(_) => true,
        Error::Below(failure) => matches!(failure.kind, Unavailable | Timeout),
        _ => false,
    }
}
