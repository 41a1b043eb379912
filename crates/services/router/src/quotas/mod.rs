//! How often may be asked, by each client address, and how many leases there may be.

mod lease_count;
mod limiter;
mod refusal;
mod rule;
mod settings;

use std::{collections::BTreeMap, fmt, net::IpAddr, sync::Arc};

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;
use wire::router::v1::Request;

use crate::{error::Result, mounts::Snapshot, settings::Setting, store::Store};

pub(crate) use lease_count::{LeaseCount, LeaseCounts, Room};
pub(crate) use limiter::Allowance;
pub use refusal::QuotaRefusal;
pub(crate) use rule::{RateLimit, Rules};
pub(crate) use settings::QuotaSettings;

use limiter::Limiter;

/// All quotas, and what is left of them.
pub(crate) struct Quotas {
    pub(crate) settings: Setting<QuotaSettings>,
    pub(crate) rules: Setting<Rules<RateLimit>>,
    pub(crate) leases: LeaseCounts,
    /// None: there are no rules, and nothing is counted.
    table: ArcSwapOption<Table>,
    /// What is counted follows the rules in their order.
    turn: Mutex<()>,
}

/// The limiters, by the paths that they are for.
type Table = BTreeMap<String, Arc<Limiter>>;

impl Quotas {
    pub(crate) async fn open(store: &Store) -> Result<Self> {
        let settings = Setting::open(store, "core/quotas/settings").await?;
        let rules = Setting::open(store, "core/quotas/rules").await?;
        let table = ArcSwapOption::from_pointee(table(&rules.now(), None));
        let leases = LeaseCounts::open(store).await?;
        Ok(Self { settings, rules, leases, table, turn: Mutex::new(()) })
    }

    /// Changes the rules. Those that stay the same go on counting.
    pub(crate) async fn change(
        &self,
        change: impl FnOnce(&Rules<RateLimit>) -> Result<Rules<RateLimit>>,
    ) -> Result<()> {
        let _turn = self.turn.lock().await;
        self.rules.change(change).await?;
        let before = self.table.load_full();
        self.table.store(table(&self.rules.now(), before.as_deref()).map(Arc::new));
        Ok(())
    }

    /// Drops the rules for a namespace, which goes, and for what is in it.
    pub(crate) async fn forget(&self, namespace: &str) -> Result<()> {
        self.leases.forget(namespace).await?;
        if !self.rules.now().iter().any(|(_, rule)| rule.path.starts_with(namespace)) {
            return Ok(());
        }
        self.change(|rules| Ok(rules.outside(namespace))).await
    }

    /// Counts a request, if there is a rule for it. Nothing has been done for it so far.
    pub(crate) fn admit(
        &self,
        request: &Request,
        snapshot: &Snapshot,
    ) -> Result<Option<Allowance>, QuotaRefusal> {
        let Some(table) = self.table.load_full() else { return Ok(None) };
        let namespace = request.namespace.as_str();
        let path = format!("{namespace}{}", request.path);
        let mount = snapshot.resolve(&request.path).map(|(mount, _, _)| format!("{namespace}{mount}"));
        let place = (path.as_str(), mount.as_deref().unwrap_or_default(), namespace);
        let Some(limiter) = best(&table, place, |limiter| limiter.is_inherited()) else {
            return Ok(None);
        };
        let settings = self.settings.now();
        if settings.exempts(&path) {
            return Ok(None);
        }
        let peer = request.connection.as_ref().and_then(|connection| connection.remote_addr.parse().ok());
        // Who has no address shares one with all who have none.
        let allowance = limiter.take(peer.unwrap_or(IpAddr::from([0; 4])));
        if !allowance.admitted {
            crate::meters::rate_exceeded();
            let headers =
                if settings.enable_rate_limit_response_headers { allowance.headers() } else { Vec::new() };
            return Err(QuotaRefusal::Exceeded { path, headers });
        }
        Ok(settings.enable_rate_limit_response_headers.then_some(allowance))
    }

    /// Whether audit devices record the requests that were one too many.
    pub(crate) fn are_recorded(&self) -> bool {
        self.settings.now().enable_rate_limit_audit_logging
    }
}

