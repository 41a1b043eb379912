use std::{fmt, str::FromStr};

/// The longest key, in bytes, that storage takes.
const LONGEST: usize = 32 * 1024;

/// Where a value is stored. Relative to the storage it is given to; no segment of it is `..`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// What the keys of a listing begin with: empty, or ending in `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(String);

/// Why a text is no key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidKey {
    /// It could lead out of the storage it is given to.
    #[error("relative paths not supported")]
    Relative,
    /// A NUL byte, which backends cannot store.
    #[error("storage keys cannot contain NUL")]
    Nul,
    /// Longer than backends store.
    #[error("storage keys are at most {LONGEST} bytes long")]
    TooLong,
    /// Longer than this backend stores.
    #[error(
        "the path is too long: the database takes {0} bytes of it, as it is stored, with each name encrypted"
    )]
    TooLongHere(usize),
}

fn check(text: &str) -> Result<(), InvalidKey> {
    if text.len() > LONGEST {
        return Err(InvalidKey::TooLong);
    }
    if text.contains('\0') {
        return Err(InvalidKey::Nul);
    }
    // Vault refuses the two dots anywhere in a key, not only as a segment.
    if text.contains("..") {
        return Err(InvalidKey::Relative);
    }
    Ok(())
}

impl Key {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(feature = "barrier")]
impl Key {
    /// A name that the barrier made: safe by its making, and longer than the key it stands for.
    pub(crate) const fn encoded(name: String) -> Self {
        Self(name)
    }
}

impl TryFrom<String> for Key {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<Self, InvalidKey> {
        check(&text).map(|()| Self(text))
    }
}

impl FromStr for Key {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        text.to_owned().try_into()
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Prefix {
    /// Everything.
    pub const ALL: Self = Self(String::new());

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key below this prefix.
    #[must_use]
    pub fn join(&self, key: &Key) -> Key {
        Key(format!("{}{}", self.0, key.0))
    }

    /// The prefix below this prefix.
    #[must_use]
    pub fn join_prefix(&self, prefix: &Self) -> Self {
        Self(format!("{}{}", self.0, prefix.0))
    }
}

#[cfg(feature = "barrier")]
impl Prefix {
    /// A prefix that the barrier made.
    pub(crate) const fn encoded(prefix: String) -> Self {
        Self(prefix)
    }
}

impl TryFrom<String> for Prefix {
    type Error = InvalidKey;

    fn try_from(mut text: String) -> Result<Self, InvalidKey> {
        check(&text)?;
        if !text.is_empty() && !text.ends_with('/') {
            text.push('/');
        }
        Ok(Self(text))
    }
}

impl FromStr for Prefix {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        text.to_owned().try_into()
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_cannot_leave_their_storage() {
        for bad in ["../a", "a/../b", "a/..b", ".."] {
            assert_eq!(bad.parse::<Key>(), Err(InvalidKey::Relative), "{bad}");
        }
        assert_eq!("a\0".parse::<Key>(), Err(InvalidKey::Nul));
    }

    #[test]
    fn prefixes_end_in_a_slash() {
        assert_eq!("a".parse::<Prefix>().unwrap().as_str(), "a/");
        assert_eq!("".parse::<Prefix>().unwrap(), Prefix::ALL);
    }
}
