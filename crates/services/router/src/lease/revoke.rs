use std::{sync::Arc, time::Duration};

use domain::Operation;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::{
    LeaseRefusal, Leases,
    claim::Claim,
    record::{Record, key, key_of, millis, of_token},
};
use crate::{
    Error,
    core::{Active, is_passing},
    error::Result,
    mounts::Mount,
    plugin::ask_issuer,
    token::{self, SaltedId},
};

/// How many leases are worked on at the same time when many are revoked at once.
pub(super) const AT_ONCE: usize = 16;

/// How a lease is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// Now; if that fails, it is kept.
    Now,
    /// As if its time were over.
    Soon,
    /// Now, and it is dropped even if its plugin fails.
    Forced,
}

impl Leases {
    /// Revokes one lease, a secret's or a token's. What is not there is revoked already.
    pub(crate) async fn revoke(&self, active: &Arc<Active>, id: &str, how: How) -> Result<()> {
        if how == How::Soon {
            return self.end_soon(id).await;
        }
        let Some(claim) = self.claim(id).await? else { return Ok(()) };
        self.end(active, &claim, how).await.map_err(|error| not_revoked(id, error))
    }

    /// Revokes all leases below a path. Goes through all of them; the first failure is told.
    pub(crate) async fn revoke_prefix(&self, active: &Arc<Active>, prefix: &str, how: How) -> Result<()> {
        self.wait_until_loaded().await?;
        let prefix = format!("{}/", prefix.trim_end_matches('/'));
        let ids: Vec<Arc<str>> = self.queue().below(&prefix).cloned().collect();
        self.revoke_all(active, ids, how).await
    }

    /// Marks all that dies with a token as over; it is revoked in the background, as if its time had come.
    /// For a token that is gone: one that is there could be handed new ones.
    pub(crate) async fn revoke_of_token(&self, token: &SaltedId) -> Result<()> {
        let names = self.store.list(&of_token(token)).await?;
        let marks = names.into_iter().map(|name| async move { self.mark(&key_of(&name)).await });
        stream::iter(marks).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Makes one lease due.
    pub(super) async fn end_soon(&self, id: &str) -> Result<()> {
        self.mark(&key(id)).await
    }

    async fn mark(&self, key: &str) -> Result<()> {
        let _turn = self.turns.change(key).await;
        let Some(record) = self.store.read::<Record>(key).await? else { return Ok(()) };
        self.keep(&Record { ends: Timestamp::now(), irrevocable: None, ..record }).await
    }

    pub(super) async fn revoke_all(&self, active: &Arc<Active>, ids: Vec<Arc<str>>, how: How) -> Result<()> {
        let work = ids.into_iter().map(|id| async move { self.revoke(active, &id, how).await });
        let outcomes: Vec<Result<()>> = stream::iter(work).buffer_unordered(AT_ONCE).collect().await;
        outcomes.into_iter().collect()
    }

    /// Ends a lease that the caller has to itself.
    pub(super) async fn end(&self, active: &Arc<Active>, claim: &Claim<'_>, how: How) -> Result<()> {
        let id = claim.id();
        let Some(record) = self.read(id).await? else {
            self.queue().remove(id);
            return Ok(());
        };
        if let Some(token) = record.token.filter(|_| record.is_token) {
            return Box::pin(self.end_token(active, token, &record)).await;
        }
        match self.revoke_at_plugin(&record).await {
            Err(error) if how == How::Forced => {
                tracing::warn!(lease = id, %error, "a lease is dropped though its plugin has not revoked it");
            }
            other => other?,
        }
        self.remove(&record).await
    }

    async fn end_token(&self, active: &Arc<Active>, token: SaltedId, record: &Record) -> Result<()> {
        if let Some(ends) = token::revoke::lapse(active, token, record.renewed).await? {
            self.queue().put(&record.id, &record.mount, millis(ends));
            return Ok(());
        }
        if self.read(&record.id).await?.is_some() {
            // There was a lease and no token.
            return self.remove(record).await;
        }
        self.queue().remove(&record.id);
        Ok(())
    }

    /// Asks the plugin to take back what it has issued.
    pub(super) async fn revoke_at_plugin(&self, record: &Record) -> Result<()> {
        let mount = self.mount_of(record).ok_or(LeaseRefusal::MountGone)?;
        let request = record.request(Duration::ZERO);
        ask_issuer(&self.launcher, &self.mounts, &mount, Operation::Revoke, request).await?;
        Ok(())
    }

    /// The mount that issued it, wherever it is now.
    pub(super) fn mount_of(&self, record: &Record) -> Option<Arc<Mount>> {
        let snapshot = self.mounts.snapshot();
        let is_it = |mount: &&Arc<Mount>| mount.entry.uuid == record.mount;
        let near = snapshot.resolve(&record.id).map(|(_, mount, _)| mount).filter(is_it);
        near.or_else(|| snapshot.iter().map(|(_, mount)| mount).find(is_it)).cloned()
    }
}

/// A failure of a revocation that somebody asked for.
fn not_revoked(id: &str, error: Error) -> Error {
    match error {
        error if is_passing(error.kind()) => error,
        error => LeaseRefusal::NotRevoked { id: id.to_owned(), why: error.to_string() }.into(),
    }
}
