use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use domain::Reason;

use crate::{
    Result,
    entry::Entry,
    host::Host,
    process::{Live, Terms},
    supervised::Supervised,
};

/// Which process serves which mount: one for all mounts of a plugin that can share it, else one for each.
#[derive(Debug)]
pub struct Processes {
    host: Arc<Host>,
    all: Mutex<All>,
    /// As many places were given out so far.
    berths: AtomicU64,
}

#[derive(Debug, Default)]
struct All {
    places: HashMap<Place, Arc<Supervised>>,
    /// The latest round of each plugin that was reloaded.
    rounds: HashMap<Arc<Entry>, u64>,
}

type Guard<'a> = MutexGuard<'a, All>;

/// What tells processes apart: the plugin, and the mount if the process serves that one only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    entry: Arc<Entry>,
    only: Option<String>,
    /// Counts the reloads of the plugin: a reloaded mount moves to a process of a later round.
    round: u64,
}

/// A mount's place in a process.
#[derive(Clone, Debug)]
pub struct Berth {
    place: Place,
    uuid: String,
    number: u64,
    supervised: Arc<Supervised>,
}

impl Berth {
    /// Which plugin.
    pub const fn entry(&self) -> &Arc<Entry> {
        &self.place.entry
    }

    /// Whether the two are the same place, in the same process.
    pub fn is(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl All {
    /// The round that follows the one that a place is in: others may have begun it already.
    fn round_after(&mut self, berth: &Berth) -> u64 {
        let newest = self.rounds.entry(Arc::clone(berth.entry())).or_default();
        if *newest == berth.place.round {
            *newest += 1;
        }
        *newest
    }
}

impl Processes {
    /// No processes yet.
    pub fn new(host: Arc<Host>) -> Self {
        Self { host, all: Mutex::default(), berths: AtomicU64::new(0) }
    }

    fn all(&self) -> Guard<'_> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a mount. Nothing is started by this.
    pub fn join(&self, entry: &Arc<Entry>, uuid: &str, path: &str) -> Berth {
        let all = self.all();
        let round = all.rounds.get(entry).copied().unwrap_or_default();
        self.enter_round(all, entry, uuid, path, round)
    }

    /// A place in a later process of the same plugin: the one that other mounts have moved to already, or a new one.
    pub fn renew(&self, berth: &Berth, path: &str) -> Berth {
        let mut all = self.all();
        let round = all.round_after(berth);
        self.enter_round(all, berth.entry(), &berth.uuid, path, round)
    }

    /// Whoever comes from now on, gets a place in a later process than this one is in.
    pub fn supersede(&self, berth: &Berth) {
        self.all().round_after(berth);
    }

    fn enter_round(&self, all: Guard<'_>, entry: &Arc<Entry>, uuid: &str, path: &str, round: u64) -> Berth {
        let alone = self.host.config.never_shared.contains(&entry.name);
        let only = Place { entry: Arc::clone(entry), only: Some(uuid.to_owned()), round };
        let shared = Place { only: None, ..only.clone() };
        let place = if alone || all.places.contains_key(&only) { only } else { shared };
        self.enter(all, place, uuid, path)
    }

    fn enter(&self, mut all: Guard<'_>, place: Place, uuid: &str, path: &str) -> Berth {
        let supervised = all.places.entry(place.clone()).or_insert_with(|| {
            let (limit, may_share) = (self.host.config.start_deadline, place.only.is_none());
            let terms = Terms { limit, may_share, only_asked: false };
            Arc::new(Supervised::new(Arc::clone(&self.host), Arc::clone(&place.entry), terms))
        });
        // Still under the lock: a process cannot lose its last mount in between.
        let number = self.berths.fetch_add(1, Ordering::Relaxed);
        supervised.members.add(number, path);
        Berth { place, uuid: uuid.to_owned(), number, supervised: Arc::clone(supervised) }
    }

    /// The running process of a place. A plugin that turns out not to share gets a process for this mount alone, and
    /// the place changes.
    pub async fn running(&self, berth: &mut Berth, path: &str) -> Result<Arc<Live>> {
        let live = berth.supervised.running().await?;
        if live.multiplexed || berth.place.only.is_some() || berth.supervised.members.is_founder(berth.number)
        {
            return Ok(live);
        }
        drop(live);
        let only = Place { only: Some(berth.uuid.clone()), ..berth.place.clone() };
        let own = self.enter(self.all(), only, &berth.uuid, path);
        let shared = std::mem::replace(berth, own);
        self.leave(shared, Reason::Disabled).await;
        berth.supervised.running().await
    }

    /// The mount gives its place up; the process ends with its last mount. Returns when nothing of it is left.
    pub async fn leave(&self, berth: Berth, reason: Reason) {
        let last = {
            let mut all = self.all();
            let last = berth.supervised.members.remove(berth.number);
            let place = &berth.place;
            if last && all.places.get(place).is_some_and(|held| Arc::ptr_eq(held, &berth.supervised)) {
                all.places.remove(place);
                if !all.places.keys().any(|other| other.entry == place.entry) {
                    all.rounds.remove(&place.entry);
                }
            }
            last
        };
        if last {
            berth.supervised.stop(reason).await;
        }
    }

    /// Every process there is.
    pub fn list(&self) -> Vec<Arc<Supervised>> {
        self.all().places.values().cloned().collect()
    }
}
