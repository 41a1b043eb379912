use std::{fmt, str::FromStr};

/// What a request wants done, in the words of Vault's plugin protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is its own word")]
pub enum Operation {
    Create,
    Read,
    Update,
    Patch,
    Delete,
    List,
    Help,
    Header,
    AliasLookahead,
    ResolveRole,
    Revoke,
    Renew,
    Rollback,
}

/// A word that names no operation.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown operation {0:?}")]
pub struct UnknownOperation(String);

impl Operation {
    const ALL: [Self; 13] = [
        Self::Create,
        Self::Read,
        Self::Update,
        Self::Patch,
        Self::Delete,
        Self::List,
        Self::Help,
        Self::Header,
        Self::AliasLookahead,
        Self::ResolveRole,
        Self::Revoke,
        Self::Renew,
        Self::Rollback,
    ];

    /// The word for it on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Help => "help",
            Self::Header => "header",
            Self::AliasLookahead => "alias-lookahead",
            Self::ResolveRole => "resolve-role",
            Self::Revoke => "revoke",
            Self::Renew => "renew",
            Self::Rollback => "rollback",
        }
    }

    /// Whether it can change what is stored.
    pub const fn writes(self) -> bool {
        !matches!(
            self,
            Self::Read | Self::List | Self::Help | Self::Header | Self::AliasLookahead | Self::ResolveRole
        )
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(word: &str) -> Result<Self, UnknownOperation> {
        Self::ALL.into_iter().find(|op| op.word() == word).ok_or_else(|| UnknownOperation(word.to_owned()))
    }
}
