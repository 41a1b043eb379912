use std::{collections::HashMap, time::Duration};

use domain::{InvalidDuration, parse_bool, parse_duration};
use serde_json::{Map, Value};

/// Why a parameter was not understood; in Vault's words, which name Go's functions.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidField {
    /// The body as a whole.
    #[error("error parsing JSON: failed to parse JSON input: {0}")]
    Json(String),
    /// One of its members.
    #[error("Field validation failed: error converting input for field {name:?}: {why}")]
    Member {
        /// Its name.
        name: String,
        /// What is wrong.
        why: String,
    },
}

/// The parameters of a request to one of our own endpoints, taken as loosely as Vault takes them: a number for a text,
/// a text for a number, a text with commas for a list. `null` is the same as absent.
#[derive(Debug, Default)]
pub(crate) struct Fields(Map<String, Value>);

/// A duration as it was written, and what it means.
#[derive(Debug)]
pub(crate) struct WrittenDuration {
    pub(crate) text: String,
    pub(crate) value: Result<Duration, InvalidDuration>,
}

impl Fields {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, InvalidField> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(Value::Null) => Ok(Self::default()),
            Ok(other) => Err(InvalidField::Json(format!(
                "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                sort(&other)
            ))),
            Err(error) => Err(InvalidField::Json(error.to_string())),
        }
    }

    /// The same, with names in any case: the endpoints without an envelope take them so.
    pub(crate) fn in_any_case(self) -> Self {
        Self(self.0.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All that was given.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter()
    }

    /// Whether it was given, even if empty.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, InvalidField> {
        self.value(name).map(|value| plain(name, value)).transpose()
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, InvalidField> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let text = match value {
            Value::Bool(flag) => return Ok(Some(*flag)),
            other => plain(name, other)?,
        };
        match text.as_str() {
            "" => Ok(Some(false)),
            other => parse_bool(other).map(Some).ok_or_else(|| {
                let why =
                    format!("cannot parse '' as bool: strconv.ParseBool: parsing {other:?}: invalid syntax");
                member(name, why)
            }),
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, InvalidField> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let text = plain(name, value)?;
        let number = if text.is_empty() { Ok(0) } else { text.parse() };
        number.map(Some).map_err(|_| {
            let why = format!("cannot parse '' as int: strconv.ParseInt: parsing {text:?}: invalid syntax");
            member(name, why)
        })
    }

    /// A list, or one text with commas.
    pub(crate) fn list(&self, name: &str) -> Result<Option<Vec<String>>, InvalidField> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let items: Vec<String> = match value {
            Value::Array(items) => items.iter().map(|item| plain(name, item)).collect::<Result<_, _>>()?,
            other => plain(name, other)?.split(',').map(|item| item.trim().to_owned()).collect(),
        };
        Ok(Some(items.into_iter().filter(|item| !item.is_empty()).collect()))
    }

    /// A list of texts; a single text is one item, whatever is in it.
    pub(crate) fn items(&self, name: &str) -> Result<Option<Vec<String>>, InvalidField> {
        match self.value(name) {
            Some(Value::Array(_)) => self.list(name),
            Some(single) => Ok(Some(vec![plain(name, single)?])),
            None => Ok(None),
        }
    }

    pub(crate) fn map(&self, name: &str) -> Result<Option<HashMap<String, String>>, InvalidField> {
        let Some(fields) = self.object(name)? else { return Ok(None) };
        let entries = fields.0.iter().filter(|(_, value)| !value.is_null());
        entries.map(|(key, value)| Ok((key.clone(), plain(name, value)?))).collect::<Result<_, _>>().map(Some)
    }

    /// Pairs, as an object or as a text or list of texts `key=value`, which is how the command line sends them.
    pub(crate) fn pairs(&self, name: &str) -> Result<Option<HashMap<String, String>>, InvalidField> {
        if matches!(self.value(name), None | Some(Value::Object(_))) {
            return self.map(name);
        }
        let pairs = self.items(name)?.unwrap_or_default().into_iter().filter(|pair| !pair.is_empty());
        let split = |pair: String| {
            let parts = pair.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
            parts.ok_or_else(|| member(name, "'' expected a map of key=value pairs".to_owned()))
        };
        pairs.map(split).collect::<Result<_, _>>().map(Some)
    }

    /// An object inside this one.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Self>, InvalidField> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Self(members.clone()))),
            Some(other) => Err(member(name, format!("'' expected a map, got '{}'", sort(other)))),
        }
    }

    /// A duration, with the text it was written as, which error messages quote.
    pub(crate) fn duration(&self, name: &str) -> Result<Option<WrittenDuration>, InvalidField> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let value = parse_duration(&text);
        Ok(Some(WrittenDuration { text, value }))
    }

    /// The names that are not among these, sorted.
    pub(crate) fn others(&self, known: &[&str]) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.0.keys().map(String::as_str).filter(|name| !known.contains(name)).collect();
        names.sort_unstable();
        names
    }

    /// What is said of names that are not among these, if there are any.
    pub(crate) fn unknown_warning(&self, known: &[&str]) -> Option<String> {
        let others = self.others(known);
        (!others.is_empty())
            .then(|| format!("Endpoint ignored these unrecognized parameters: [{}]", others.join(" ")))
    }

    /// Whether it was given, as nothing.
    pub(crate) fn is_null(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(Value::is_null)
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }
}

