use std::{
    collections::HashMap,
    fmt,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use serde::Serialize;
use serde_json::{json, value::RawValue};

use crate::{Error, Result};

/// What a backend answers.
#[derive(Clone, Default, PartialEq)]
pub struct Response {
    /// A JSON object as text, or `null`; empty: none.
    pub data: Bytes,
    /// The answer is leased.
    pub secret: Option<Secret>,
    /// The caller has logged in.
    pub auth: Option<Auth>,
    /// Sentences for the user.
    pub warnings: Vec<String>,
    /// Send the caller there.
    pub redirect: String,
    /// Dropped unless the mount lets them through.
    pub headers: HashMap<String, Vec<String>>,
    /// The answer is wrapped, or shall be.
    pub wrap_info: Option<WrapInfo>,
}

/// How long something lasts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaseOptions {
    /// Zero: the mount's default.
    pub ttl: Duration,
    /// Zero: the mount's maximum.
    pub max_ttl: Duration,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// What the caller of a renewal asks for.
    pub increment: Duration,
    /// When it was given out.
    pub issue_time: Option<SystemTime>,
}

/// What belongs to a leased answer.
#[derive(Clone, Default, PartialEq)]
pub struct Secret {
    /// How long it lasts.
    pub lease: LeaseOptions,
    /// A JSON object that the backend gets back on renewal and revocation; empty: none.
    pub internal_data: Bytes,
    /// The lease's id.
    pub lease_id: String,
}

/// A login, or the renewal of one. Times are zero and texts empty when not said.
#[derive(Clone, Default, PartialEq)]
#[allow(missing_docs, reason = "the names are Vault's, one for one")]
pub struct Auth {
    pub lease: LeaseOptions,
    /// A JSON object that the backend gets back on renewal; empty: none.
    pub internal_data: Bytes,
    pub display_name: String,
    pub policies: Vec<String>,
    pub token_policies: Vec<String>,
    pub identity_policies: Vec<String>,
    pub metadata: HashMap<String, String>,
    pub client_token: String,
    pub accessor: String,
    pub period: Duration,
    pub explicit_max_ttl: Duration,
    pub num_uses: i64,
    pub entity_id: String,
    pub alias: Option<Alias>,
    pub group_aliases: Vec<Alias>,
    pub bound_cidrs: Vec<String>,
    /// 0 default, 1 service, 2 batch, 3 default-service, 4 default-batch.
    pub token_type: u32,
    pub no_default_policy: bool,
}

/// Who logged in, as the auth method knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are Vault's, one for one")]
pub struct Alias {
    pub mount_type: String,
    pub mount_accessor: String,
    pub name: String,
    pub metadata: HashMap<String, String>,
    pub id: String,
    pub namespace_id: String,
    pub custom_metadata: HashMap<String, String>,
    pub local: bool,
}

/// A wrapped answer, or the wish for one.
#[derive(Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are Vault's, one for one")]
pub struct WrapInfo {
    pub ttl: Duration,
    pub token: String,
    pub accessor: String,
    pub creation_time: Option<SystemTime>,
    pub wrapped_accessor: String,
    pub wrapped_entity_id: String,
    pub format: String,
    pub creation_path: String,
    pub seal_wrap: bool,
}

impl Response {
    /// An answer with data.
    ///
    /// # Errors
    /// The data is no JSON.
    pub fn json(data: &impl Serialize) -> Result<Self> {
        let data = serde_json::to_vec(data).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Self { data: data.into(), ..Self::default() })
    }

    /// The answer to a list. Without any key the caller sees 404.
    pub fn keys(keys: &[String]) -> Self {
        let data = if keys.is_empty() { json!({}) } else { json!({ "keys": keys }) };
        Self { data: data.to_string().into(), ..Self::default() }
    }

    /// An answer that says what is wrong, in these words: 400.
    pub fn error(sentence: impl Into<String>) -> Self {
        let data = json!({ "error": sentence.into() });
        Self { data: data.to_string().into(), ..Self::default() }
    }

    /// An answer without data that says this.
    pub fn warning(sentence: impl Into<String>) -> Self {
        Self { warnings: vec![sentence.into()], ..Self::default() }
    }

    /// A status code of the backend's choice, and nothing else.
    pub fn status(code: u16) -> Self {
        let data = json!({ "http_content_type": "application/json", "http_status_code": code });
        Self { data: data.to_string().into(), ..Self::default() }
    }

    /// This answer with a status code of the backend's choice: the body is written here, in full.
    ///
    /// # Errors
    /// The data is no JSON.
    pub fn with_status(self, code: u16, request_id: &str) -> Result<Self> {
        let body = Envelope::new(&self, request_id).and_then(|envelope| serde_json::to_string(&envelope));
        Self::json(&json!({
            "http_content_type": "application/json",
            "http_status_code": code,
            "http_raw_body": body.map_err(|error| Error::Internal(error.to_string()))?,
        }))
    }
}

/// The body of an answer as clients see it.
#[derive(Serialize)]
struct Envelope<'r> {
    request_id: &'r str,
    lease_id: &'static str,
    renewable: bool,
    lease_duration: u64,
    data: Option<&'r RawValue>,
    wrap_info: Option<()>,
    warnings: Option<&'r [String]>,
    auth: Option<()>,
    mount_type: &'static str,
}

impl<'r> Envelope<'r> {
    fn new(response: &'r Response, request_id: &'r str) -> serde_json::Result<Self> {
        let data = (!response.data.is_empty()).then(|| serde_json::from_slice(&response.data)).transpose()?;
        Ok(Self {
            request_id,
            lease_id: "",
            renewable: false,
            lease_duration: 0,
            data,
            wrap_info: None,
            warnings: (!response.warnings.is_empty()).then_some(&response.warnings),
            auth: None,
            mount_type: "",
        })
    }
}

/// Bodies and tokens stay out of logs: here and below only what is harmless is shown.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("data_bytes", &self.data.len())
            .field("secret", &self.secret)
            .field("auth", &self.auth)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("lease", &self.lease).finish_non_exhaustive()
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("lease", &self.lease)
            .field("display_name", &self.display_name)
            .field("policies", &self.policies)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for WrapInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrapInfo")
            .field("ttl", &self.ttl)
            .field("creation_path", &self.creation_path)
            .finish_non_exhaustive()
    }
}
