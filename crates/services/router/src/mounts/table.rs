use std::{error::Error as _, fmt, sync::Arc};

use domain::{Kind, LeaseLimits, MountEntry, MountFacts, MountPath, MountTable, PluginVersion};
use quick_cache::sync::Cache;
use tokio::sync::{Mutex, MutexGuard, RwLockReadGuard, watch};

use super::{
    Launch, Mount, Move,
    record::{self, Record},
};
use crate::{
    Error,
    error::Result,
    identity::Identity,
    mounts::Refusal,
    namespaces::{NamespaceRefusal, Namespaces},
    store::Store,
};

/// One state of the mount table; a request reads it from start to end.
pub(crate) type Snapshot = Arc<MountTable<Arc<Mount>>>;

/// How many moves are remembered.
const MOVES: usize = 1000;

/// All mounts, and the only way to change them. A change is stored before it is visible.
pub(crate) struct Mounts {
    pub(super) store: Store,
    pub(super) launch: Launch,
    pub(crate) identity: Arc<Identity>,
    pub(super) namespaces: Arc<Namespaces>,
    pub(super) table: watch::Sender<Snapshot>,
    /// Changes take turns. Never held across a call into a plugin; requests do not come here.
    pub(super) turn: Mutex<()>,
    pub(super) moves: Cache<String, Arc<Move>>,
}

impl Mounts {
    pub(super) fn with(
        store: Store,
        launch: Launch,
        identity: Arc<Identity>,
        namespaces: Arc<Namespaces>,
        table: MountTable<Arc<Mount>>,
    ) -> Self {
        let table = watch::Sender::new(Arc::new(table));
        Self { store, launch, identity, namespaces, table, turn: Mutex::new(()), moves: Cache::new(MOVES) }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.table.borrow().clone()
    }

    pub(crate) fn get(&self, path: &MountPath) -> Option<Arc<Mount>> {
        self.table.borrow().get(path).cloned()
    }

    pub(crate) fn ttl(&self, entry: &MountEntry) -> LeaseLimits {
        self.launch.ttl(entry)
    }

    /// How long what is issued below a path lasts; none: nothing is mounted there.
    pub(crate) fn ttl_at(&self, path: &str) -> Option<LeaseLimits> {
        self.table.borrow().resolve(path).map(|(_, mount, _)| self.ttl(&mount.entry))
    }

    /// Makes sure that the launcher has the mount; its plugin starts with the first request that needs it.
    pub(crate) async fn make_ready(&self, mount: &Mount) -> Result<()> {
        if mount.is_ready() {
            return Ok(());
        }
        if let Some(reason) = mount.damage.clone() {
            return Err(Refusal::Degraded { at: mount.entry.path.clone(), reason }.into());
        }
        // Boxed, because every request carries the room for it, and few need it.
        Box::pin(self.start(mount)).await.map_err(unavailable)
    }

    async fn start(&self, mount: &Mount) -> Result<()> {
        let _stays = self.starting(mount).await?;
        let started = self.launch.again(&mount.entry).await;
        self.note_start(mount, &mount.entry.plugin_version, started).await
    }

    /// While its plugin may be started.
    pub(super) async fn starting<'m>(&self, mount: &'m Mount) -> Result<RwLockReadGuard<'m, bool>> {
        let stays = mount.stay().await;
        let stays = stays.ok_or_else(|| Error::NoHandler(mount.entry.path.to_string()))?;
        self.store.check_term()?;
        Ok(stays)
    }

    /// Why what is known here counts no more.
    pub(crate) fn why_over(&self) -> Error {
        match self.namespaces.root() {
            Err(closed) => closed,
            Ok(_) => NamespaceRefusal::Removing(self.launch.namespace.path.clone()).into(),
        }
    }

    /// Waits until no plugin is being started for any of them.
    pub(crate) async fn settle(&self) {
        for (_, mount) in self.snapshot().iter() {
            mount.settle().await;
        }
    }

    /// Keeps what a start of its plugin has shown about a mount.
    pub(super) async fn note_start(
        &self,
        mount: &Mount,
        version: &PluginVersion,
        started: Result<MountFacts>,
    ) -> Result<()> {
        match started {
            Ok(facts) => {
                if mount.started(facts, version.clone()) {
                    self.keep_facts(mount).await;
                }
                Ok(())
            }
            Err(Error::Sealed) => Err(Error::Sealed),
            Err(error) => {
                tracing::warn!(mount = %mount.entry.path, error = %error, "a mount is degraded");
                mount.failed(error.to_string());
                Err(error)
            }
        }
    }

    /// Stores what the plugin said about itself, so that it is known before it runs again. Failing to costs nothing:
    /// it is asked again at the next start.
    async fn keep_facts(&self, mount: &Mount) {
        let _turn = self.turn.lock().await;
        let current = self.get(&mount.entry.path).filter(|current| current.entry.uuid == mount.entry.uuid);
        let Some(current) = current.filter(|current| current.serves() && current.damage.is_none()) else {
            return;
        };
        if let Err(error) = self.persist(&current).await {
            tracing::warn!(mount = %mount.entry.path, error = &error as &dyn std::error::Error,
                cause = error.source(), "what a plugin said about itself is not stored");
        }
    }

    /// While this is held no mount comes, moves or goes.
    pub(crate) async fn keep_still(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Whether a path leads into a namespace below, where it is that namespace's to say what is mounted. The caller has
    /// its turn.
    pub(super) fn refuse_place(&self, path: &MountPath) -> Result<()> {
        let own = &self.launch.namespace.path;
        if self.namespaces.get(own)?.is_none_or(|known| known.record.removing) {
            return Err(NamespaceRefusal::Removing(own.clone()).into());
        }
        let first = path.as_str().split_inclusive('/').next().unwrap_or_default();
        match self
            .namespaces
            .list(own, false)?
            .iter()
            .find(|known| own.relative(&known.record.path) == Some(first))
        {
            Some(_) => Err(Refusal::Namespace(path.clone()).into()),
            None => Ok(()),
        }
    }

    pub(super) async fn persist(&self, mount: &Mount) -> Result<()> {
        self.store.write(record::key(&mount.entry.uuid), &Record::of(mount)).await
    }

    /// Makes a changed table visible.
    pub(super) fn publish<T>(&self, change: impl FnOnce(&mut MountTable<Arc<Mount>>) -> T) -> T {
        let mut table = (**self.table.borrow()).clone();
        let outcome = change(&mut table);
        self.table.send_replace(Arc::new(table));
        outcome
    }
}

/// Whoever uses a mount whose plugin does not start has made no mistake.
fn unavailable(error: Error) -> Error {
    match error {
        Error::Below(mut failure) if !matches!(failure.kind, Kind::Timeout | Kind::Internal) => {
            failure.kind = Kind::Unavailable;
            Error::Below(failure)
        }
        other => other,
    }
}

impl fmt::Debug for Mounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mounts").field("count", &self.table.borrow().iter().count()).finish_non_exhaustive()
    }
}
