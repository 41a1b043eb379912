use std::collections::BTreeMap;

use domain::Operation::{Read, Update};
use ipnet::IpNet;
use serde::Serialize;

use super::{Refused, TokenKind, revoke};
use crate::{
    answer::Answer,
    ask::Ask,
    endpoint::{Access, Endpoint},
    error::Result,
};

/// What lies under `auth/token/`.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        pattern: "lookup-self",
        access: Access::Token,
        on_top: false,
        operations: &[(Read, |ask| Box::pin(lookup_self(ask))), (Update, |ask| Box::pin(lookup_self(ask)))],
        help: "Tells all about the token that is sent with the request.",
    },
    Endpoint {
        pattern: "revoke-self",
        access: Access::Token,
        on_top: false,
        operations: &[(Update, |ask| Box::pin(revoke_self(ask)))],
        help: "Ends the token that is sent with the request.",
    },
];

#[derive(Serialize)]
struct TokenView<'a> {
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
    meta: &'a Option<BTreeMap<String, String>>,
    num_uses: i64,
    orphan: bool,
    path: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    period: u64,
    policies: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    renewable: Option<bool>,
    ttl: u64,
    r#type: &'static str,
    #[serde(skip_serializing_if = "<[IpNet]>::is_empty")]
    bound_cidrs: &'a [IpNet],
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

async fn lookup_self(ask: Ask) -> Result<Answer> {
    let caller = ask.caller()?;
    let entry = &caller.entry;
    let ends = entry.expires();
    Ok(Answer::data(&TokenView {
        accessor: &entry.accessor,
        creation_time: entry.created.as_second(),
        creation_ttl: entry.ttl,
        display_name: &entry.display_name,
        entity_id: &entry.entity_id,
        expire_time: ends.map(|end| end.to_string()),
        explicit_max_ttl: entry.explicit_max_ttl,
        id: ask.token.expose(),
        issue_time: ends.map(|_| entry.created.to_string()),
        meta: &entry.meta,
        num_uses: entry.num_uses,
        orphan: entry.orphan(),
        path: &entry.path,
        period: entry.period,
        policies: &entry.policies,
        renewable: ends.map(|_| entry.renewable),
        ttl: entry.remaining(),
        r#type: entry.kind.word(),
        bound_cidrs: &entry.bound_cidrs,
    }))
}

async fn revoke_self(ask: Ask) -> Result<Answer> {
    let caller = ask.caller()?;
    if caller.entry.kind == TokenKind::Batch {
        return Err(Refused::RevokeBatch.into());
    }
    revoke::revoke_tree(ask.active()?, caller.id).await?;
    Ok(Answer::Nothing)
}
