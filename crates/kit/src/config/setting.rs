use std::{path::PathBuf, time::Duration};

use domain::{parse_bool, parse_duration};

use super::{address::Address, listener::TlsVersion, tree::Value};
use crate::logs::{Format, Level};

/// A value that a configuration can hold, as leniently as Vault reads it: `1` and `"true"` are true.
pub(crate) trait Setting: Sized {
    /// What is allowed, for the sentence that refuses.
    const ALLOWED: &'static str;

    /// Reads it; `None`: not allowed.
    fn read(value: &Value) -> Option<Self>;
}

impl Setting for bool {
    const ALLOWED: &'static str = "true or false";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(*value),
            Value::Number(text) | Value::Text(text) => match text.as_str() {
                "" => Some(false),
                text => parse_bool(text),
            },
            _ => None,
        }
    }
}

impl Setting for String {
    const ALLOWED: &'static str = "a text in quotes";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

impl Setting for PathBuf {
    const ALLOWED: &'static str = "a path in quotes, not empty";

    fn read(value: &Value) -> Option<Self> {
        String::read(value).filter(|text| !text.is_empty()).map(Self::from)
    }
}

/// Several texts. One alone will do, too: it may be a secret, which no sentence about a wrong value may show.
#[derive(Debug, Default)]
pub(crate) struct Texts(pub(crate) Vec<String>);

impl Setting for Texts {
    const ALLOWED: &'static str = "a list of texts in quotes";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::List(nodes) => {
                nodes.iter().map(|node| String::read(&node.value)).collect::<Option<_>>().map(Self)
            }
            Value::Text(text) => Some(Self(vec![text.clone()])),
            _ => None,
        }
    }
}

impl Setting for u64 {
    const ALLOWED: &'static str = "a whole number";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Number(text) | Value::Text(text) => text.parse().ok(),
            _ => None,
        }
    }
}

impl Setting for Duration {
    const ALLOWED: &'static str = "a duration such as \"90s\", \"5m\" or \"768h\", or a number of seconds";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Number(text) | Value::Text(text) => parse_duration(text).ok(),
            _ => None,
        }
    }
}

impl Setting for Address {
    const ALLOWED: &'static str = "HOST:PORT, such as \"127.0.0.1:8200\"";

    fn read(value: &Value) -> Option<Self> {
        String::read(value)?.parse().ok()
    }
}

/// An address with its scheme, as clients are told it.
pub(crate) struct Url(pub(crate) String);

impl Setting for Url {
    const ALLOWED: &'static str = "an address with its scheme, such as \"https://vault.example.com:8200\"";

    fn read(value: &Value) -> Option<Self> {
        let text = String::read(value)?;
        let uri: http::Uri = text.parse().ok()?;
        let known = matches!(uri.scheme_str(), Some("http" | "https"));
        (known && uri.host().is_some_and(|host| !host.is_empty())).then_some(Self(text))
    }
}

impl Setting for TlsVersion {
    const ALLOWED: &'static str = "\"tls12\" or \"tls13\"";

    fn read(value: &Value) -> Option<Self> {
        match String::read(value)?.as_str() {
            "tls12" => Some(Self::Tls12),
            "tls13" => Some(Self::Tls13),
            _ => None,
        }
    }
}

impl Setting for Level {
    const ALLOWED: &'static str = "\"trace\", \"debug\", \"info\", \"warn\", \"error\" or \"off\"";

    fn read(value: &Value) -> Option<Self> {
        String::read(value)?.parse().ok()
    }
}

impl Setting for Format {
    const ALLOWED: &'static str = "\"standard\" or \"json\"";

    fn read(value: &Value) -> Option<Self> {
        String::read(value)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn truth_is_read_as_leniently_as_vault_reads_it() {
        for value in [Value::Bool(true), Value::Number("1".to_owned()), text("true"), text("T")] {
            assert_eq!(bool::read(&value), Some(true), "{value:?}");
        }
        assert_eq!(bool::read(&text("yes")), None);
        assert_eq!(bool::read(&Value::Number("2".to_owned())), None);
    }

    #[test]
    fn durations_are_seconds_or_have_a_unit() {
        assert_eq!(Duration::read(&Value::Number("90".to_owned())), Some(Duration::from_secs(90)));
        assert_eq!(Duration::read(&text("768h")), Some(Duration::from_secs(768 * 3600)));
        assert_eq!(Duration::read(&text("soon")), None);
        assert_eq!(Duration::read(&Value::Number("-1".to_owned())), None);
    }

    #[test]
    fn addresses_for_clients_have_a_scheme_and_a_host() {
        for good in ["http://127.0.0.1:8200", "https://vault.example.com"] {
            assert!(Url::read(&text(good)).is_some(), "{good}");
        }
        for bad in ["127.0.0.1:8200", "ftp://a", "https://", "", "not an address"] {
            assert!(Url::read(&text(bad)).is_none(), "{bad}");
        }
    }
}
