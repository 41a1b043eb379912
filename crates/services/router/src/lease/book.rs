use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use domain::{LeaseQueue, Places};
use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use wire::launcher::v1::LauncherSeam;

use super::record::{Record, key, millis};
use crate::{error::Result, mounts::Mounts, store::Store, turns::Turns};

/// How many revocations of leases whose time is over may be at work.
const PLACES: Places = Places { all: 256, of_a_mount: 32 };

/// All leases. Whatever is changed here is stored first.
pub(crate) struct Leases {
    pub(super) store: Store,
    pub(super) mounts: Arc<Mounts>,
    pub(super) launcher: LauncherSeam,
    /// The pause after the first failed revocation.
    pub(super) retry: Duration,
    queue: Mutex<LeaseQueue>,
    /// Something may be due earlier than was thought.
    pub(super) changed: Arc<Notify>,
    /// Somebody has finished work on a lease.
    pub(super) released: Notify,
    /// Of changes of stored leases, by their keys. Never held while a plugin works.
    pub(super) turns: Turns,
    /// What is stored has been read.
    pub(super) loaded: watch::Sender<bool>,
    pub(super) stop: CancellationToken,
    pub(super) tidying: AtomicBool,
}

impl Leases {
    pub(crate) fn new(store: Store, mounts: Arc<Mounts>, launcher: LauncherSeam, retry: Duration) -> Self {
        Self {
            store,
            mounts,
            launcher,
            retry,
            queue: Mutex::new(LeaseQueue::new(PLACES)),
            changed: Arc::default(),
            released: Notify::new(),
            turns: Turns::default(),
            loaded: watch::Sender::new(false),
            stop: CancellationToken::new(),
            tidying: AtomicBool::new(false),
        }
    }

    /// Held for a moment only, never while something is awaited.
    pub(super) fn queue(&self) -> MutexGuard<'_, LeaseQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all that is stored is known.
    pub(super) async fn wait_until_loaded(&self) -> Result<()> {
        let mut loaded = self.loaded.subscribe();
        let known = self.stop.run_until_cancelled(loaded.wait_for(|loaded| *loaded)).await;
        match known {
            Some(_) => Ok(()),
            // Nobody reads on.
            None => Err(self.mounts.why_over()),
        }
    }

    /// The names directly below a path, sorted; those that have more below them end in `/`.
    pub(crate) async fn children(&self, prefix: &str) -> Result<Vec<String>> {
        self.wait_until_loaded().await?;
        let prefix = prefix.trim_end_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(self.queue().children(&prefix))
    }

    /// The leases that nobody tries to revoke any more, each with the accessor of its mount, or the uuid of one that is
    /// gone.
    pub(crate) async fn irrevocable(&self) -> Result<Vec<(Arc<str>, String)>> {
        self.wait_until_loaded().await?;
        let snapshot = self.mounts.snapshot();
        let entries =
            snapshot.iter().map(|(_, mount)| (mount.entry.uuid.as_str(), mount.entry.accessor.as_str()));
        let accessors: HashMap<&str, &str> = entries.collect();
        let queue = self.queue();
        let shown = |uuid: &str| (*accessors.get(uuid).unwrap_or(&uuid)).to_owned();
        Ok(queue.irrevocable().map(|(id, uuid)| (id.clone(), shown(uuid))).collect())
    }

    /// How many there are, as far as is known.
    pub(crate) fn count(&self) -> usize {
        self.queue().len()
    }

    /// How many a mount has, likewise.
    pub(crate) fn count_of_mount(&self, uuid: &str) -> usize {
        self.queue().count(uuid)
    }

    /// How many there are below a prefix, likewise.
    pub(crate) fn count_below(&self, prefix: &str) -> usize {
        self.queue().below(prefix).count()
    }

    pub(crate) async fn read(&self, id: &str) -> Result<Option<Record>> {
        self.store.read(&key(id)).await
    }

    /// Stores a new lease.
    pub(super) async fn add(&self, record: &Record) -> Result<()> {
        let _turn = self.turns.change(&key(&record.id)).await;
        self.keep(record).await
    }

    /// Leaves nothing of a lease. Whoever has read it to change it has stored that by now, or finds it gone.
    pub(super) async fn remove(&self, record: &Record) -> Result<()> {
        let _turn = self.turns.change(&key(&record.id)).await;
        self.store.commit(record.removals()).await?;
        self.queue().remove(&record.id);
        Ok(())
    }

    /// Stores a lease, or what has changed about it, and sees to it that it ends in its time. For whose turn it is.
    pub(super) async fn keep(&self, record: &Record) -> Result<()> {
        self.store.commit(record.writes()).await?;
        self.watch(&record.id, &record.mount, record.ends);
        Ok(())
    }

    pub(super) fn watch(&self, id: &str, mount: &str, ends: Timestamp) {
        self.queue().put(id, mount, millis(ends));
        self.changed.notify_one();
    }

    /// The mount that a path belongs to.
    pub(super) fn mount_at(&self, path: &str) -> String {
        let snapshot = self.mounts.snapshot();
        snapshot.resolve(path).map(|(_, mount, _)| mount.entry.uuid.clone()).unwrap_or_default()
    }
}

impl fmt::Debug for Leases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leases").field("count", &self.queue().len()).finish_non_exhaustive()
    }
}
