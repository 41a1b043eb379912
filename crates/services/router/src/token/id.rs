use std::fmt;

use domain::Token;
use ring::hmac;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What a token is stored under: its HMAC, so that nobody who reads the storage can use it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SaltedId([u8; 32]);

impl SaltedId {
    pub(super) fn of(key: &hmac::Key, token: &Token) -> Self {
        let mut id = [0; 32];
        id.copy_from_slice(hmac::sign(key, token.expose().as_bytes()).as_ref());
        Self(id)
    }

    /// The one that is written so in a key of the storage.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut id = [0; 32];
        hex::decode_to_slice(text, &mut id).ok().map(|()| Self(id))
    }
}

impl fmt::Display for SaltedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for SaltedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SaltedId({self})")
    }
}

impl Serialize for SaltedId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SaltedId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("a token's id has 64 hex digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_same_after_it_was_stored_and_differs_from_token_to_token() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        let of = |token: &str| SaltedId::of(&key, &Token::new(token.to_owned()));
        let stored = serde_json::to_string(&of("hvs.a")).unwrap();
        assert_eq!(serde_json::from_str::<SaltedId>(&stored).unwrap(), of("hvs.a"));
        assert_ne!(of("hvs.a"), of("hvs.b"));
        assert_eq!(SaltedId::parse("00"), None);
    }
}
