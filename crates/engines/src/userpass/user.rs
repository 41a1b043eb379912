use serde::{Deserialize, Serialize};

use super::password::PasswordHash;
use crate::auth::TokenParams;

/// What is stored of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) password: PasswordHash,
    #[serde(flatten)]
    pub(super) token: TokenParams,
    #[serde(flatten)]
    pub(super) older: OlderNames,
}

/// What was set by its older name is read by that, too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct OlderNames {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) policies: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ttl: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_ttl: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bound_cidrs: Option<Vec<String>>,
}

/// A user as operators see them.
#[derive(Serialize)]
pub(super) struct UserView<'u> {
    #[serde(flatten)]
    pub(super) token: &'u TokenParams,
    #[serde(flatten)]
    pub(super) older: &'u OlderNames,
}
