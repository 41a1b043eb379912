use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The name of a plugin in the catalog: not empty, no `..`, no control characters, no slash at either end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PluginName(String);

/// Why a text is no name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidName {
    /// Nothing given.
    #[error("missing plugin name")]
    Empty,
    /// It could lead elsewhere when used in a path.
    #[error("path cannot contain parent references")]
    Parent,
    /// Control characters, or a slash at an end.
    #[error("{0:?} is not a plugin name: no control characters, and no slash at either end")]
    Malformed(String),
    /// Not one of the types.
    #[error("{0:?} is not a supported plugin type: use auth, database or secret")]
    Type(String),
}

impl PluginName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PluginName {
    type Error = InvalidName;

    fn try_from(name: String) -> Result<Self, InvalidName> {
        if name.is_empty() {
            return Err(InvalidName::Empty);
        }
        if name.contains("..") {
            return Err(InvalidName::Parent);
        }
        if name.starts_with('/') || name.ends_with('/') || name.chars().any(char::is_control) {
            return Err(InvalidName::Malformed(name));
        }
        Ok(Self(name))
    }
}

impl FromStr for PluginName {
    type Err = InvalidName;

    fn from_str(name: &str) -> Result<Self, InvalidName> {
        name.to_owned().try_into()
    }
}

impl From<PluginName> for String {
    fn from(name: PluginName) -> Self {
        name.0
    }
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a plugin is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PluginType {
    /// An auth method.
    Auth,
    /// A database that the database engine manages.
    Database,
    /// A secrets engine.
    Secret,
}

impl PluginType {
    /// Every type, sorted by its word.
    pub const ALL: [Self; 3] = [Self::Auth, Self::Database, Self::Secret];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Database => "database",
            Self::Secret => "secret",
        }
    }
}

impl FromStr for PluginType {
    type Err = InvalidName;

    fn from_str(word: &str) -> Result<Self, InvalidName> {
        Self::ALL.into_iter().find(|t| t.word() == word).ok_or_else(|| InvalidName::Type(word.to_owned()))
    }
}

impl fmt::Display for PluginType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What can be mounted: a secrets engine or an auth method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MountKind {
    /// A secrets engine.
    Secret,
    /// An auth method, under `auth/`.
    Auth,
}

impl MountKind {
    /// The type of plugin that serves it.
    pub const fn plugin_type(self) -> PluginType {
        match self {
            Self::Secret => PluginType::Secret,
            Self::Auth => PluginType::Auth,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_climb() {
        assert_eq!("a/../b".parse::<PluginName>(), Err(InvalidName::Parent));
        assert_eq!("".parse::<PluginName>(), Err(InvalidName::Empty));
        assert!("team/kv".parse::<PluginName>().is_ok());
        assert!("kv/".parse::<PluginName>().is_err());
    }

    #[test]
    fn types_read_back_from_their_words() {
        for plugin_type in PluginType::ALL {
            assert_eq!(plugin_type.word().parse(), Ok(plugin_type));
        }
        assert!("unknown".parse::<PluginType>().is_err());
    }
}
