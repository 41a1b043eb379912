//! How much there is, and how much is used. Clients are not counted here: they are only for licences.

use domain::Operation::{Read, Update};
use serde_json::json;

use super::Unfit;
use crate::{
    answer::Answer,
    ask::Ask,
    endpoint::{Endpoint, Handler},
    error::Result,
};

/// What Vault answers that has counted nothing.
const NOTHING: Handler = |_| Box::pin(async { Ok(Answer::Nothing) });

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "internal/counters/requests",
        &[(Read, |_| Box::pin(async { Err(Unfit::Removed.into()) }))],
        "Not any more.",
    ),
    Endpoint::token(
        "internal/counters/tokens",
        &[(Read, |ask| Box::pin(tokens(ask)))],
        "Counts the service tokens.",
    ),
    Endpoint::token(
        "internal/counters/entities",
        &[(Read, |ask| Box::pin(entities(ask)))],
        "Counts the entities.",
    ),
    Endpoint::token(
        "internal/counters/activity",
        &[(Read, NOTHING)],
        "Tells how many clients there were; they are not counted on this server.",
    ),
    Endpoint::token(
        "internal/counters/activity/monthly",
        &[(Read, NOTHING)],
        "Tells how many clients there were this month; they are not counted on this server.",
    ),
    Endpoint::token(
        "internal/counters/config",
        &[(Read, |ask| Box::pin(config(ask))), (Update, |ask| Box::pin(configure(ask)))],
        "Tells whether clients are counted; they are not on this server.",
    ),
];

async fn tokens(ask: Ask) -> Result<Answer> {
    let total = ask.active()?.tokens.count().await?;
    Ok(Answer::data(&json!({ "counters": { "service_tokens": { "total": total } } })))
}

async fn entities(ask: Ask) -> Result<Answer> {
    let total = ask.active()?.identity.count();
    Ok(Answer::data(&json!({ "counters": { "entities": { "total": total } } })))
}

async fn config(_: Ask) -> Result<Answer> {
    Ok(Answer::data(&json!({
        "billing_start_timestamp": null,
        "default_report_months": 12,
        "enabled": "default-disabled",
        "minimum_retention_months": 0,
        "queries_available": false,
        "reporting_enabled": false,
        "retention_months": 48,
    })))
}

/// Counting stays as it is: off.
async fn configure(ask: Ask) -> Result<Answer> {
    match ask.fields()?.text("enabled")?.as_deref() {
        None | Some("" | "default" | "disable") => Ok(Answer::Nothing),
        Some("enable") => Err(Unfit::NoCounting.into()),
        Some(_) => Err(Unfit::Counting.into()),
    }
}
