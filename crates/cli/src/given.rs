use std::fmt;

use clap::ArgMatches;
use serde_json::{Map, Number, Value};

use crate::{
    Error,
    error::Result,
    leaf::{Flag, Kind},
};

/// What the user gave to one command. What a command does not have is not given.
#[derive(Clone, Copy)]
pub struct Given<'m>(&'m ArgMatches);

impl<'m> Given<'m> {
    /// What clap made of it.
    pub const fn new(matches: &'m ArgMatches) -> Self {
        Self(matches)
    }

    fn one<T: Clone + Send + Sync + 'static>(&self, name: &str) -> Option<&'m T> {
        self.0.try_get_one::<T>(name).ok().flatten()
    }

    /// The value of a flag, or what stands in a place.
    pub fn text(&self, name: &str) -> Option<&'m str> {
        self.one::<String>(name).map(String::as_str)
    }

    /// What stands in a place that cannot be left out.
    pub fn place(&self, name: &str) -> &'m str {
        self.text(name).unwrap_or_default()
    }

    /// All values of a flag or of a place that takes many, as they are.
    pub fn many(&self, name: &str) -> Vec<String> {
        self.0.try_get_many::<String>(name).ok().flatten().into_iter().flatten().cloned().collect()
    }

    /// All values of a flag that takes several with commas between them.
    pub fn list(&self, name: &str) -> Vec<String> {
        let given = self.many(name);
        let parts = given.iter().flat_map(|text| text.split(',')).map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    /// Whether a flag says true or false, if it was given.
    pub fn truth(&self, name: &str) -> Option<bool> {
        self.one::<bool>(name).copied()
    }

    /// Whether a flag says true.
    pub fn on(&self, name: &str) -> bool {
        self.truth(name).unwrap_or_default()
    }

    /// The number that a flag says.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.one::<i64>(name).copied()
    }

    /// The pairs that a flag was given.
    pub fn pairs(&self, name: &str) -> Result<Vec<(String, String)>> {
        let pair = |text: String| match text.split_once('=') {
            Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
            None => Err(Error::local(format!("-{name}: {text:?} is no KEY=VALUE"))),
        };
        self.many(name).into_iter().map(pair).collect()
    }

    /// What the given ones of these flags put into a request.
    pub fn body<'f>(&self, flags: impl IntoIterator<Item = &'f Flag>) -> Result<Map<String, Value>> {
        let mut body = Map::new();
        for flag in flags.into_iter().filter(|flag| !flag.field.is_empty()) {
            if let Some(value) = self.value(flag)? {
                put(&mut body, flag.field, value);
            }
        }
        Ok(body)
    }

    fn value(&self, flag: &Flag) -> Result<Option<Value>> {
        let name = flag.name;
        if !matches!(self.0.try_contains_id(name), Ok(true)) {
            return Ok(None);
        }
        Ok(match flag.kind {
            Kind::Text => self.text(name).map(Value::from),
            Kind::Truth => self.truth(name).map(Value::from),
            Kind::Number => self.number(name).map(|number| Value::Number(Number::from(number))),
            Kind::Duration => self.text(name).map(|text| duration(name, text)).transpose()?,
            Kind::List => Some(self.list(name)).filter(|list| !list.is_empty()).map(Value::from),
            Kind::Many => Some(self.many(name)).filter(|list| !list.is_empty()).map(Value::from),
            Kind::Pairs => {
                let pairs = self.pairs(name)?;
                (!pairs.is_empty())
                    .then(|| Value::Object(pairs.into_iter().map(|(k, v)| (k, v.into())).collect()))
            }
        })
    }
}

impl fmt::Debug for Given<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.ids()).finish()
    }
}

/// A duration as it is sent; `system` means the server's own.
fn duration(name: &str, text: &str) -> Result<Value> {
    if matches!(text, "system" | "-1") {
        return Ok("system".into());
    }
    let duration = domain::parse_duration(text);
    let duration = duration.map_err(|error| Error::local(format!("-{name} is no duration: {error}")))?;
    Ok(domain::format_go_duration(duration).into())
}

/// Puts a value at `outer.inner`.
fn put(body: &mut Map<String, Value>, field: &str, value: Value) {
    match field.split_once('.') {
        None => drop(body.insert(field.to_owned(), value)),
        Some((outer, inner)) => {
            let below = body.entry(outer).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(below) = below {
                put(below, inner, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Command;
    use serde_json::json;

    use super::*;

    const FLAGS: &[Flag] = &[
        Flag::new(Kind::Text, "text", "t", ""),
        Flag::new(Kind::Truth, "truth", "inner.truth", ""),
        Flag::new(Kind::Number, "number", "inner.number", ""),
        Flag::new(Kind::Duration, "ttl", "ttl", ""),
        Flag::new(Kind::List, "list", "list", ""),
        Flag::new(Kind::Pairs, "pairs", "pairs", ""),
    ];

    fn body(words: &[&str]) -> Result<Value> {
        let command = Command::new("x").no_binary_name(true).args(FLAGS.iter().map(Flag::arg));
        Given::new(&command.get_matches_from(words)).body(FLAGS).map(Value::Object)
    }

    #[test]
    fn only_what_was_given_is_sent_and_where_it_belongs() {
        assert_eq!(body(&[]).unwrap(), json!({}));
        let given =
            ["--text=", "--truth", "--number=-1", "--ttl=90m", "--list=a,b", "--list=c", "--pairs=k=v=w"];
        let sent = json!({
            "t": "", "inner": {"truth": true, "number": -1}, "ttl": "1h30m0s", "list": ["a", "b", "c"], "pairs": {"k": "v=w"},
        });
        assert_eq!(body(&given).unwrap(), sent);
        assert_eq!(body(&["--truth=false"]).unwrap(), json!({"inner": {"truth": false}}));
    }

    #[test]
    fn values_that_are_none_of_their_kind_are_refused() {
        for given in ["--ttl=soon", "--pairs=k"] {
            assert!(matches!(body(&[given]), Err(Error::Local(_))), "{given}");
        }
    }
}
