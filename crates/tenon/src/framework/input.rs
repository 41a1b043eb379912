use std::{borrow::Cow, collections::BTreeMap};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, value::MapDeserializer},
};
use serde_json::value::{RawValue, to_raw_value};

use super::{coerce::coerce, field::Field, pattern::Captures};
use crate::{Error, Result};

/// What a request carries, put right: the named parts of its path, and its body. The body is parsed here and nowhere else.
pub(super) struct Input<'r> {
    values: BTreeMap<Cow<'r, str>, Cow<'r, RawValue>>,
    /// Keys of the body that no field is called.
    pub(super) unknown: Vec<String>,
    /// Keys of the body that the path has overridden.
    pub(super) replaced: Vec<String>,
}

impl<'r> Input<'r> {
    /// Parses the body, and lets the path override it.
    ///
    /// # Errors
    /// The body is no JSON object.
    pub(super) fn parse(
        body: &'r [u8],
        captures: &Captures<'_>,
        fields: &BTreeMap<&'static str, Field>,
    ) -> Result<Self> {
        let mut values: BTreeMap<Cow<'r, str>, Cow<'r, RawValue>> = BTreeMap::new();
        if !body.is_empty() && body != b"null" {
            let body: BTreeMap<Key<'r>, &'r RawValue> = serde_json::from_slice(body)
                .map_err(|_| Error::refused("the request's data is not a JSON object"))?;
            values.extend(body.into_iter().map(|(key, value)| (key.0, Cow::Borrowed(value))));
        }
        let unknown =
            values.keys().filter(|key| !fields.contains_key(key.as_ref())).map(ToString::to_string).collect();
        let mut replaced = Vec::new();
        for (name, part) in captures {
            let part = to_raw_value(part).map_err(|error| Error::Internal(error.to_string()))?;
            if values.insert(Cow::Borrowed(name), Cow::Owned(part)).is_some() {
                replaced.push((*name).to_owned());
            }
        }
        Ok(Self { values, unknown, replaced })
    }

    /// Puts every field right.
    ///
    /// # Errors
    /// The sentence for the first field that cannot be.
    pub(super) fn coerce(mut self, fields: &BTreeMap<&'static str, Field>) -> Result<Self, String> {
        for (name, field) in fields {
            let Some((name, value)) = self.values.remove_entry(*name) else { continue };
            let failed = |sentence| format!("error converting input for field {name:?}: {sentence}");
            let value = match value {
                Cow::Borrowed(value) => coerce(field.kind, value).map_err(failed)?,
                Cow::Owned(value) => Cow::Owned(coerce(field.kind, &value).map_err(failed)?.into_owned()),
            };
            self.values.insert(name, value);
        }
        Ok(self)
    }

    /// Reads all into a type.
    ///
    /// # Errors
    /// What serde says: mostly that a field is missing.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T> {
        let values = self.values.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        T::deserialize(MapDeserializer::new(values))
            .map_err(|error: serde_json::Error| Error::refused(without_value(&error.to_string())))
    }
}

/// What serde says of a value that does not fit begins with the value, which may be a secret.
fn without_value(sentence: &str) -> String {
    match sentence.rsplit_once(", expected ") {
        Some((_, expected)) => format!("a value is not of its field's type, expected {expected}"),
        None => sentence.to_owned(),
    }
}

/// A key of a JSON object, borrowed unless it has escapes.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'r>(#[serde(borrow)] Cow<'r, str>);

/// For serde's `deserialize_with`: a field that is there is `Some`, even when it is `null`.
///
/// # Errors
/// Those of the type.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}
