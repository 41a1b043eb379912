//! One record, as Vault's devices write it: members in alphabetical order, empty ones left out.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Veiled, VeiledJson, veil::Veil};

/// Everything that is told of one event.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Record<'a> {
    /// Who asks, as far as is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth<'a>>,
    /// Why it was not done. Never what a client or a plugin said.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub error: &'a str,
    /// What happened to a plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginNews<'a>>,
    /// What was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Request<'a>>,
    /// What was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Response<'a>>,
    /// When, in RFC 3339.
    pub time: String,
    /// `request`, `response` or `plugin`.
    pub r#type: &'static str,
}

/// Who asks.
#[derive(Clone, Debug, Default, Serialize)]
#[allow(missing_docs, reason = "as in answers of the token store")]
pub struct Auth<'a> {
    #[serde(skip_serializing_if = "Veiled::is_empty")]
    pub accessor: Veiled<'a>,
    #[serde(skip_serializing_if = "Veiled::is_empty")]
    pub client_token: Veiled<'a>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub display_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub entity_id: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub identity_policies: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "is_zero")]
    pub num_uses: i64,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub policies: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_results: Option<PolicyResults<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    pub remaining_uses: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub token_issue_time: String,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub token_policies: &'a [String],
    #[serde(skip_serializing_if = "is_none_left")]
    pub token_ttl: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub token_type: &'a str,
}

/// What the policies say.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PolicyResults<'a> {
    /// Whether it may be done.
    pub allowed: bool,
    /// The policies that allow it, each by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub granting_policies: Vec<Policy<'a>>,
}

/// A policy.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Policy<'a> {
    pub name: &'a str,
    pub namespace_id: &'a str,
    pub r#type: &'static str,
}

/// What was asked.
#[derive(Clone, Debug, Default, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Request<'a> {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_id: String,
    #[serde(skip_serializing_if = "Veiled::is_empty")]
    pub client_token: Veiled<'a>,
    #[serde(skip_serializing_if = "Veiled::is_empty")]
    pub client_token_accessor: Veiled<'a>,
    #[serde(skip_serializing_if = "VeiledJson::is_empty")]
    pub data: VeiledJson<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<&'a str, Vec<Veiled<'a>>>,
    pub id: &'a str,
    #[serde(flatten)]
    pub mount: Option<Mount<'a>>,
    pub namespace: BTreeMap<&'a str, &'a str>,
    pub operation: &'a str,
    pub path: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub remote_address: &'a str,
    #[serde(skip_serializing_if = "is_no_port")]
    pub remote_port: i32,
    #[serde(skip_serializing_if = "is_none_left")]
    pub wrap_ttl: u64,
    /// Members of `data` that the mount does not want hidden.
    #[serde(skip)]
    pub clear_keys: &'a [String],
}

/// Where it goes.
#[derive(Clone, Debug, Default, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Mount<'a> {
    #[serde(rename = "mount_accessor", skip_serializing_if = "str::is_empty")]
    pub accessor: &'a str,
    #[serde(rename = "mount_class")]
    pub class: &'a str,
    #[serde(rename = "mount_is_external_plugin", skip_serializing_if = "is_false")]
    pub is_external_plugin: bool,
    #[serde(rename = "mount_point")]
    pub point: &'a str,
    /// As responses name the version.
    #[serde(rename = "mount_running_plugin_version", skip_serializing_if = "str::is_empty")]
    pub running_plugin_version: &'a str,
    #[serde(rename = "mount_running_sha256", skip_serializing_if = "str::is_empty")]
    pub running_sha256: &'a str,
    /// As requests name the version.
    #[serde(rename = "mount_running_version", skip_serializing_if = "str::is_empty")]
    pub running_version: &'a str,
    #[serde(rename = "mount_type")]
    pub sort: &'a str,
}

/// What was answered.
#[derive(Clone, Debug, Default, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Response<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth<'a>>,
    #[serde(skip_serializing_if = "VeiledJson::is_empty")]
    pub data: VeiledJson<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<&'a str, Vec<Veiled<'a>>>,
    #[serde(flatten)]
    pub mount: Option<Mount<'a>>,
    #[serde(skip_serializing_if = "Veiled::is_empty")]
    pub redirect: Veiled<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Veiled<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrap_info: Option<WrapInfo<'a>>,
    /// Members of `data` that the mount does not want hidden.
    #[serde(skip)]
    pub clear_keys: &'a [String],
    /// It is a list, of which the length may be enough.
    #[serde(skip)]
    pub is_list: bool,
}

/// A lease.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Secret<'a> {
    pub lease_id: &'a str,
}

/// What stands for an answer that was wrapped.
#[derive(Clone, Debug, Default, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct WrapInfo<'a> {
    #[serde(skip_serializing_if = "Veiled::is_empty")]
    pub accessor: Veiled<'a>,
    pub creation_path: &'a str,
    pub creation_time: &'a str,
    #[serde(skip_serializing_if = "Veiled::is_empty")]
    pub token: Veiled<'a>,
    pub ttl: u64,
    #[serde(skip_serializing_if = "Veiled::is_empty")]
    pub wrapped_accessor: Veiled<'a>,
}

/// What happened to a plugin.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct PluginNews<'a> {
    pub event: u64,
    pub name: &'a str,
    pub pid: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub reason: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sha256: String,
    pub state: &'a str,
    pub r#type: &'a str,
    pub version: &'a str,
}

impl Record<'_> {
    /// Makes of each secret what a device shows of it.
    pub(crate) fn show(&mut self, veil: &Veil) {
        if let Some(auth) = &mut self.auth {
            auth.show(veil);
        }
        if let Some(request) = &mut self.request {
            request.show(veil);
        }
        if let Some(response) = &mut self.response {
            response.show(veil);
        }
    }
}

impl Auth<'_> {
    fn show(&mut self, veil: &Veil) {
        veil.text(&mut self.client_token);
        veil.accessor(&mut self.accessor);
    }
}

impl Request<'_> {
    fn show(&mut self, veil: &Veil) {
        veil.text(&mut self.client_token);
        veil.accessor(&mut self.client_token_accessor);
        veil.json(&mut self.data, self.clear_keys, false);
        self.headers.values_mut().flatten().for_each(|value| veil.text(value));
    }
}

impl Response<'_> {
    fn show(&mut self, veil: &Veil) {
        if let Some(auth) = &mut self.auth {
            auth.show(veil);
        }
        if let Some(wrapped) = &mut self.wrap_info {
            veil.text(&mut wrapped.token);
            veil.accessor(&mut wrapped.accessor);
            veil.accessor(&mut wrapped.wrapped_accessor);
        }
        veil.json(&mut self.data, self.clear_keys, self.is_list);
        veil.text(&mut self.redirect);
        self.headers.values_mut().flatten().chain(&mut self.warnings).for_each(|value| veil.text(value));
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_zero(number: &i64) -> bool {
    *number == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_none_left(number: &u64) -> bool {
    *number == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_no_port(port: &i32) -> bool {
    *port == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}
