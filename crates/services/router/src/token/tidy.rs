use std::sync::{Arc, atomic::Ordering};

use futures::{StreamExt, TryStreamExt, stream};

use super::{
    SaltedId, abroad,
    records::{self, Accessor, Folder},
    revoke,
    store::Tokens,
};
use crate::{core::Active, error::Result};

/// How many records are looked at at the same time.
const AT_ONCE: usize = 32;

/// Finishes what was begun, and removes names of tokens that are not there. In the background; says whether nobody is
/// at it already.
pub(super) fn tidy(active: &Arc<Active>) -> bool {
    if active.tokens.tidying.swap(true, Ordering::AcqRel) {
        return false;
    }
    let active = active.clone();
    tokio::spawn(async move {
        match work(&active).await {
            Ok(removed) => tracing::info!(removed, "the token store is tidy"),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "tidying the token store has failed"
                );
            }
        }
        active.tokens.tidying.store(false, Ordering::Release);
    });
    true
}

async fn work(active: &Arc<Active>) -> Result<usize> {
    revoke::resume(active).await?;
    abroad::tidy(active).await?;
    let tokens = &active.tokens;
    let accessors = tokens.store.list(Folder::Accessor.prefix()).await?;
    let mut removed =
        tokens.remove_stray(accessors.into_iter().map(|name| Folder::Accessor.key(name))).await?;
    for parent in tokens.store.list(records::PARENTS).await? {
        let folder = format!("{}{parent}", records::PARENTS);
        let children = tokens.store.list(&folder).await?;
        removed += tokens.remove_stray(children.into_iter().map(|name| format!("{folder}{name}"))).await?;
    }
    Ok(removed)
}

impl Tokens {
    /// Removes those names whose token is not there.
    async fn remove_stray(&self, keys: impl Iterator<Item = String>) -> Result<usize> {
        let removals = stream::iter(keys.map(|key| self.remove_if_stray(key))).buffer_unordered(AT_ONCE);
        removals.try_fold(0, async |count, removed| Ok(count + usize::from(removed))).await
    }

    async fn remove_if_stray(&self, key: String) -> Result<bool> {
        let id = match key.strip_prefix(records::PARENTS).and_then(|rest| rest.split_once('/')) {
            Some((_, child)) => SaltedId::parse(child),
            None => self.store.read::<Accessor>(&key).await?.map(|accessor| accessor.token),
        };
        if let Some(id) = &id
            && self.stored(id).await?.is_some()
        {
            return Ok(false);
        }
        self.store.delete(key).await?;
        Ok(true)
    }
}
