use serde::{Deserialize, Serialize};
use wire::router::v1;

/// The headers that pages from elsewhere may always send.
const ALWAYS: [&str; 10] = [
    "Content-Type",
    "X-Requested-With",
    "X-Vault-AWS-IAM-Server-ID",
    "X-Vault-MFA",
    "X-Vault-No-Request-Forwarding",
    "X-Vault-Wrap-Format",
    "X-Vault-Wrap-TTL",
    "X-Vault-Policy-Override",
    "Authorization",
    "X-Vault-Token",
];

/// Which pages from elsewhere may ask, and with which headers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CrossOrigin {
    origins: Vec<String>,
    /// Beside those that are always allowed.
    headers: Vec<String>,
}

impl CrossOrigin {
    /// None: the origins allow nobody, or both everybody and somebody.
    pub(crate) fn new(origins: Vec<String>, mut headers: Vec<String>) -> Option<Self> {
        let fits = !origins.is_empty() && (origins.len() == 1 || !origins.iter().any(|origin| origin == "*"));
        headers.retain(|header| !ALWAYS.iter().any(|always| always.eq_ignore_ascii_case(header)));
        fits.then_some(Self { origins, headers })
    }

    pub(crate) fn origins(&self) -> &[String] {
        &self.origins
    }

    pub(crate) fn headers(&self) -> impl Iterator<Item = &str> {
        ALWAYS.into_iter().chain(self.headers.iter().map(String::as_str))
    }

    /// As gateways are told.
    pub(crate) fn told(&self) -> v1::CrossOrigin {
        v1::CrossOrigin {
            origins: self.origins.clone(),
            headers: self.headers().map(str::to_owned).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_allowed_alone_or_not_at_all() {
        let new = |origins: &[&str]| {
            CrossOrigin::new(origins.iter().map(ToString::to_string).collect(), Vec::new()).is_some()
        };
        assert!(new(&["*"]));
        assert!(new(&["http://a.example", "http://b.example"]));
        assert!(!new(&[]));
        assert!(!new(&["*", "http://a.example"]));
    }

    #[test]
    fn a_header_is_allowed_once() {
        let headers = vec!["x-vault-token".to_owned(), "X-Custom".to_owned()];
        let setting = CrossOrigin::new(vec!["*".to_owned()], headers).unwrap();
        assert_eq!(setting.headers().count(), ALWAYS.len() + 1);
        assert_eq!(setting.headers().last(), Some("X-Custom"));
    }
}
