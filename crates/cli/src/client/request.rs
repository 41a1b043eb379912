use std::fmt;

use domain::Token;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use reqwest::{Method, Url};
use serde_json::Value;

use super::ParseError;

/// What would end a path, or not be one, if it stood there as it is.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What is asked of a server.
#[derive(Clone)]
pub struct Request {
    /// How.
    pub method: Method,
    /// Where, without `/v1/`.
    pub path: String,
    /// What is asked for beside it.
    pub query: Vec<(String, String)>,
    /// What is sent.
    pub body: Option<Value>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// Who asks, if it is not who asks otherwise.
    pub token: Option<Token>,
    /// Nobody asks.
    pub anonymous: bool,
    /// The answer is wanted as it is, whatever is said about wrapping.
    pub plain: bool,
    /// It is sent even when the user wants to see a request rather than send it: this one only finds something out.
    pub always: bool,
    /// Statuses of failures that are answers to this request.
    pub bears: &'static [u16],
}

impl Request {
    fn new(method: Method, path: impl Into<String>, body: Option<Value>) -> Self {
        let path = path.into().trim_matches('/').to_owned();
        Self {
            method,
            path,
            query: Vec::new(),
            body,
            headers: Vec::new(),
            token: None,
            anonymous: false,
            plain: false,
            always: false,
            bears: &[],
        }
    }

    /// Reads.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, None)
    }

    /// Lists.
    pub fn list(path: impl Into<String>) -> Self {
        Self::get(path).with("list", "true")
    }

    /// Writes.
    pub fn put(path: impl Into<String>, body: impl Into<Value>) -> Self {
        Self::new(Method::PUT, path, Some(body.into()))
    }

    /// Writes nothing, but makes something happen.
    pub fn act(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path, None)
    }

    /// Writes, with the other verb.
    pub fn post(path: impl Into<String>, body: impl Into<Value>) -> Self {
        Self::new(Method::POST, path, Some(body.into()))
    }

    /// Changes a part.
    pub fn patch(path: impl Into<String>, body: impl Into<Value>) -> Self {
        Self::new(Method::PATCH, path, Some(body.into()))
    }

    /// Deletes.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path, None)
    }

    /// The same with a parameter.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// The same, sent by somebody else.
    pub fn by(self, token: Token) -> Self {
        Self { token: Some(token), ..self }
    }

    /// The same, for finding something out before what the user asked for.
    pub fn beforehand(self) -> Self {
        Self { plain: true, always: true, ..self }
    }

    /// Where it goes.
    pub(super) fn url(&self, address: &str) -> Result<Url, ParseError> {
        let path = utf8_percent_encode(&self.path, PATH);
        let mut url = Url::parse(&format!("{}/v1/{path}", address.trim_end_matches('/')))?;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }
}

/// What is sent may be a secret.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_arrives_as_it_was_written() {
        let url = Request::list("/secret/a b?c#d%2e").url("http://h:1/").unwrap();
        assert_eq!(url.as_str(), "http://h:1/v1/secret/a%20b%3Fc%23d%252e?list=true");
    }

    proptest! {
        #[test]
        fn no_path_becomes_a_query_or_another_host(path in "[^./\\\\\u{0}-\u{1f}][^\\\\./\u{0}-\u{1f}]{0,20}") {
            let url = Request::get(&*path).url("http://h:1").unwrap();
            prop_assert_eq!((url.host_str(), url.query(), url.fragment()), (Some("h"), None, None));
            let sent = percent_encoding::percent_decode_str(url.path()).decode_utf8().unwrap();
            prop_assert_eq!(sent.into_owned(), format!("/v1/{path}"));
        }
    }
}
