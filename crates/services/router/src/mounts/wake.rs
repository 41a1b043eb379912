//! Mounts that have something to do without being asked for it.

use std::sync::Arc;

use futures::{TryStreamExt, stream};

use super::{Mount, Mounts, record};
use crate::{Error, core::Active, error::Result};

/// Where plugins write down what they are about to do elsewhere, until it is done: Vault's SDK and tenon alike.
const UNFINISHED: &str = "wal/";

/// Where plugins keep what they change by themselves when its time comes: the credentials that they rotate.
const DUE: [&str; 2] = ["static-role/", "static-roles/"];

/// How many mounts are looked at at the same time; few, because nobody waits for it.
const AT_ONCE: usize = 4;

impl Mounts {
    /// Starts the mounts that have something to do without being asked: to finish or undo what was cut off, to rotate
    /// what is due. The others start when somebody needs them.
    pub(crate) fn wake_in_background(active: Arc<Active>) {
        tokio::spawn(async move {
            let snapshot = active.mounts.snapshot();
            let mounts = snapshot.iter().map(|(_, mount)| mount.clone());
            let plugins = mounts.filter(|mount| !mount.is_core() && mount.serves() && !mount.is_ready());
            let woken = stream::iter(plugins.map(Ok))
                .try_for_each_concurrent(AT_ONCE, |mount| wake(active.clone(), mount));
            if let Err(closed) = woken.await {
                tracing::debug!(%closed, "the other mounts are woken when the barrier is open again");
            }
        });
    }

    /// Starts a mount that is about to be removed if something in it was left half done: it can be undone now, or never.
    pub(super) async fn wake_to_undo(&self, mount: &Mount) {
        if mount.is_ready() || !matches!(self.has_any(mount, UNFINISHED).await, Ok(true)) {
            return;
        }
        let started = async {
            let _stays = self.starting(mount).await?;
            self.launch.again(&mount.entry).await
        };
        if let Err(error) = started.await {
            tracing::warn!(mount = %mount.entry.path, %error, "what is left half done stays so");
        }
    }

    async fn has_any(&self, mount: &Mount, folder: &str) -> Result<bool> {
        let folder = format!("{}{folder}", record::data(&mount.entry));
        Ok(!self.store.page(&folder, String::new()).await?.is_empty())
    }

    async fn has_to_do(&self, mount: &Mount) -> Result<bool> {
        for folder in [UNFINISHED].iter().chain(&DUE) {
            if self.has_any(mount, folder).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Fails only where the others would fail as well: nothing can be woken any more.
async fn wake(active: Arc<Active>, mount: Arc<Mount>) -> Result<()> {
    active.store.check_term()?;
    let woken = match active.mounts.has_to_do(&mount).await {
        Ok(true) => active.mounts.make_ready(&mount).await,
        Ok(false) => Ok(()),
        Err(error) => Err(error),
    };
    match woken {
        Err(error @ (Error::Sealed | Error::SteppedDown)) => return Err(error),
        Err(error) => {
            tracing::warn!(mount = %mount.entry.path, %error, "what is due in a mount waits until it is used");
        }
        Ok(()) => {}
    }
    Ok(())
}
