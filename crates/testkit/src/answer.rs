//! What the server answered.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// One answer: its status, headers and body, and the request that it belongs to.
#[derive(Debug)]
pub struct Answer {
    /// The request, for messages.
    pub request: String,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body: JSON, a string when it is not JSON, null when it is empty.
    pub body: Value,
}

impl Answer {
    pub(crate) fn new(request: String, status: u16, headers: HeaderMap, body: &[u8]) -> Self {
        let body = match body {
            [] => Value::Null,
            text => serde_json::from_slice(text)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(text).into_owned())),
        };
        Self { request, status, headers, body }
    }

    /// Whether the status is one of success.
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body of an answer that has to be a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.is_ok(), "{self}");
        self.body
    }

    /// The `data` of an answer that has to be a success.
    #[track_caller]
    pub fn data(self) -> Value {
        self.ok()["data"].take()
    }

    /// The text of the errors of an answer that has to be a refusal with this status.
    #[track_caller]
    pub fn refused(self, status: u16) -> String {
        assert_eq!(self.status, status, "{self}");
        self.errors()
    }

    /// The error texts, one a line.
    pub fn errors(&self) -> String {
        let texts = self.body["errors"].as_array().into_iter().flatten().filter_map(Value::as_str);
        texts.collect::<Vec<_>>().join("\n")
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = self.body.to_string();
        write!(out, "{} was answered {}: ", self.request, self.status)?;
        write!(out, "{}", body.get(..2_000).unwrap_or(&body))
    }
}
