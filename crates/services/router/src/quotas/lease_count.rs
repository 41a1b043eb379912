use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::{QuotaRefusal, Rules, best, rule::OfPath};
use crate::{core::Active, error::Result, namespaces::Namespaces, settings::Setting, store::Store};

/// How many leases there may be below a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeaseCount {
    /// Empty: everything; a mount; a path in it, which may end in `*`.
    pub(crate) path: String,
    pub(crate) max_leases: u64,
    /// Whether it is for the namespaces below, too.
    pub(crate) inheritable: bool,
}

impl OfPath for LeaseCount {
    fn path(&self) -> &str {
        &self.path
    }
}

/// All of these rules, and the leases that are about to be.
pub(crate) struct LeaseCounts {
    pub(crate) rules: Setting<Rules<LeaseCount>>,
    /// By the paths of their rules. Taken for a look only.
    coming: Arc<Mutex<HashMap<String, u64>>>,
}

/// Room for one lease, until it is among those that are counted, or does not come.
#[derive(Debug)]
pub(crate) struct Room {
    coming: Arc<Mutex<HashMap<String, u64>>>,
    path: String,
}

impl LeaseCounts {
    pub(super) async fn open(store: &Store) -> Result<Self> {
        Ok(Self { rules: Setting::open(store, "core/quotas/lease-count").await?, coming: Arc::default() })
    }

    /// Drops the rules for a namespace, which goes, and for what is in it.
    pub(super) async fn forget(&self, namespace: &str) -> Result<()> {
        if !self.rules.now().iter().any(|(_, rule)| rule.path.starts_with(namespace)) {
            return Ok(());
        }
        self.rules.change(|rules| Ok(rules.outside(namespace))).await
    }

    /// Sees to it that there is room for a lease that a path of a namespace is about to have. None: no rule counts it.
    pub(crate) fn room(&self, active: &Active, path: &str) -> Result<Option<Room>> {
        let rules = self.rules.now();
        let by_path: BTreeMap<String, &LeaseCount> =
            rules.iter().map(|(_, rule)| (rule.path.clone(), rule)).collect();
        if by_path.is_empty() {
            return Ok(None);
        }
        let namespace = active.namespace.path.as_str();
        let snapshot = active.mounts.snapshot();
        let mount = snapshot.resolve(path).map(|(mount, _, _)| format!("{namespace}{mount}"));
        let path = format!("{namespace}{path}");
        let place = (path.as_str(), mount.as_deref().unwrap_or_default(), namespace);
        let Some(rule) = best(&by_path, place, |rule| rule.inheritable) else { return Ok(None) };
        // Held while the leases are counted, so that two who ask at once do not both get the last place.
        let mut coming = held(&self.coming);
        let expected = coming.get(&rule.path).copied().unwrap_or(0);
        if rule.count(&active.shared.namespaces)? + expected >= rule.max_leases {
            crate::meters::leases_exceeded();
            return Err(QuotaRefusal::Leases(path).into());
        }
        *coming.entry(rule.path.clone()).or_insert(0) += 1;
        Ok(Some(Room { coming: Arc::clone(&self.coming), path: rule.path.clone() }))
    }
}

impl LeaseCount {
    /// How many leases there are that it counts.
    pub(crate) fn count(&self, namespaces: &Namespaces) -> Result<u64> {
        let Some((there, rest)) = namespaces.lead(&self.path)? else { return Ok(0) };
        let snapshot = there.mounts.snapshot();
        let mount = snapshot.resolve(rest).filter(|(mount, _, _)| mount.as_str() == rest);
        let count = match mount {
            _ if rest.is_empty() => {
                let inherits = self.inheritable || there.namespace.is_root();
                let below =
                    if inherits { namespaces.in_use_below(&there.namespace.path)? } else { Vec::new() };
                there.leases.count() + below.iter().map(|active| active.leases.count()).sum::<usize>()
            }
            Some((_, mount, _)) => there.leases.count_of_mount(&mount.entry.uuid),
            None => there.leases.count_below(rest.strip_suffix('*').unwrap_or(rest)),
        };
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

fn held(coming: &Mutex<HashMap<String, u64>>) -> MutexGuard<'_, HashMap<String, u64>> {
    coming.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut coming = held(&self.coming);
        if let Some(count) = coming.get_mut(&self.path) {
            *count -= 1;
            if *count == 0 {
                coming.remove(&self.path);
            }
        }
    }
}
