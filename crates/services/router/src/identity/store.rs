use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use domain::identity::{Directory, Draft, Factors};
use quick_cache::sync::Cache;
use tokio::sync::{Mutex, watch};

use super::{
    Standing,
    load::{Loaded, load},
    record::{self, alias_folder, alias_key},
};
use crate::{Error, error::Result, store::Store};

/// Of how many entities it is kept what follows from who they are.
const STANDINGS: usize = 10_000;

/// How many entities one commit changes when a mount goes.
const AT_ONCE: usize = 500;

/// All entities and groups, and the only way to change them. A change is stored before it counts.
pub(crate) struct Identity {
    store: Store,
    /// The id of the namespace that all are in.
    namespace: String,
    state: watch::Sender<Arc<State>>,
    /// By the entity's id.
    standings: Cache<String, Arc<Standing>>,
    serials: AtomicU64,
    /// Changes take turns; requests do not come here.
    turn: Mutex<()>,
}

#[derive(Clone, Debug, Default)]
struct State {
    directory: Directory,
    /// How often groups have changed.
    group_changes: u64,
    /// The keys of the aliases whose records cannot be read.
    unreadable: BTreeSet<String>,
}

impl Identity {
    /// The id of the namespace that all of them are in.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// How many entities there are.
    pub(crate) fn count(&self) -> usize {
        self.state().directory.entities().count()
    }

    /// Reads all records. A damaged one concerns one entity, which may do nothing; it is not an error.
    pub(crate) async fn open(store: Store, namespace: String) -> Result<Self> {
        let Loaded { directory, unreadable } = load(&store).await?;
        Ok(Self {
            store,
            namespace,
            state: watch::Sender::new(Arc::new(State { directory, group_changes: 0, unreadable })),
            standings: Cache::new(STANDINGS),
            serials: AtomicU64::new(0),
            turn: Mutex::new(()),
        })
    }

    /// What follows from who holds a token with this entity. None: the token is nobody's in particular.
    ///
    /// Who is disabled or gone may do nothing; nor may somebody whose record is damaged, for it may have said so.
    pub(crate) fn standing(&self, entity_id: &str) -> Result<Option<Arc<Standing>>> {
        if entity_id.is_empty() {
            return Ok(None);
        }
        let state = self.state();
        let found = state.directory.entity_or_heir(entity_id);
        let entity = found.filter(|entity| entity.is_active()).ok_or(Error::Forbidden)?;
        if let Some(known) = self.standings.get(entity.id.as_str())
            && known.is_current(entity, state.group_changes)
        {
            return Ok(Some(known));
        }
        let person = state.directory.person(&entity.id).ok_or(Error::Forbidden)?;
        let serial = self.serials.fetch_add(1, Ordering::Relaxed);
        let standing =
            Arc::new(Standing { serial, person, group_changes: state.group_changes, told: OnceLock::new() });
        self.standings.insert(entity.id.clone(), standing.clone());
        Ok(Some(standing))
    }

    /// All entities and groups as they are now.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Directory) -> T) -> T {
        look(&self.state().directory)
    }

    /// Puts a change together, stores it, and lets it count.
    pub(super) async fn change<T>(&self, plan: impl FnOnce(&mut Draft<'_>) -> Result<T>) -> Result<T> {
        let _turn = self.turn.lock().await;
        let state = self.state();
        let mut draft = Draft::new(&state.directory, SystemTime::now());
        let outcome = plan(&mut draft)?;
        let change = draft.into_change();
        if change.is_empty() {
            return Ok(outcome);
        }
        let writes = record::writes(&state.directory, &change);
        let mut unreadable = state.unreadable.clone();
        unreadable.retain(|key| !writes.iter().any(|write| write.key == *key));
        self.store.commit(writes).await?;
        let group_changes = state.group_changes + u64::from(!change.groups.is_empty());
        let directory = state.directory.with(change);
        self.state.send_replace(Arc::new(State { directory, group_changes, unreadable }));
        Ok(outcome)
    }

    /// Whether there is something about this alias that nobody can read.
    pub(super) fn is_unreadable(&self, factors: &Factors) -> bool {
        let unreadable = &self.state().unreadable;
        !unreadable.is_empty() && unreadable.contains(&alias_key(factors))
    }

    /// A mount is gone, and with it the names that people and groups had there. Can be repeated.
    pub(crate) async fn forget_mount(&self, accessor: &str) -> Result<()> {
        while self.change(|draft| Ok(forget_some(draft, accessor))).await? == AT_ONCE {}
        if accessor.is_empty() {
            return Ok(());
        }
        let folder = alias_folder(accessor);
        self.store.purge(folder.clone()).await?;
        let _turn = self.turn.lock().await;
        self.state.send_modify(|state| {
            Arc::make_mut(state).unreadable.retain(|key| !key.starts_with(&folder));
        });
        Ok(())
    }

    fn state(&self) -> Arc<State> {
        self.state.borrow().clone()
    }
}

/// Says how many entities had an alias there. The members of a group that was the mount's are members no more.
fn forget_some(draft: &mut Draft<'_>, accessor: &str) -> usize {
    let directory = draft.directory;
    let concerned = directory.entities().filter(|entity| entity.alias_at(accessor).is_some());
    let concerned: Vec<&String> = concerned.map(|entity| &entity.id).take(AT_ONCE).collect();
    for id in &concerned {
        if let Some(entity) = draft.entity(id) {
            entity.aliases.retain(|alias| alias.accessor != accessor);
        }
    }
    let of_mount = |alias: &domain::identity::GroupAlias| alias.accessor == accessor;
    for group in directory.groups().filter(|group| group.alias.as_ref().is_some_and(of_mount)) {
        if let Some(group) = draft.group(&group.id) {
            group.alias = None;
            group.entities.clear();
        }
    }
    concerned.len()
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("known", &self.standings.len()).finish_non_exhaustive()
    }
}
