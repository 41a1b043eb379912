use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{NamespacePath, NamespaceTree};
use tokio::sync::{self, watch};
use wire::router::v1::Request;

use super::{NamespaceRefusal, Record};
use crate::{
    core::{Active, Closed},
    error::Result,
    store::Store,
};

/// What can be asked of a locked namespace.
const UNLOCK: &str = "sys/namespaces/api-lock/unlock";

/// All namespaces, and the only way to change them. A change is stored before it counts.
pub(crate) struct Namespaces {
    /// Everything that is stored.
    pub(super) store: Store,
    /// Else why nothing leads to any of them.
    now: watch::Sender<Result<Arc<Tree>, Closed>>,
    /// Changes take turns; requests do not come here.
    pub(super) turn: sync::Mutex<()>,
    /// The namespaces whose removal is at work.
    jobs: Mutex<HashSet<String>>,
}

/// The namespaces at one moment.
#[derive(Clone)]
pub(super) struct Tree {
    pub(super) places: NamespaceTree<Arc<Known>>,
    /// Where the namespace with an id is.
    ids: HashMap<String, NamespacePath>,
}

/// One namespace.
pub(crate) struct Known {
    pub(crate) record: Record,
    /// What it holds; else why that cannot be used.
    pub(super) opened: Result<Arc<Active>, String>,
    /// The namespace whose lock it is behind.
    locked_by: Option<NamespacePath>,
}

impl Namespaces {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            now: watch::Sender::new(Err(Closed::Sealed)),
            turn: sync::Mutex::new(()),
            jobs: Mutex::default(),
        }
    }

    /// Which namespace a request means. Its path is what it is there from now on.
    pub(crate) fn enter(&self, request: &mut Request) -> Result<Arc<Active>> {
        let (known, rest) = {
            let now = self.now.borrow();
            let tree = now.as_ref().map_err(|closed| *closed)?;
            let found = tree.places.resolve(&request.namespace, &request.path);
            let (known, rest) = found.ok_or(NamespaceRefusal::NotFound)?;
            if known.record.path.is_root() {
                request.namespace.clear();
                return known.active().cloned();
            }
            (known.clone(), rest.len())
        };
        request.path.drain(..request.path.len() - rest);
        request.namespace = known.record.path.to_string();
        match &known.locked_by {
            Some(locked) if request.path != UNLOCK => Err(NamespaceRefusal::Locked(locked.clone()).into()),
            _ => known.active().cloned(),
        }
    }

    /// Nothing is taken out of a locked namespace, on whatever way.
    pub(crate) fn refuse_locked(&self, path: &NamespacePath) -> Result<()> {
        match self.get(path)?.and_then(|known| known.locked_by().cloned()) {
            Some(locked) => Err(NamespaceRefusal::Locked(locked).into()),
            None => Ok(()),
        }
    }

    /// The namespace that a path leads to from the root, and the rest of the path.
    pub(crate) fn lead<'p>(&self, path: &'p str) -> Result<Option<(Arc<Active>, &'p str)>, Closed> {
        let tree = self.tree()?;
        let found = tree.places.resolve("", path);
        Ok(found.and_then(|(known, rest)| Some((known.active().ok()?.clone(), rest))))
    }

    /// The one that all others are in.
    pub(crate) fn root(&self) -> Result<Arc<Active>> {
        self.tree()?.places.root().active().cloned()
    }

    /// The namespace with an id.
    pub(crate) fn with_id(&self, id: &str) -> Result<Option<Arc<Known>>, Closed> {
        let tree = self.tree()?;
        Ok(tree.ids.get(id).and_then(|path| tree.places.get(path)).cloned())
    }

    /// All of them as they are now.
    fn tree(&self) -> Result<Arc<Tree>, Closed> {
        self.now.borrow().clone()
    }

    pub(crate) fn get(&self, path: &NamespacePath) -> Result<Option<Arc<Known>>, Closed> {
        Ok(self.tree()?.places.get(path).cloned())
    }

    /// Those directly in a namespace, sorted; or all that are in it, however deep.
    pub(crate) fn list(&self, path: &NamespacePath, deep: bool) -> Result<Vec<Arc<Known>>, Closed> {
        let tree = self.tree()?;
        let below = tree.places.below(path).filter(|(at, _)| deep || at.parent().as_ref() == Some(path));
        let mut found: Vec<Arc<Known>> = below.map(|(_, known)| known.clone()).collect();
        found.sort_by(|one, other| one.record.path.cmp(&other.record.path));
        Ok(found)
    }

    /// All of them that can be used, the root namespace first.
    pub(crate) fn all(&self) -> Vec<Arc<Active>> {
        self.tree().map_or_else(|_| Vec::new(), |tree| tree.opened())
    }

    /// Those below a namespace of which something can be asked.
    pub(crate) fn in_use_below(&self, path: &NamespacePath) -> Result<Vec<Arc<Active>>, Closed> {
        let tree = self.tree()?;
        Ok(tree.places.below(path).filter_map(|(_, known)| known.active().ok().cloned()).collect())
    }

    /// Nothing leads to any of them any more, and nothing ends in them by itself. Answers with what they held.
    pub(crate) fn close(&self, why: Closed) -> Vec<Arc<Active>> {
        let held = self.now.send_replace(Err(why)).map_or_else(|_| Vec::new(), |tree| tree.opened());
        held.iter().for_each(|active| active.leases.stop());
        held
    }

    pub(super) fn begin(&self, root: Arc<Active>) {
        let known = Known { record: Record::root(), opened: Ok(root), locked_by: None };
        let places = NamespaceTree::new(Arc::new(known));
        self.now.send_modify(|now| *now = Ok(Arc::new(Tree { places, ids: HashMap::new() })));
    }

    /// Makes a namespace visible, or what has changed about it. False: there is no place for it.
    pub(super) fn publish(&self, record: Record, opened: Result<Arc<Active>, String>) -> bool {
        let (path, id) = (record.path.clone(), record.id.clone());
        self.change(|tree| {
            let inserted =
                tree.places.insert(path.clone(), Arc::new(Known { record, opened, locked_by: None }));
            if inserted {
                tree.ids.insert(id, path);
            }
            inserted
        })
    }

    pub(super) fn withdraw(&self, record: &Record) -> bool {
        self.change(|tree| {
            tree.ids.remove(&record.id);
            tree.places.remove(&record.path)
        })
    }

    fn change(&self, change: impl FnOnce(&mut Tree) -> bool) -> bool {
        self.now.send_if_modified(|now| {
            let Ok(tree) = now else { return false };
            let mut changed = Tree::clone(tree);
            let done = change(&mut changed);
            if done {
                changed.note_locks();
                *now = Ok(Arc::new(changed));
            }
            done
        })
    }

    /// Says whether nobody is at the removal of this namespace already.
    pub(super) fn takes_job(&self, id: &str) -> bool {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned())
    }

    pub(super) fn leaves_job(&self, id: &str) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

