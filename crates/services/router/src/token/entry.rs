use std::{
    collections::BTreeMap,
    net::IpAddr,
    time::{Duration, SystemTime},
};

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Everything that is stored about a token, except the token. Times are whole seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TokenEntry {
    pub(crate) accessor: String,
    pub(crate) policies: Vec<String>,
    /// Where it was made.
    pub(crate) path: String,
    pub(crate) meta: Option<BTreeMap<String, String>>,
    pub(crate) display_name: String,
    /// How often it can still be used; zero: without limit; -1: this is the last time.
    pub(crate) num_uses: i64,
    pub(crate) created: Timestamp,
    /// Zero: without end.
    pub(crate) ttl: u64,
    pub(crate) explicit_max_ttl: u64,
    pub(crate) period: u64,
    pub(crate) renewable: bool,
    pub(crate) orphan: bool,
    pub(crate) entity_id: String,
    /// Where it may be used from; none: from anywhere.
    pub(crate) bound_cidrs: Vec<IpNet>,
}

impl TokenEntry {
    /// The first token of all, which may do everything.
    pub(crate) fn root(accessor: String) -> Self {
        Self {
            accessor,
            policies: vec!["root".to_owned()],
            path: "auth/token/root".to_owned(),
            meta: None,
            display_name: "root".to_owned(),
            num_uses: 0,
            created: Timestamp::now(),
            ttl: 0,
            explicit_max_ttl: 0,
            period: 0,
            renewable: false,
            orphan: true,
            entity_id: String::new(),
            bound_cidrs: Vec::new(),
        }
    }

    /// When it ends, if it does.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        (self.ttl > 0).then(|| self.created.saturating_add(Duration::from_secs(self.ttl)).ok()).flatten()
    }

    pub(crate) fn is_expired(&self, now: SystemTime) -> bool {
        let now = Timestamp::try_from(now).unwrap_or(Timestamp::MAX);
        self.expires().is_some_and(|end| end <= now)
    }

    /// How many seconds are left; zero for those without end.
    pub(crate) fn remaining(&self) -> u64 {
        let left = self.expires().map_or(0, |end| end.as_second() - Timestamp::now().as_second());
        u64::try_from(left).unwrap_or(0)
    }

    /// Whether it may be used from there.
    pub(crate) fn admits(&self, remote: Option<IpAddr>) -> bool {
        self.bound_cidrs.is_empty()
            || remote.is_some_and(|remote| {
                let remote = remote.to_canonical();
                self.bound_cidrs.iter().any(|range| range.contains(&remote))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> TokenEntry {
        TokenEntry::root("a".to_owned())
    }

    #[test]
    fn a_token_with_a_life_ends_with_it_and_one_without_does_not() {
        let now = SystemTime::now();
        let later = now + Duration::from_secs(61);
        assert!(!entry().is_expired(now + Duration::from_secs(1 << 32)));
        let short = TokenEntry { ttl: 60, ..entry() };
        assert!(!short.is_expired(now));
        assert!(short.is_expired(later));
    }

    #[test]
    fn a_bound_token_is_only_good_in_its_network() {
        let bound = TokenEntry { bound_cidrs: vec!["10.1.0.0/16".parse().unwrap()], ..entry() };
        let from = |address: &str| bound.admits(Some(address.parse().unwrap()));
        assert!(from("10.1.2.3"));
        assert!(from("::ffff:10.1.2.3"));
        assert!(!from("10.2.0.1"));
        assert!(!bound.admits(None));
        assert!(entry().admits(None));
    }
}