/// The rule that says most about a path: its own, then the longest that ends in `*`, then its mount's, then that of its
/// namespace, then that of the nearest namespace above which is for those below too, then everybody's.
fn best<'t, R>(
    table: &'t BTreeMap<String, R>,
    (path, mount, namespace): (&str, &str, &str),
    is_inherited: impl Fn(&R) -> bool,
) -> Option<&'t R> {
    let globs = table
        .iter()
        .filter(|(rule, _)| rule.strip_suffix('*').is_some_and(|prefix| path.starts_with(prefix)));
    let glob = || globs.max_by_key(|(rule, _)| rule.len()).map(|(_, found)| found);
    let of_mount = || (!mount.is_empty()).then(|| table.get(mount)).flatten();
    let of_namespace = || {
        let above = namespace.rmatch_indices('/').map(|(slash, _)| &namespace[..=slash]);
        let mut rules = above.filter_map(|above| Some((above, table.get(above)?)));
        rules.find(|(above, rule)| *above == namespace || is_inherited(rule)).map(|(_, rule)| rule)
    };
    let own = table.get(path).filter(|_| !path.is_empty());
    own.or_else(glob).or_else(of_mount).or_else(of_namespace).or_else(|| table.get(""))
}

fn table(rules: &Rules<RateLimit>, before: Option<&Table>) -> Option<Table> {
    let limiters = rules.iter().filter_map(|(name, rule)| {
        let known = before.and_then(|before| before.get(&rule.path)).filter(|limiter| limiter.is_of(rule));
        let limiter = known.cloned().or_else(|| Limiter::new(rule).map(Arc::new));
        if limiter.is_none() {
            tracing::error!(name, "a quota is damaged, and limits nothing; write it anew");
        }
        Some((rule.path.clone(), limiter?))
    });
    let table: Table = limiters.collect();
    (!table.is_empty()).then_some(table)
}

impl fmt::Debug for Quotas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quotas").field("rules", &self.rules.now().iter().count()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'t>(table: &'t Table, path: &str, mount: &str, namespace: &str) -> &'t Arc<Limiter> {
        best(table, (path, mount, namespace), |limiter| limiter.is_inherited()).unwrap()
    }

    #[test]
    fn a_namespace_has_its_own_rule_or_the_nearest_that_is_for_those_below_too() {
        let rules = [("a/", true), ("a/b/", false), ("", true)].into_iter().fold(
            Rules::default(),
            |rules, (path, inheritable)| {
                let rule =
                    RateLimit { path: path.to_owned(), rate: 1.0, inheritable, ..RateLimit::default() };
                rules.with(format!("of {path}"), rule)
            },
        );
        let table = table(&rules, None).unwrap();
        for (namespace, expected) in [("a/", "a/"), ("a/b/", "a/b/"), ("a/b/c/", "a/"), ("ab/", "")] {
            let path = format!("{namespace}kv/x");
            let found = of(&table, &path, &format!("{namespace}kv/"), namespace);
            assert!(Arc::ptr_eq(found, &table[expected]), "{namespace}");
        }
    }

    #[test]
    fn the_rule_that_says_most_about_a_path_counts() {
        let rules =
            ["", "kv/", "kv/a*", "kv/ab*", "kv/abc"].into_iter().fold(Rules::default(), |rules, path| {
                rules.with(
                    format!("of {path}"),
                    RateLimit { path: path.to_owned(), rate: 1.0, ..RateLimit::default() },
                )
            });
        let table = table(&rules, None).unwrap();
        for (path, mount, expected) in [
            ("kv/abc", "kv/", "kv/abc"),
            ("kv/abd", "kv/", "kv/ab*"),
            ("kv/ac", "kv/", "kv/a*"),
            ("kv/b", "kv/", "kv/"),
            ("other/a", "other/", ""),
            ("nowhere", "", ""),
        ] {
            let found = of(&table, path, mount, "");
            assert!(Arc::ptr_eq(found, &table[expected]), "{path}");
        }
    }
}
