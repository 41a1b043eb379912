//! The connections that are open.

use std::{
    collections::HashMap,
    ops::Deref,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tenon::{
    Reason,
    database::{Database, Error, Opened, Result, Settings},
};
use tokio::{
    sync::{OwnedRwLockReadGuard, RwLock, RwLockWriteGuard},
    time::timeout,
};

/// How long a connection that ends waits for those who use it.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a plugin may take to reach its database, and to change the root user.
pub(super) const LIMIT: Duration = Duration::from_secs(60);

/// How long a plugin may take to close a connection.
const CLOSING: Duration = Duration::from_secs(5);

/// All connections, by name.
#[derive(Default)]
pub(super) struct Connections(Mutex<HashMap<String, Arc<Slot>>>);

/// The place of one connection.
#[derive(Default)]
pub(super) struct Slot {
    /// Whoever opens, changes or ends the connection has its turn. Who only uses it does not come here.
    pub(super) turn: tokio::sync::Mutex<()>,
    live: Mutex<Option<Arc<Live>>>,
}

/// A connection that is open.
pub(super) struct Live {
    database: Arc<dyn Database>,
    /// Held for reading by those who use it.
    in_use: Arc<RwLock<()>>,
    ended: AtomicBool,
}

/// A connection that does not end while this is held, unless that takes too long.
pub(super) struct InUse {
    live: Arc<Live>,
    _guard: OwnedRwLockReadGuard<()>,
}

impl Deref for InUse {
    type Target = dyn Database;

    fn deref(&self) -> &Self::Target {
        self.live.database.as_ref()
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connections {
    /// The place of a connection.
    pub(super) fn slot(&self, name: &str) -> Arc<Slot> {
        let mut slots = held(&self.0);
        if let Some(slot) = slots.get(name) {
            return Arc::clone(slot);
        }
        // Anybody can name connections that never were. Slots are shared out under this lock only: nobody else has one
        // that is counted once.
        slots.retain(|_, slot| Arc::strong_count(slot) > 1 || held(&slot.live).is_some());
        Arc::clone(slots.entry(name.to_owned()).or_default())
    }
}

impl Slot {
    /// The connection, if it is open.
    pub(super) fn live(&self) -> Option<Arc<Live>> {
        held(&self.live).clone().filter(|live| !live.ended.load(Ordering::Acquire))
    }

    /// From now on this is used. The one before, if any, is for the caller to end.
    pub(super) fn put(&self, live: Option<Arc<Live>>) -> Option<Arc<Live>> {
        std::mem::replace(&mut *held(&self.live), live)
    }

    /// Ends the connection, if it is open.
    pub(super) async fn end(&self, reason: Reason) {
        if let Some(live) = self.put(None) {
            live.end(reason).await;
        }
    }
}

impl Live {
    /// A connection that was just opened, brought to its database; and what it is to be kept as. One that does not get
    /// there is closed.
    pub(super) async fn initialized(
        opened: Opened,
        settings: Settings,
        verify: bool,
        reason: Reason,
    ) -> Result<(Arc<Self>, Settings)> {
        let live = Self { database: opened.database, in_use: Arc::default(), ended: AtomicBool::new(false) };
        let initialized = in_time(live.database.initialize(settings, verify)).await;
        match initialized {
            Ok(settings) => Ok((Arc::new(live), settings)),
            Err(error) => {
                live.close(reason).await;
                Err(error)
            }
        }
    }

    /// The connection, for use; none: it has ended.
    pub(super) async fn enter(self: Arc<Self>) -> Option<InUse> {
        let guard = Arc::clone(&self.in_use).read_owned().await;
        let ended = self.ended.load(Ordering::Acquire);
        (!ended).then_some(InUse { live: self, _guard: guard })
    }

    /// The connection, for one alone: the others wait. None: it is in use all the time.
    pub(super) async fn alone(&self) -> Option<(RwLockWriteGuard<'_, ()>, &dyn Database)> {
        let guard = timeout(PATIENCE, self.in_use.write()).await.ok()?;
        Some((guard, self.database.as_ref()))
    }

    /// Nobody begins to use it any more.
    pub(super) fn expire(&self) {
        self.ended.store(true, Ordering::Release);
    }

    /// Lets those who use it end, and closes it.
    pub(super) async fn end(&self, reason: Reason) {
        self.expire();
        let alone = timeout(PATIENCE, self.in_use.write()).await;
        if alone.is_err() {
            tracing::warn!("a database connection ends while it is in use");
        }
        self.close(reason).await;
    }

    async fn close(&self, reason: Reason) {
        match timeout(CLOSING, self.database.close(reason)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a database plugin did not close its connection"),
            Err(_) => tracing::warn!("a database plugin takes too long to close its connection"),
        }
    }
}

/// What a plugin does while the connection's turn is taken may not take for ever.
pub(super) async fn in_time<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let late = |_| Error::Failed(format!("the database did not answer within {LIMIT:?}"));
    timeout(LIMIT, work).await.map_err(late)?
}
