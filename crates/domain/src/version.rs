use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The semantic version of a plugin, or none. Written with a leading `v`, missing parts filled with zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PluginVersion(Option<semver::Version>);

/// A text that is no semantic version.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("version {0:?} is not a valid semantic version: Malformed version: {0}")]
pub struct InvalidVersion(String);

impl PluginVersion {
    /// No version.
    pub const NONE: Self = Self(None);

    /// Whether there is none.
    pub const fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// The lowest version without a name of its own that is higher; the first one after none.
    #[must_use]
    pub fn next(&self) -> Self {
        let next = self.0.as_ref().map_or_else(
            || semver::Version::new(0, 0, 1),
            |version| semver::Version::new(version.major, version.minor, version.patch.saturating_add(1)),
        );
        Self(Some(next))
    }

    /// Whether its metadata says that it is built in, which no registered version may.
    pub fn is_builtin(&self) -> bool {
        self.0.as_ref().is_some_and(|v| v.build.split('.').any(|part| part == "builtin"))
    }
}

impl TryFrom<String> for PluginVersion {
    type Error = InvalidVersion;

    fn try_from(text: String) -> Result<Self, InvalidVersion> {
        text.parse()
    }
}

impl FromStr for PluginVersion {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        if text.is_empty() {
            return Ok(Self::NONE);
        }
        let invalid = || InvalidVersion(text.to_owned());
        let bare = text.strip_prefix('v').unwrap_or(text);
        let (core, rest) = bare.find(['-', '+']).map_or((bare, ""), |at| bare.split_at(at));
        let filled = match core.split('.').count() {
            1 => format!("{core}.0.0{rest}"),
            2 => format!("{core}.0{rest}"),
            _ => bare.to_owned(),
        };
        semver::Version::parse(&filled).map(|v| Self(Some(v))).map_err(|_| invalid())
    }
}

impl From<PluginVersion> for String {
    fn from(version: PluginVersion) -> Self {
        version.to_string()
    }
}

impl fmt::Display for PluginVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(version) => write!(f, "v{version}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_written_in_one_way() {
        for (given, stored) in
            [("1.0", "v1.0.0"), ("v1", "v1.0.0"), ("1.1.0-rc1+x", "v1.1.0-rc1+x"), ("", "")]
        {
            assert_eq!(given.parse::<PluginVersion>().unwrap().to_string(), stored);
        }
        assert!("abc".parse::<PluginVersion>().is_err());
    }

    #[test]
    fn the_builtin_mark_is_seen_in_the_metadata_only() {
        assert!("1.0.0+builtin".parse::<PluginVersion>().unwrap().is_builtin());
        assert!("1.0.0+builtin.vault".parse::<PluginVersion>().unwrap().is_builtin());
        assert!(!"1.0.0-builtin".parse::<PluginVersion>().unwrap().is_builtin());
    }

    #[test]
    fn the_next_version_is_higher_and_has_no_name() {
        for (version, next) in [("", "v0.0.1"), ("1.2.3", "v1.2.4"), ("1.2.3-rc1+x", "v1.2.4")] {
            let version: PluginVersion = version.parse().unwrap();
            assert!(version.next() > version && version.next().to_string() == next);
        }
    }

    #[test]
    fn any_version_is_higher_than_none() {
        assert!("0.0.1".parse::<PluginVersion>().unwrap() > PluginVersion::NONE);
    }
}
