//! What there is to record of an answer.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use domain::Kind;
use serde::Deserialize;
use serde_json::json;
use wire::{
    pb,
    router::v1::{Response, response::Body},
};

use crate::{Error, error::Result};

/// An answer, taken apart. It holds secrets, and cannot be printed.
#[derive(Default)]
pub(super) struct Outcome<'o> {
    pub(super) auth: Option<LoggedIn>,
    pub(super) wrapped: Option<Wrapped>,
    /// JSON; empty: there is none.
    pub(super) data: Cow<'o, [u8]>,
    pub(super) headers: Option<&'o HashMap<String, pb::Header>>,
    pub(super) lease_id: &'o str,
    pub(super) redirect: &'o str,
    pub(super) warnings: &'o [String],
}

/// A new token, as the answer to a login shows it.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct LoggedIn {
    pub(super) accessor: String,
    pub(super) client_token: String,
    pub(super) entity_id: String,
    pub(super) identity_policies: Option<Vec<String>>,
    pub(super) lease_duration: u64,
    pub(super) metadata: Option<BTreeMap<String, String>>,
    pub(super) num_uses: i64,
    pub(super) policies: Option<Vec<String>>,
    pub(super) token_policies: Option<Vec<String>>,
    pub(super) token_type: String,
}

/// What stands for an answer that was wrapped.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Wrapped {
    pub(super) accessor: String,
    pub(super) creation_path: String,
    pub(super) creation_time: String,
    pub(super) token: String,
    pub(super) ttl: u64,
    pub(super) wrapped_accessor: String,
}

impl<'o> Outcome<'o> {
    pub(super) fn of(outcome: &'o Result<Response>) -> Self {
        match outcome {
            Ok(response) => Self { headers: Some(&response.headers), ..Self::body(response.body.as_ref()) },
            Err(error) => Self { data: said(error).into(), ..Self::default() },
        }
    }

    fn body(body: Option<&'o Body>) -> Self {
        match body {
            None | Some(Body::Nothing(_)) => Self::default(),
            Some(Body::Bare(document)) => Self { data: document.as_ref().into(), ..Self::default() },
            Some(Body::Redirect(target)) => Self { redirect: target, ..Self::default() },
            Some(Body::Raw(raw)) => {
                let data = json!({
                    "http_content_type": raw.content_type,
                    "http_raw_body": String::from_utf8_lossy(&raw.body),
                    "http_status_code": raw.code,
                });
                Self { data: data.to_string().into_bytes().into(), ..Self::default() }
            }
            Some(Body::Envelope(envelope)) => Self {
                // Our own answers can be read.
                auth: serde_json::from_slice(&envelope.auth).ok(),
                wrapped: serde_json::from_slice(&envelope.wrap_info).ok(),
                data: envelope.data.as_ref().into(),
                lease_id: &envelope.lease_id,
                warnings: &envelope.warnings,
                ..Self::default()
            },
        }
    }
}

/// What a client is told of an error: it may quote what the client or a plugin said, and is recorded as data.
fn said(error: &Error) -> Vec<u8> {
    let sentence = error.to_string();
    let said = match error {
        Error::Nothing | Error::Method => return Vec::new(),
        Error::Refused { data, .. } if !data.is_empty() => {
            json!({ "data": String::from_utf8_lossy(data), "error": sentence })
        }
        _ => json!({ "error": sentence }),
    };
    said.to_string().into_bytes()
}

/// What a record says of an error to everybody who reads it: only what we have words for.
pub(super) fn in_the_open(error: &Error) -> &'static str {
    match error {
        Error::Nothing => "",
        Error::NoToken | Error::Forbidden => "permission denied",
        Error::BadToken => "permission denied; invalid token",
        Error::UnsupportedPath => "unsupported path",
        Error::NoHandler(_) => "no handler for route",
        Error::CutOff => "the request was given up before it was answered",
        Error::Deadline(_) => "the request took too long and was given up",
        Error::NotRecorded => "the request could not be recorded",
        error => words(error.kind()),
    }
}

const fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Invalid | Kind::TooLarge | Kind::MediaType => "invalid request",
        Kind::Denied => "permission denied",
        Kind::NotFound => "not found",
        Kind::Unsupported => "unsupported operation",
        Kind::Exhausted => "quota exceeded",
        Kind::Precondition => "precondition failed",
        Kind::Sealed => "Vault is sealed",
        Kind::ReadOnly => "cannot write to read-only storage",
        Kind::Unavailable => "unavailable",
        Kind::Timeout => "the request took too long and was given up",
        Kind::Upstream => "upstream error",
        Kind::Internal => "internal error",
    }
}
