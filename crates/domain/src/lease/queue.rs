use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    ops::Bound::{Excluded, Included, Unbounded},
    sync::Arc,
};

use super::lane::Lane;

/// What stands for the time of a lease that is not revoked any more when its time is over.
const NEVER: u64 = u64::MAX;

/// How many revocations may be at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// Altogether.
    pub all: usize,
    /// Of one mount.
    pub of_a_mount: usize,
}

/// What the queue has for somebody who asks at a certain time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// This lease is due, and is the caller's until it says what became of it.
    Now(Arc<str>),
    /// None before that time.
    At(u64),
    /// None, until something else happens.
    Nothing,
}

/// Which leases there are, and which of them is due: an id and a time for each, all else is stored. Times are
/// milliseconds since 1970; the queue has no clock.
#[derive(Debug)]
pub struct LeaseQueue {
    places: Places,
    leases: BTreeMap<Arc<str>, Place>,
    lanes: HashMap<Arc<str>, Lane>,
    /// The lanes that can be worked on, by the time of their first lease.
    ready: BTreeSet<(u64, Arc<str>)>,
    at_work: usize,
    /// While what is stored is being read: what has ended since, so that it does not come back.
    ended_while_loading: Option<HashSet<Arc<str>>>,
}

#[derive(Debug)]
struct Place {
    lane: Arc<str>,
    due: u64,
    /// How often its revocation has failed.
    failures: u8,
    claimed: Claimed,
}

/// Who works on a lease. Nobody else does then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claimed {
    No,
    /// Somebody who asked for this lease.
    ByName,
    /// Somebody who asked for what is due.
    AsDue,
}

impl LeaseQueue {
    /// Empty, and waiting to be told what is stored.
    pub fn new(places: Places) -> Self {
        Self {
            places,
            leases: BTreeMap::new(),
            lanes: HashMap::new(),
            ready: BTreeSet::new(),
            at_work: 0,
            ended_while_loading: Some(HashSet::new()),
        }
    }

    /// A lease that was made, or that is due at another time than before.
    pub fn put(&mut self, id: &str, lane: &str, due: u64) {
        match self.leases.get(id) {
            Some(_) => self.move_to(id, due.min(NEVER - 1)),
            None => self.add(id.into(), lane, due.min(NEVER - 1)),
        }
    }

    /// A lease as it is stored; what is known already is newer. Without a time it is irrevocable.
    pub fn load(&mut self, id: &str, lane: &str, due: Option<u64>) {
        let ended = self.ended_while_loading.as_ref().is_some_and(|ended| ended.contains(id));
        if !ended && !self.leases.contains_key(id) {
            self.add(id.into(), lane, due.map_or(NEVER, |due| due.min(NEVER - 1)));
        }
    }

    /// All that is stored is known now.
    pub fn loaded(&mut self) {
        self.ended_while_loading = None;
    }

    /// What is due at a time. The lease belongs to the caller, who says in the end what became of it.
    pub fn next(&mut self, now: u64) -> Due {
        let Some((due, name)) = self.ready.first().cloned() else { return Due::Nothing };
        if self.at_work >= self.places.all {
            return Due::Nothing;
        }
        if due > now {
            return Due::At(due);
        }
        let Some((_, id)) = self.lanes.get(&name).and_then(|lane| lane.waiting.first().cloned()) else {
            return Due::Nothing;
        };
        self.take(&id, Claimed::AsDue);
        Due::Now(id)
    }

    /// Takes one lease; false when it is not there, or somebody else has it.
    pub fn claim(&mut self, id: &str) -> bool {
        let free = self.leases.get(id).is_some_and(|place| place.claimed == Claimed::No);
        if free {
            self.take(id, Claimed::ByName);
        }
        free
    }

    /// A claimed lease goes back, unchanged or with what was put in the meantime.
    pub fn release(&mut self, id: &str) {
        self.give_back(id, true);
    }

    /// A claimed lease could not be revoked: it is due again at that time.
    pub fn failed(&mut self, id: &str, again: u64) {
        let Some(place) = self.leases.get_mut(id) else { return };
        place.failures = place.failures.saturating_add(1);
        place.due = again.min(NEVER - 1);
        self.give_back(id, false);
    }

    /// How often the revocation of a lease has failed.
    pub fn failures(&self, id: &str) -> u8 {
        self.leases.get(id).map_or(0, |place| place.failures)
    }

    /// A lease that is not revoked any more when its time is over, though it is kept.
    pub fn give_up(&mut self, id: &str) {
        if self.leases.contains_key(id) {
            self.move_to(id, NEVER);
            self.give_back(id, false);
        }
    }

    /// A lease that is over.
    pub fn remove(&mut self, id: &str) {
        if let Some(ended) = &mut self.ended_while_loading {
            ended.insert(id.into());
        }
        let Some((id, place)) = self.leases.remove_entry(id) else { return };
        let lane = self.lanes.entry(place.lane.clone()).or_default();
        lane.leases = lane.leases.saturating_sub(1);
        lane.waiting.remove(&(place.due, id));
        if place.claimed == Claimed::AsDue {
            self.at_work = self.at_work.saturating_sub(1);
            lane.ended(true);
        }
        self.list(&place.lane);
    }

