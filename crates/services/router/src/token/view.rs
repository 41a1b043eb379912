use std::collections::BTreeMap;

use bytes::Bytes;
use ipnet::IpNet;
use serde::Serialize;

use super::TokenEntry;
use crate::{answer::json, core::Active, error::Result, identity::Standing, namespaces::Namespace};

/// All that is told about a token.
#[derive(Serialize)]
pub(super) struct TokenView<'a> {
    accessor: &'a str,
    creation_time: i64,
    creation_ttl: u64,
    display_name: &'a str,
    entity_id: &'a str,
    expire_time: Option<String>,
    explicit_max_ttl: u64,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    issue_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_renewal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_renewal_time: Option<i64>,
    meta: &'a Option<BTreeMap<String, String>>,
    num_uses: i64,
    orphan: bool,
    path: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    period: u64,
    /// Only for those that do not belong to the root namespace.
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace_path: &'a str,
    policies: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    renewable: Option<bool>,
    #[serde(skip_serializing_if = "str::is_empty")]
    role: &'a str,
    ttl: u64,
    r#type: &'static str,
    #[serde(skip_serializing_if = "<[IpNet]>::is_empty")]
    bound_cidrs: &'a [IpNet],
    /// Only for the tokens of somebody who may do more by being who they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_policies: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_namespace_policies: Option<BTreeMap<String, Vec<String>>>,
}

/// A token that somebody gets, or has had renewed: the member `auth` of the answer.
#[derive(Serialize)]
struct AuthView<'a> {
    client_token: &'a str,
    accessor: &'a str,
    policies: &'a [String],
    token_policies: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    identity_policies: &'a [String],
    metadata: &'a Option<BTreeMap<String, String>>,
    lease_duration: u64,
    renewable: bool,
    entity_id: &'a str,
    token_type: &'a str,
    orphan: bool,
    mfa_requirement: Option<()>,
    num_uses: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl<'a> TokenView<'a> {
    /// With the token, for those who have it; empty for those who know its accessor.
    pub(super) fn new(
        token: &'a str,
        entry: &'a TokenEntry,
        home: &'a Namespace,
        standing: Option<&'a Standing>,
    ) -> Self {
        let ends = entry.expires();
        let renewed = entry.renewed.map(|renewed| renewed.at);
        let standing = standing.filter(|standing| !standing.policies().is_empty());
        Self {
            accessor: &entry.accessor,
            creation_time: entry.created.as_second(),
            creation_ttl: entry.ttl,
            display_name: &entry.display_name,
            entity_id: &entry.entity_id,
            expire_time: ends.map(|end| end.to_string()),
            explicit_max_ttl: entry.explicit_max_ttl,
            id: token,
            issue_time: ends.map(|_| entry.created.to_string()),
            last_renewal: renewed.map(|at| at.to_string()),
            last_renewal_time: renewed.map(|at| at.as_second()),
            meta: &entry.meta,
            num_uses: entry.num_uses,
            orphan: entry.orphan(),
            path: &entry.path,
            period: entry.period,
            namespace_path: home.path.as_str(),
            policies: &entry.policies,
            renewable: ends.map(|_| entry.renewable),
            role: &entry.role,
            ttl: entry.remaining(),
            r#type: entry.kind.word(),
            bound_cidrs: &entry.bound_cidrs,
            identity_policies: standing.map(Standing::policies),
            external_namespace_policies: standing.map(|_| BTreeMap::new()),
        }
    }
}

/// The member `auth`, in JSON.
pub(super) fn auth(active: &Active, token: &str, entry: &TokenEntry) -> Result<Bytes> {
    let standing = active.identity.standing(&entry.entity_id)?;
    let identity_policies = standing.as_deref().map_or(&[][..], Standing::policies);
    let mut policies = [&entry.policies, identity_policies].concat();
    policies.sort_unstable();
    policies.dedup();
    Ok(json(&AuthView {
        client_token: token,
        accessor: &entry.accessor,
        policies: &policies,
        token_policies: &entry.policies,
        identity_policies,
        metadata: &entry.meta,
        lease_duration: entry.renewed.map_or(entry.ttl, |renewed| renewed.ttl),
        renewable: entry.renewable,
        entity_id: &entry.entity_id,
        token_type: entry.kind.word(),
        orphan: entry.orphan(),
        mfa_requirement: None,
        num_uses: entry.num_uses,
    }))
}
