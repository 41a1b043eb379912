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

/// How a value is written, for the reference.
pub(crate) trait Shown {
    fn shown(&self) -> String;

    /// In a table.
    fn told(&self) -> String {
        format!("`{}`", self.shown())
    }
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

impl Shown for bool {
    fn shown(&self) -> String {
        self.to_string()
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

impl Shown for String {
    fn shown(&self) -> String {
        self.clone()
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

impl Shown for u64 {
    fn shown(&self) -> String {
        self.to_string()
    }
}

/// A part of a whole.
#[derive(Clone, Copy)]
pub(crate) struct Ratio(pub(crate) f64);

impl Setting for Ratio {
    const ALLOWED: &'static str = "a number from 0 to 1";

    fn read(value: &Value) -> Option<Self> {
        let (Value::Number(text) | Value::Text(text)) = value else { return None };
        text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio)).map(Self)
    }
}

impl Shown for Ratio {
    fn shown(&self) -> String {
        self.0.to_string()
    }
}

/// How large something may be.
#[derive(Clone, Copy)]
pub(crate) struct Bytes(pub(crate) u64);

impl Setting for Bytes {
    const ALLOWED: &'static str = "a whole number of bytes";

    fn read(value: &Value) -> Option<Self> {
        u64::read(value).map(Self)
    }
}

impl Shown for Bytes {
    fn shown(&self) -> String {
        self.0.to_string()
    }

    fn told(&self) -> String {
        format!("`{}`, {} MiB", self.0, self.0 >> 20)
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

impl Shown for Duration {
    fn shown(&self) -> String {
        let seconds = self.as_secs();
        match (self.subsec_millis(), seconds) {
            (millis @ 1.., _) => format!("{}ms", seconds * 1000 + u64::from(millis)),
            (_, 3600..) if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
            (_, 120..) if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
            _ => format!("{seconds}s"),
        }
    }
}

impl Setting for Address {
    const ALLOWED: &'static str = "HOST:PORT, such as \"127.0.0.1:8200\"";

    fn read(value: &Value) -> Option<Self> {
        String::read(value)?.parse().ok()
    }
}

impl Shown for Address {
    fn shown(&self) -> String {
        self.to_string()
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

impl Shown for TlsVersion {
    fn shown(&self) -> String {
        match self {
            Self::Tls12 => "tls12",
            Self::Tls13 => "tls13",
        }
        .to_owned()
    }
}

impl Setting for Level {
    const ALLOWED: &'static str = "\"trace\", \"debug\", \"info\", \"warn\", \"error\" or \"off\"";

    fn read(value: &Value) -> Option<Self> {
        String::read(value)?.parse().ok()
    }
}

impl Shown for Level {
    fn shown(&self) -> String {
        self.word().to_owned()
    }
}

impl Setting for Format {
    const ALLOWED: &'static str = "\"standard\" or \"json\"";

    fn read(value: &Value) -> Option<Self> {
        String::read(value)?.parse().ok()
    }
}

impl Shown for Format {
    fn shown(&self) -> String {
        match self {
            Self::Standard => "standard",
            Self::Json => "json",
        }
        .to_owned()
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
    fn what_is_shown_is_read_again() {
        for millis in [250, 1000, 90_000, 120_000, 768 * 3_600_000] {
            let time = Duration::from_millis(millis);
            assert_eq!(Duration::read(&text(&time.shown())), Some(time));
        }
        assert_eq!(Bytes(512 << 20).told(), "`536870912`, 512 MiB");
        assert_eq!(Level::read(&text(&Level::Warn.shown())), Some(Level::Warn));
        assert_eq!(Format::read(&text(&Format::Json.shown())), Some(Format::Json));
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
