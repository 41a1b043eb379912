use std::collections::{BTreeMap, HashMap};

use ::audit::Veiled;
use serde::{Deserialize, Serialize};
use wire::pb;

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
    pub(super) fn of<'r>(
        &'r self,
        request: &'r HashMap<String, pb::Header>,
    ) -> BTreeMap<&'r str, Vec<Veiled<'r>>> {
        let recorded = request.iter().filter_map(|(name, values)| {
            let (name, header) = self.0.get_key_value(&name.to_lowercase())?;
            let value = |value: &'r String| match header.hmac {
                true => Veiled::Secret(value),
                false => Veiled::Shown(value.into()),
            };
            Some((name.as_str(), values.header.iter().map(value).collect()))
        });
        recorded.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_headers_that_are_configured_are_recorded_in_any_case() {
        let pair = |name: &str| (name.to_owned(), pb::Header { header: vec!["v".to_owned()] });
        let request = HashMap::from([pair("User-Agent"), pair("X-Secret"), pair("X-Other")]);
        let headers = Headers::default().with("X-secret", true);
        let recorded = headers.of(&request);
        assert_eq!(recorded.keys().copied().collect::<Vec<_>>(), ["user-agent", "x-secret"]);
        assert!(matches!(recorded["x-secret"][..], [Veiled::Secret("v")]));
        assert!(matches!(recorded["user-agent"][..], [Veiled::Shown(_)]));
        assert_eq!(headers.without("X-SECRET"), Headers::default());
    }
}