impl Tree {
    fn opened(&self) -> Vec<Arc<Active>> {
        self.places.iter().filter_map(|known| known.opened.as_ref().ok().cloned()).collect()
    }

    /// Works out once, rather than with every request, which locks each namespace is behind.
    fn note_locks(&mut self) {
        let lock_of = |known: &Arc<Known>| {
            let mut line = self.places.line(&known.record.path);
            line.find(|above| above.record.is_locked()).map(|above| above.record.path.clone())
        };
        let noted = self.places.iter().map(|known| (known.clone(), lock_of(known)));
        let outdated: Vec<_> = noted.filter(|(known, lock)| known.locked_by != *lock).collect();
        for (known, locked_by) in outdated {
            let path = known.record.path.clone();
            self.places.insert(path, Arc::new(Known { locked_by, ..Known::clone(&known) }));
        }
    }
}

impl Clone for Known {
    fn clone(&self) -> Self {
        let opened = self.opened.as_ref().map(Arc::clone).map_err(String::clone);
        Self { record: self.record.clone(), opened, locked_by: self.locked_by.clone() }
    }
}

impl Known {
    /// What it holds, if that can be used.
    pub(crate) fn active(&self) -> Result<&Arc<Active>> {
        let path = || self.record.path.clone();
        if self.record.removing {
            return Err(NamespaceRefusal::Removing(path()).into());
        }
        self.opened
            .as_ref()
            .map_err(|why| NamespaceRefusal::Damaged { path: path(), why: why.clone() }.into())
    }

    /// The namespace whose lock it is behind: itself, or one that it is in.
    pub(crate) const fn locked_by(&self) -> Option<&NamespacePath> {
        self.locked_by.as_ref()
    }
}

impl fmt::Debug for Namespaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.now.borrow().as_ref().map_or(0, |tree| tree.ids.len());
        f.debug_struct("Namespaces").field("count", &count).finish_non_exhaustive()
    }
}