fn plain(name: &str, value: &Value) -> Result<String, InvalidField> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(if *flag { "1" } else { "0" }.to_owned()),
        other => {
            Err(member(name, format!("'' expected type 'string', got unconvertible type '{}'", sort(other))))
        }
    }
}

fn member(name: &str, why: String) -> InvalidField {
    InvalidField::Member { name: name.to_owned(), why }
}

const fn sort(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(body: &str) -> Fields {
        Fields::parse(body.as_bytes()).unwrap()
    }

    #[test]
    fn values_are_taken_in_every_form_that_clients_send() {
        let fields = fields(r#"{"n":"5","m":7,"b":"true","c":1,"l":"a, b","k":["a","b"],"t":3600,"z":null}"#);
        assert_eq!(fields.number("n"), Ok(Some(5)));
        assert_eq!(fields.number("m"), Ok(Some(7)));
        assert_eq!(fields.flag("b"), Ok(Some(true)));
        assert_eq!(fields.flag("c"), Ok(Some(true)));
        assert_eq!(fields.list("l"), fields.list("k"));
        assert_eq!(fields.duration("t").unwrap().unwrap().value, Ok(Duration::from_secs(3600)));
        assert_eq!(fields.text("z"), Ok(None));
        assert_eq!(fields.text("absent"), Ok(None));
    }

    #[test]
    fn a_wrong_value_names_its_field_as_vault_does() {
        let error = fields(r#"{"num_uses":"abc"}"#).number("num_uses").unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"Field validation failed: error converting input for field "num_uses": cannot parse '' as int: strconv.ParseInt: parsing "abc": invalid syntax"#
        );
        let error = fields(r#"{"options":"x"}"#).map("options").unwrap_err();
        assert!(error.to_string().ends_with("'' expected a map, got 'string'"));
    }

    #[test]
    fn a_body_is_an_object_or_nothing() {
        for empty in ["", "null", "{}"] {
            assert!(!fields(empty).has("a"));
        }
        assert!(Fields::parse(b"[1]").unwrap_err().to_string().contains("cannot unmarshal array"));
        assert!(Fields::parse(b"{").is_err());
    }

    #[test]
    fn names_may_be_in_any_case_where_that_is_asked_for() {
        assert_eq!(fields(r#"{"Reset":true}"#).in_any_case().flag("reset"), Ok(Some(true)));
    }
}
