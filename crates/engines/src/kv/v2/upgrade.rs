//! From version 1 to version 2, in place: what lies at the root of the mount's storage becomes the first version of its
//! key. Each secret moves by itself, so that a kill at any instant loses nothing and the next start goes on.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::value::RawValue;
use tenon::{Error, Key, Prefix, Result};
use tokio::{sync::watch, task::AbortHandle, time};

use super::{
    record::{Attribution, Record},
    settings::Settings,
    store::Store,
};

/// Its presence says that nothing of version 1 is left.
const DONE: &str = "upgrade";

/// Clients that come right after the mount was made get this much patience before they are sent away.
const PATIENCE: Duration = Duration::from_millis(15);

/// How many names are looked at together.
const PAGE: usize = 512;

/// The first pause after a failure, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How far the upgrade of a mount is.
pub(super) struct Upgrade {
    pending: watch::Sender<bool>,
    /// Whether the mark has been seen.
    marked: bool,
    running: Mutex<Option<AbortHandle>>,
}

impl Upgrade {
    /// Looks whether there is anything to do.
    pub(super) async fn look(store: &Store) -> Result<Self> {
        let marked = is_marked(store).await?;
        let pending = !marked && has_secrets_of_v1(store).await?;
        Ok(Self { pending: watch::Sender::new(pending), marked, running: Mutex::default() })
    }

    /// Lets a request pass, unless there is data that still has to be moved.
    ///
    /// # Errors
    /// The sentence on which clients wait and try again.
    pub(super) async fn passed(&self, store: &Store) -> Result<()> {
        if !*self.pending.borrow() {
            return Ok(());
        }
        let mut pending = self.pending.subscribe();
        if time::timeout(PATIENCE, pending.wait_for(|pending| !pending)).await.is_ok() {
            return Ok(());
        }
        // On a standby it is another node that moves the data.
        if is_marked(store).await? {
            self.pending.send_replace(false);
            return Ok(());
        }
        Err(Error::refused(
            "Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period and \
             will resume service shortly.",
        ))
    }

    /// Starts to move the data, now that storage takes writes.
    pub(super) async fn start(self: &Arc<Self>, store: &Arc<Store>) -> Result<()> {
        if self.marked {
            return Ok(());
        }
        if !*self.pending.borrow() {
            return match mark(store).await? {
                // A standby need not leave the mark.
                Err(storage::Error::ReadOnly) => Ok(()),
                marked => Ok(marked?),
            };
        }
        let (upgrade, store) = (Arc::clone(self), Arc::clone(store));
        let task = tokio::spawn(async move { upgrade.run(&store).await });
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.abort_handle());
        Ok(())
    }

    /// Stops wherever it is; the next start goes on from there.
    pub(super) fn stop(&self) {
        if let Some(task) = self.running.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }

    async fn run(&self, store: &Store) {
        let mut pause = PAUSES.0;
        loop {
            match move_all(store).await {
                Ok(()) => break,
                Err(error) => {
                    tracing::warn!(%error, "upgrading a kv mount to version 2 failed; it goes on in a while");
                    time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
        self.pending.send_replace(false);
    }
}

async fn is_marked(store: &Store) -> Result<bool> {
    Ok(store.storage().get(&store.key(DONE)?).await?.is_some())
}

async fn mark(store: &Store) -> Result<storage::Result<()>> {
    Ok(store.storage().put(store.key(DONE)?, r#"{"done":true}"#.into()).await)
}

async fn has_secrets_of_v1(store: &Store) -> Result<bool> {
    // Two names are enough: one of them may be our own folder.
    let names = store.storage().page(&Prefix::ALL, "", 2).await?;
    Ok(names.iter().any(|name| name != store.root()))
}

async fn move_all(store: &Store) -> Result<()> {
    if is_marked(store).await? {
        return Ok(());
    }
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let prefix: Prefix = folder.parse()?;
        let mut after = String::new();
        loop {
            let names = store.storage().page(&prefix, &after, PAGE).await?;
            let Some(last) = names.last() else { break };
            after.clone_from(last);
            for name in names {
                let path = format!("{folder}{name}");
                if path == store.root() {
                    continue;
                }
                if path.ends_with('/') {
                    folders.push(path);
                } else {
                    move_one(store, &path).await?;
                }
            }
        }
    }
    Ok(mark(store).await??)
}

async fn move_one(store: &Store, path: &str) -> Result<()> {
    let old: Key = path.parse()?;
    let Some(data) = store.storage().get(&old).await? else { return Ok(()) };
    let Ok(data) = serde_json::from_slice::<Box<RawValue>>(&data) else {
        tracing::warn!(path, "left a value that is no JSON where it is");
        return Ok(());
    };
    let now = Timestamp::now();
    let mut record = Record::new(now);
    let by = Attribution {
        actor: "kv_upgrade".to_owned(),
        operation: "upgrade".to_owned(),
        entity_id: String::new(),
        client_id: String::new(),
    };
    record.add_version(now, by, &Settings::default());
    store.adopt(path, &mut record, data, old).await
}
