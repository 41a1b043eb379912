use std::{fmt, str::FromStr};

use subtle::ConstantTimeEq;

/// A SHA-256 digest. Compared in constant time; written as 64 lower-case hex digits.
#[expect(clippy::derived_hash_with_manual_eq, reason = "digests that are equal have equal bytes")]
#[derive(Clone, Copy, Hash, PartialOrd, Ord)]
pub struct Sha256([u8; 32]);

/// Why a text is no SHA-256 digest.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum InvalidDigest {
    /// Something else than hex digits.
    #[error("a SHA256 is written in hex digits: {0}")]
    NotHex(#[source] hex::FromHexError),
    /// The wrong number of bytes.
    #[error("a SHA256 is 64 hex digits long, this is {0}")]
    Length(usize),
}

impl Sha256 {
    /// Wraps a digest.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for Sha256 {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Sha256 {}

impl TryFrom<&[u8]> for Sha256 {
    type Error = InvalidDigest;

    fn try_from(bytes: &[u8]) -> Result<Self, InvalidDigest> {
        bytes.try_into().map(Self).map_err(|_| InvalidDigest::Length(bytes.len() * 2))
    }
}

impl FromStr for Sha256 {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let bytes = hex::decode(text).map_err(InvalidDigest::NotHex)?;
        Self::try_from(bytes.as_slice())
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c5_case_of_hex_digits_does_not_matter() {
        let upper: Sha256 = "AB".repeat(32).parse().unwrap();
        assert_eq!(upper.to_string(), "ab".repeat(32));
    }

    #[test]
    fn c5_other_lengths_and_letters_are_refused() {
        assert_eq!("ab".parse::<Sha256>(), Err(InvalidDigest::Length(2)));
        assert!(matches!("zz".repeat(32).parse::<Sha256>(), Err(InvalidDigest::NotHex(_))));
    }
}