    /// Whether there is such a lease.
    pub fn contains(&self, id: &str) -> bool {
        self.leases.contains_key(id)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.leases.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    /// How many a mount has.
    pub fn count(&self, lane: &str) -> usize {
        self.lanes.get(lane).map_or(0, |lane| lane.leases)
    }

    /// The leases below a prefix, sorted.
    pub fn below<'q>(&'q self, prefix: &'q str) -> impl Iterator<Item = &'q Arc<str>> {
        let range = self.leases.range::<str, _>((Included(prefix), Unbounded));
        range.map(|(id, _)| id).take_while(move |id| id.starts_with(prefix))
    }

    /// The leases of a mount, sorted, and whether they are revoked when their time is over.
    pub fn of_mount<'q>(&'q self, lane: &'q str) -> impl Iterator<Item = (&'q Arc<str>, bool)> {
        let own = self.leases.iter().filter(move |(_, place)| &*place.lane == lane);
        own.map(|(id, place)| (id, place.due != NEVER))
    }

    /// The leases that are not revoked any more, and their mounts.
    pub fn irrevocable(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.leases.iter().filter(|(_, place)| place.due == NEVER).map(|(id, place)| (id, &place.lane))
    }

    /// The names directly below a prefix, sorted; those that have more below them end in `/`.
    pub fn children(&self, prefix: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut from = Included(prefix.to_owned());
        loop {
            let after = from.as_ref().map(String::as_str);
            let Some((id, _)) = self.leases.range::<str, _>((after, Unbounded)).next() else { break };
            let Some(rest) = id.strip_prefix(prefix) else { break };
            let child = rest.find('/').map_or(rest, |slash| &rest[..=slash]);
            // All that begins with `name/` is one child; `0` is the character after the slash.
            from = match child.strip_suffix('/') {
                Some(name) => Included(format!("{prefix}{name}0")),
                None => Excluded(id.to_string()),
            };
            found.push(child.to_owned());
        }
        found
    }

    fn add(&mut self, id: Arc<str>, lane: &str, due: u64) {
        let name = self.lanes.get_key_value(lane).map_or_else(|| lane.into(), |(name, _)| name.clone());
        let lane = self.lanes.entry(name.clone()).or_default();
        lane.leases += 1;
        if due != NEVER {
            lane.waiting.insert((due, id.clone()));
        }
        self.leases.insert(id, Place { lane: name.clone(), due, failures: 0, claimed: Claimed::No });
        self.list(&name);
    }

    fn move_to(&mut self, id: &str, due: u64) {
        let Some((id, place)) = self.leases.get_key_value(id) else { return };
        let (id, name, before, free) =
            (id.clone(), place.lane.clone(), place.due, place.claimed == Claimed::No);
        if let Some(place) = self.leases.get_mut(&id) {
            place.due = due;
            place.failures = 0;
        }
        let lane = self.lanes.entry(name.clone()).or_default();
        lane.waiting.remove(&(before, id.clone()));
        if free && due != NEVER {
            lane.waiting.insert((due, id));
        }
        self.list(&name);
    }

    fn take(&mut self, id: &str, how: Claimed) {
        let Some((id, _)) = self.leases.get_key_value(id) else { return };
        let id = id.clone();
        let Some(place) = self.leases.get_mut(&id) else { return };
        place.claimed = how;
        let (name, due) = (place.lane.clone(), place.due);
        let lane = self.lanes.entry(name.clone()).or_default();
        lane.waiting.remove(&(due, id));
        if how == Claimed::AsDue {
            lane.at_work += 1;
            self.at_work += 1;
        }
        self.list(&name);
    }

    fn give_back(&mut self, id: &str, well: bool) {
        let Some((id, _)) = self.leases.get_key_value(id) else { return };
        let id = id.clone();
        let Some(place) = self.leases.get_mut(&id) else { return };
        let claimed = std::mem::replace(&mut place.claimed, Claimed::No);
        let (name, due) = (place.lane.clone(), place.due);
        let lane = self.lanes.entry(name.clone()).or_default();
        if claimed == Claimed::AsDue {
            self.at_work = self.at_work.saturating_sub(1);
            lane.ended(well);
        }
        if claimed != Claimed::No && due != NEVER {
            lane.waiting.insert((due, id));
        }
        self.list(&name);
    }

    /// Puts a lane where it belongs among those that can be worked on.
    fn list(&mut self, name: &Arc<str>) {
        let Some(lane) = self.lanes.get_mut(name) else { return };
        let next = lane.next(self.places.of_a_mount);
        if lane.listed != next {
            if let Some(before) = lane.listed {
                self.ready.remove(&(before, name.clone()));
            }
            if let Some(next) = next {
                self.ready.insert((next, name.clone()));
            }
            lane.listed = next;
        }
        if lane.is_over() {
            self.lanes.remove(name);
        }
    }
}
