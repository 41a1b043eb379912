use std::collections::BTreeMap;

use ::audit::Veiled;
use serde::{Deserialize, Serialize};
use wire::router::v1::HeaderLine;

/// The headers of requests that are recorded, by their names in lower case, and whether their values are hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Headers(BTreeMap<String, Header>);

/// How one header is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    hmac: bool,
}

impl Default for Headers {
    /// Those that Vault begins with.
    fn default() -> Self {
        let plain = |name: &str| (name.to_owned(), Header { hmac: false });
        Self(["correlation-id", "user-agent", "x-correlation-id"].map(plain).into())
    }
}

impl Headers {
    pub(crate) const fn all(&self) -> &BTreeMap<String, Header> {
        &self.0
    }

    pub(crate) fn get(&self, name: &str) -> Option<Header> {
        self.0.get(&name.to_lowercase()).copied()
    }

    pub(super) fn with(&self, name: &str, hmac: bool) -> Self {
        let mut headers = self.0.clone();
        headers.insert(name.to_lowercase(), Header { hmac });
        Self(headers)
    }

    pub(super) fn without(&self, name: &str) -> Self {
        let mut headers = self.0.clone();
        headers.remove(&name.to_lowercase());
        Self(headers)
    }

    /// What is recorded of a request's headers.
    pub(super) fn of<'r>(&'r self, request: &'r [HeaderLine]) -> BTreeMap<&'r str, Vec<Veiled<'r>>> {
        let mut recorded: BTreeMap<&str, Vec<Veiled<'_>>> = BTreeMap::new();
        for line in request {
            if let Some((name, header)) = self.0.get_key_value(text(&line.name)) {
                let value = text(&line.value);
                let value = if header.hmac { Veiled::Secret(value) } else { Veiled::Shown(value.into()) };
                recorded.entry(name).or_default().push(value);
            }
        }
        recorded
    }
}

/// Lines are text from the start.
fn text(part: &[u8]) -> &str {
    str::from_utf8(part).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_headers_that_are_configured_are_recorded_in_any_case() {
        let line = |name: &'static str| HeaderLine { name: name.into(), value: "v".into() };
        let request = ["user-agent", "x-secret", "x-other"].map(line);
        let headers = Headers::default().with("X-secret", true);
        let recorded = headers.of(&request);
        assert_eq!(recorded.keys().copied().collect::<Vec<_>>(), ["user-agent", "x-secret"]);
        assert!(matches!(recorded["x-secret"][..], [Veiled::Secret("v")]));
        assert!(matches!(recorded["user-agent"][..], [Veiled::Shown(_)]));
        assert_eq!(headers.without("X-SECRET"), Headers::default());
    }
}
