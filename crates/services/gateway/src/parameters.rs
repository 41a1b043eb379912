use std::borrow::Cow;

use bytes::Bytes;
use indexmap::IndexMap;
use serde::Serialize;

use crate::json::{Limits, RESERVED, Refused};

/// The parameters of a query or form, in their order; a key may come several times.
#[derive(Debug, Default)]
pub struct Parameters<'q>(IndexMap<Cow<'q, str>, Vec<Cow<'q, str>>>);

/// A value as Vault hands it to its backends.
#[derive(Serialize)]
#[serde(untagged)]
enum Value<'v> {
    One(&'v str),
    Many(&'v [Cow<'v, str>]),
    Joined(String),
}

impl<'q> Parameters<'q> {
    /// Reads what is written as in the query of an address.
    pub fn read(text: &'q [u8]) -> Self {
        let mut all = IndexMap::<_, Vec<_>>::new();
        for (key, value) in form_urlencoded::parse(text) {
            all.entry(key).or_default().push(value);
        }
        Self(all)
    }

    /// The first value of a key; empty when there is none.
    pub fn first(&self, key: &str) -> &str {
        self.0.get(key).and_then(|values| values.first()).map_or("", AsRef::as_ref)
    }

    /// Whether the key is there at all.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Takes a key out that meant something to us and means nothing to anyone behind us.
    pub fn remove(&mut self, key: &str) {
        self.0.shift_remove(key);
    }

    /// A JSON object of texts, with a list for a key that came several times; empty when there are none.
    pub fn into_query_data(self) -> Result<Bytes, Refused> {
        object(&self.0, |values| match values {
            [one] => Value::One(one),
            many => Value::Many(many),
        })
    }

    /// A JSON object of texts, with the values of a key that came several times joined by commas.
    pub fn into_form_data(self, limits: &Limits) -> Result<Bytes, Refused> {
        if self.0.len() > limits.entries {
            return Err(Refused::Entries);
        }
        if self.0.iter().any(|(key, values)| key.len().max(joined_len(values)) > limits.string) {
            return Err(Refused::String);
        }
        object(&self.0, |values| match values {
            [one] => Value::One(one),
            many => Value::Joined(many.join(",")),
        })
    }
}

fn joined_len(values: &[Cow<'_, str>]) -> usize {
    values.iter().map(|value| value.len() + 1).sum::<usize>().saturating_sub(1)
}

fn object<'v>(
    all: &'v IndexMap<Cow<'_, str>, Vec<Cow<'v, str>>>,
    value: impl Fn(&'v [Cow<'v, str>]) -> Value<'v>,
) -> Result<Bytes, Refused> {
    if all.is_empty() {
        return Ok(Bytes::new());
    }
    if all.keys().any(|key| key.starts_with(RESERVED)) {
        return Err(Refused::Reserved);
    }
    let shown: IndexMap<&str, Value<'v>> = all.iter().map(|(key, values)| (&**key, value(values))).collect();
    // Texts under text keys: this cannot fail to be JSON.
    Ok(serde_json::to_vec(&shown).map(Bytes::from).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_becomes_an_object_of_texts() {
        let data = |query: &str| Parameters::read(query.as_bytes()).into_query_data().unwrap();
        assert_eq!(data(""), "");
        assert_eq!(data("version=1"), r#"{"version":"1"}"#);
        assert_eq!(data("v=v0.0.0%2Bmock&e=&x+y=%22"), r#"{"v":"v0.0.0+mock","e":"","x y":"\""}"#);
        assert_eq!(data("a=1&b=2&a=3"), r#"{"a":["1","3"],"b":"2"}"#);
    }

    #[test]
    fn a_form_joins_what_is_repeated() {
        let limits = Limits::default();
        let data = Parameters::read(b"a=b&c=d&c=e").into_form_data(&limits).unwrap();
        assert_eq!(data, r#"{"a":"b","c":"d,e"}"#);
    }

    #[test]
    fn a_form_has_the_limits_of_json() {
        let limits = Limits { entries: 2, string: 4, ..Limits::default() };
        let data = |form: &str| Parameters::read(form.as_bytes()).into_form_data(&limits).map(drop);
        assert_eq!(data("a=1&b=2"), Ok(()));
        assert_eq!(data("a=1&b=2&c=3"), Err(Refused::Entries));
        assert_eq!(data("a=12345"), Err(Refused::String));
        assert_eq!(data("a=12&a=34"), Err(Refused::String));
    }

    #[test]
    fn a_name_that_our_json_library_keeps_for_itself_is_refused() {
        let data = || Parameters::read(b"%24serde_json::private::Number=");
        assert_eq!(data().into_query_data(), Err(Refused::Reserved));
        assert_eq!(data().into_form_data(&Limits::default()), Err(Refused::Reserved));
    }
}
