use std::{borrow::Cow, fmt};

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A text that is secret until a device has made of it what it may show.
#[derive(Clone)]
pub enum Veiled<'a> {
    /// As it is. Nobody can print or serialise it.
    Secret(&'a str),
    /// What a device shows of it.
    Shown(Cow<'a, str>),
}

/// A JSON value whose texts and numbers are secret until a device has made of them what it may show.
#[derive(Clone)]
pub enum VeiledJson<'a> {
    /// As it is; empty: there is none.
    Secret(&'a [u8]),
    /// What a device shows of it.
    Shown(Box<RawValue>),
}

/// What stands for something that no device has been asked about.
const VEIL: &str = "[secret]";

impl Veiled<'_> {
    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Secret(text) => text.is_empty(),
            Self::Shown(text) => text.is_empty(),
        }
    }
}

impl VeiledJson<'_> {
    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Secret(b"" | b"null" | b"{}"))
    }
}

impl Default for Veiled<'_> {
    fn default() -> Self {
        Self::Secret("")
    }
}

impl Default for VeiledJson<'_> {
    fn default() -> Self {
        Self::Secret(b"")
    }
}

impl Serialize for Veiled<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Secret(_) => VEIL.serialize(serializer),
            Self::Shown(text) => text.serialize(serializer),
        }
    }
}

impl Serialize for VeiledJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Secret(_) => VEIL.serialize(serializer),
            Self::Shown(json) => json.serialize(serializer),
        }
    }
}

impl fmt::Debug for Veiled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(VEIL)
    }
}

impl fmt::Debug for VeiledJson<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(VEIL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a3_what_is_veiled_cannot_be_printed_or_serialised() {
        let (text, json) = (Veiled::Secret("canary"), VeiledJson::Secret(b"{\"a\":\"canary\"}"));
        let seen = format!("{text:?}{json:?}{}", serde_json::to_string(&(&text, &json)).unwrap());
        assert!(!seen.contains("canary"), "{seen}");
    }
}
