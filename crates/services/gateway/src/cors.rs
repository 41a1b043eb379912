//! Pages from elsewhere that ask in a browser.

use axum::response::Response;
use bytes::Bytes;
use domain::Kind;
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
    },
};
use wire::{Failure, router::v1::CrossOrigin};

use crate::answer::with_body;

const METHODS: [&str; 7] = ["DELETE", "GET", "OPTIONS", "POST", "PUT", "PATCH", "LIST"];

/// How long, in seconds, a browser may remember what it was allowed.
const MAX_AGE: HeaderValue = HeaderValue::from_static("300");

/// A request from a page that may ask.
#[derive(Debug)]
pub struct Crossing {
    origin: HeaderValue,
    headers: Vec<String>,
}

impl Crossing {
    /// Lets a page in whose origin is allowed.
    ///
    /// # Errors
    /// It is not.
    pub fn admit(origin: HeaderValue, rules: CrossOrigin) -> Result<Self, Failure> {
        let named = |allowed: &String| allowed == "*" || allowed.as_bytes() == origin.as_bytes();
        if !rules.origins.iter().any(named) {
            return Err(Failure::new(Kind::Denied, "origin not allowed"));
        }
        Ok(Self { origin, headers: rules.headers })
    }

    /// The answer to a browser that asks before it asks; nobody else is asked for it.
    ///
    /// # Errors
    /// It wants to ask in a way that there is not.
    pub fn preflight(&self, method: &Method, asked: &HeaderMap) -> Result<Option<Response>, Failure> {
        if *method != Method::OPTIONS {
            return Ok(None);
        }
        let wanted = asked.get(ACCESS_CONTROL_REQUEST_METHOD).map_or(&b""[..], HeaderValue::as_bytes);
        if !METHODS.iter().any(|method| method.as_bytes() == wanted) {
            return Err(Failure::silent(Kind::Unsupported));
        }
        let mut response = with_body(StatusCode::OK, Bytes::new());
        let answer = response.headers_mut();
        for (name, value) in [
            (ACCESS_CONTROL_ALLOW_METHODS, METHODS.join(",")),
            (ACCESS_CONTROL_ALLOW_HEADERS, self.headers.join(",")),
        ] {
            if let Ok(value) = HeaderValue::try_from(value) {
                answer.insert(name, value);
            }
        }
        answer.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        Ok(Some(response))
    }

    /// Tells the browser that the page may see the answer.
    pub fn mark(self, response: &mut Response) {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.origin);
        response.headers_mut().append(VARY, HeaderValue::from_static("Origin"));
    }
}

/// Where the page is from that asks; only browsers say that.
pub fn origin(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(ORIGIN).filter(|origin| !origin.is_empty()).cloned()
}
