use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::Reason;

use crate::{
    Result,
    entry::Entry,
    host::Host,
    process::{Live, Terms},
    supervisor::Supervised,
};

/// Which process serves which mount: one for all mounts of a plugin that can share it, else one for each.
#[derive(Debug)]
pub struct Processes {
    host: Arc<Host>,
    all: Mutex<HashMap<Place, Arc<Supervised>>>,
}

/// What tells processes apart: the plugin, and the mount if the process serves that one only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    entry: Arc<Entry>,
    only: Option<String>,
}

/// A mount's place in a process.
#[derive(Clone, Debug)]
pub struct Berth {
    place: Place,
    uuid: String,
    supervised: Arc<Supervised>,
}

impl Berth {
    /// Which plugin.
    pub const fn entry(&self) -> &Arc<Entry> {
        &self.place.entry
    }
}

impl Processes {
    /// No processes yet.
    pub fn new(host: Arc<Host>) -> Self {
        Self { host, all: Mutex::default() }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Place, Arc<Supervised>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a mount. Nothing is started by this.
    pub fn join(&self, entry: &Arc<Entry>, uuid: &str, path: &str) -> Berth {
        let alone = self.host.config.never_shared.contains(&entry.name);
        let only = Place { entry: Arc::clone(entry), only: Some(uuid.to_owned()) };
        let shared = Place { entry: Arc::clone(entry), only: None };
        let all = self.all();
        let place = if alone || all.contains_key(&only) { only } else { shared };
        self.enter(all, place, uuid, path)
    }

    fn enter(
        &self,
        mut all: MutexGuard<'_, HashMap<Place, Arc<Supervised>>>,
        place: Place,
        uuid: &str,
        path: &str,
    ) -> Berth {
        let supervised = all.entry(place.clone()).or_insert_with(|| {
            let terms = Terms { limit: self.host.config.start_deadline, may_share: place.only.is_none() };
            Arc::new(Supervised::new(Arc::clone(&self.host), Arc::clone(&place.entry), terms))
        });
        // Still under the lock: a process cannot lose its last mount in between.
        supervised.members.add(uuid, path);
        Berth { place, uuid: uuid.to_owned(), supervised: Arc::clone(supervised) }
    }

    /// The running process of a place. A plugin that turns out not to share gets a process for this mount alone, and
    /// the place changes.
    pub async fn running(&self, berth: &mut Berth, path: &str) -> Result<Arc<Live>> {
        let live = berth.supervised.running().await?;
        if live.multiplexed || berth.place.only.is_some() || berth.supervised.members.is_founder(&berth.uuid)
        {
            return Ok(live);
        }
        drop(live);
        let only = Place { entry: Arc::clone(&berth.place.entry), only: Some(berth.uuid.clone()) };
        let own = self.enter(self.all(), only, &berth.uuid, path);
        let shared = std::mem::replace(berth, own);
        self.leave(shared, Reason::Disabled).await;
        berth.supervised.running().await
    }

    /// The mount gives its place up; the process ends with its last mount. Returns when nothing of it is left.
    pub async fn leave(&self, berth: Berth, reason: Reason) {
        let last = {
            let mut all = self.all();
            let last = berth.supervised.members.remove(&berth.uuid);
            if last && all.get(&berth.place).is_some_and(|held| Arc::ptr_eq(held, &berth.supervised)) {
                all.remove(&berth.place);
            }
            last
        };
        if last {
            berth.supervised.stop(reason).await;
        }
    }

    /// Every process there is.
    pub fn list(&self) -> Vec<Arc<Supervised>> {
        self.all().values().cloned().collect()
    }
}
