use std::{fmt, str::FromStr};

use crate::Operation;

/// One thing that a rule may allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
#[allow(missing_docs, reason = "each is its own word")]
pub enum Capability {
    Create = 1 << 0,
    Delete = 1 << 1,
    Deny = 1 << 2,
    List = 1 << 3,
    Patch = 1 << 4,
    Read = 1 << 5,
    Recover = 1 << 6,
    Scan = 1 << 7,
    Subscribe = 1 << 8,
    Sudo = 1 << 9,
    Update = 1 << 10,
}

/// A set of capabilities. With `deny` in it, there is nothing else in it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Capabilities(u16);

/// A word that names no capability.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid capability {0:?}")]
pub struct UnknownCapability(String);

impl Capability {
    /// Every capability, sorted by its word.
    pub const ALL: [Self; 11] = [
        Self::Create,
        Self::Delete,
        Self::Deny,
        Self::List,
        Self::Patch,
        Self::Read,
        Self::Recover,
        Self::Scan,
        Self::Subscribe,
        Self::Sudo,
        Self::Update,
    ];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Deny => "deny",
            Self::List => "list",
            Self::Patch => "patch",
            Self::Read => "read",
            Self::Recover => "recover",
            Self::Scan => "scan",
            Self::Subscribe => "subscribe",
            Self::Sudo => "sudo",
            Self::Update => "update",
        }
    }

    /// What a caller needs for an operation; none for those that no caller may ask for, and for help.
    pub const fn needed_for(operation: Operation) -> Option<Self> {
        match operation {
            Operation::Create => Some(Self::Create),
            Operation::Read | Operation::Header => Some(Self::Read),
            Operation::Update | Operation::Renew | Operation::Revoke | Operation::Rollback => {
                Some(Self::Update)
            }
            Operation::Patch => Some(Self::Patch),
            Operation::Delete => Some(Self::Delete),
            Operation::List => Some(Self::List),
            Operation::Help | Operation::AliasLookahead | Operation::ResolveRole => None,
        }
    }
}

impl FromStr for Capability {
    type Err = UnknownCapability;

    fn from_str(word: &str) -> Result<Self, UnknownCapability> {
        Self::ALL
            .into_iter()
            .find(|each| each.word() == word)
            .ok_or_else(|| UnknownCapability(word.to_owned()))
    }
}

impl Capabilities {
    /// What a rule says that forbids everything.
    pub const DENY: Self = Self(Capability::Deny as u16);

    /// Whether one of them is in it.
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & capability as u16 != 0
    }

    /// Whether it forbids everything.
    pub const fn denies(self) -> bool {
        self.has(Capability::Deny)
    }

    /// Whether it allows nothing: by saying so, or by saying nothing.
    pub const fn allows_nothing(self) -> bool {
        self.denies() || self.0 == 0
    }

    /// What two rules for the same path allow together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        if self.denies() || other.denies() { Self::DENY } else { Self(self.0 | other.0) }
    }

    /// Those in it, sorted by their words.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.into_iter().filter(move |each| self.has(*each))
    }

    /// The words as callers see them: `deny` alone when nothing is allowed.
    pub fn words(self) -> Vec<&'static str> {
        let shown = if self.allows_nothing() { Self::DENY } else { self };
        shown.iter().map(Capability::word).collect()
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(all: I) -> Self {
        all.into_iter().fold(Self::default(), |set, each| set.union(Self(each as u16)))
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Capability::word)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deny_leaves_nothing_beside_it() {
        let set: Capabilities = [Capability::Read, Capability::Deny, Capability::Sudo].into_iter().collect();
        assert_eq!(set, Capabilities::DENY);
        assert!(!set.has(Capability::Read));
        assert_eq!(set.words(), ["deny"]);
        assert_eq!(Capabilities::default().words(), ["deny"]);
    }

    #[test]
    fn words_are_sorted() {
        assert!(Capability::ALL.iter().map(|each| each.word()).is_sorted());
        for each in Capability::ALL {
            assert_eq!(each.word().parse(), Ok(each));
        }
        assert!("Read".parse::<Capability>().is_err());
    }
}
