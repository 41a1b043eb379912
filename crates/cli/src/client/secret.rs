use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What the server wraps its answers in. The order of its fields is the order in which they are printed.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Secret {
    /// Which request it belongs to.
    pub request_id: String,
    /// The lease that it is under.
    pub lease_id: String,
    /// For how long, in seconds.
    pub lease_duration: i64,
    /// Whether that can be made longer.
    pub renewable: bool,
    /// What was asked for.
    pub data: Option<Map<String, Value>>,
    /// What to heed.
    pub warnings: Option<Vec<String>>,
    /// A token, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Where the answer is, if it is behind a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrap_info: Option<WrapInfo>,
    /// The type of what answered.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mount_type: String,
}

/// A token, and what it is good for.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Auth {
    /// The token itself.
    pub client_token: String,
    /// Its other name.
    pub accessor: String,
    /// All policies.
    pub policies: Option<Vec<String>>,
    /// The token's own.
    pub token_policies: Option<Vec<String>>,
    /// Those of who has it.
    pub identity_policies: Option<Vec<String>>,
    /// What is noted about it.
    pub metadata: Option<Map<String, Value>>,
    /// Whether it has no parent.
    pub orphan: bool,
    /// Who has it.
    pub entity_id: String,
    /// For how long, in seconds.
    pub lease_duration: i64,
    /// Whether that can be made longer.
    pub renewable: bool,
    /// What else has to be shown before it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa_requirement: Option<Value>,
}

/// A token that an answer is behind.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct WrapInfo {
    /// The token itself.
    pub token: String,
    /// Its other name.
    pub accessor: String,
    /// For how long, in seconds.
    pub ttl: i64,
    /// Since when.
    pub creation_time: String,
    /// What was asked.
    pub creation_path: String,
    /// The other name of the token that is behind it, if it is one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub wrapped_accessor: String,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("request_id", &self.request_id).finish_non_exhaustive()
    }
}
