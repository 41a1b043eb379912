use std::{
    collections::BTreeMap,
    net::IpAddr,
    time::{Duration, SystemTime},
};

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::SaltedId;

/// Everything that is known about a token, except the token. Times are whole seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TokenEntry {
    #[serde(default)]
    pub(crate) kind: TokenKind,
    /// Empty for batch tokens.
    pub(crate) accessor: String,
    /// Whose end is its end too; none: an orphan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<SaltedId>,
    pub(crate) policies: Vec<String>,
    /// Where it was made.
    pub(crate) path: String,
    /// The role it was made by; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) role: String,
    pub(crate) meta: Option<BTreeMap<String, String>>,
    pub(crate) display_name: String,
    /// How often it can still be used; zero: without limit; -1: this is the last time.
    pub(crate) num_uses: i64,
    pub(crate) created: Timestamp,
    /// How long it was to live when it was made; zero: without end.
    pub(crate) ttl: u64,
    /// When it was last renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) renewed: Option<Renewed>,
    pub(crate) explicit_max_ttl: u64,
    pub(crate) period: u64,
    pub(crate) renewable: bool,
    pub(crate) entity_id: String,
    /// Where it may be used from; none: from anywhere.
    pub(crate) bound_cidrs: Vec<IpNet>,
}

/// Where a token lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TokenKind {
    /// With us.
    #[default]
    Service,
    /// In its own text, sealed; nothing is stored.
    Batch,
}

/// A renewal, and how long it was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Renewed {
    pub(crate) at: Timestamp,
    pub(crate) ttl: u64,
}

impl TokenKind {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Batch => "batch",
        }
    }
}

impl TokenEntry {
    /// An orphan of this moment without end, name or policies.
    pub(crate) fn at(path: impl Into<String>, accessor: String) -> Self {
        Self {
            kind: TokenKind::Service,
            accessor,
            parent: None,
            policies: Vec::new(),
            path: path.into(),
            role: String::new(),
            meta: None,
            display_name: String::new(),
            num_uses: 0,
            created: Timestamp::now(),
            ttl: 0,
            renewed: None,
            explicit_max_ttl: 0,
            period: 0,
            renewable: false,
            entity_id: String::new(),
            bound_cidrs: Vec::new(),
        }
    }

    /// The first token of all, which may do everything.
    pub(crate) fn root(accessor: String) -> Self {
        Self {
            policies: vec!["root".to_owned()],
            display_name: "root".to_owned(),
            ..Self::at("auth/token/root", accessor)
        }
    }

    pub(crate) const fn orphan(&self) -> bool {
        self.parent.is_none()
    }

    /// When it ends, if it does.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        let (from, ttl) = self.renewed.map_or((self.created, self.ttl), |last| (last.at, last.ttl));
        // What would end after all time ends there; it does not become endless.
        (ttl > 0).then(|| from.saturating_add(Duration::from_secs(ttl)).unwrap_or(Timestamp::MAX))
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

/// A network, or an address as one.
pub(super) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
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
    fn t5_a_life_longer_than_all_time_still_has_an_end() {
        assert_eq!(TokenEntry { ttl: u64::MAX, ..entry() }.expires(), Some(Timestamp::MAX));
    }

    #[test]
    fn a_renewal_counts_from_when_it_was_made() {
        let at = Timestamp::from_second(5000).unwrap();
        let renewed = TokenEntry { ttl: 60, renewed: Some(Renewed { at, ttl: 30 }), ..entry() };
        assert_eq!(renewed.expires(), Timestamp::from_second(5030).ok());
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
