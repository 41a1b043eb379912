use domain::Operation::{Read, Update};
use serde_json::json;
use wire::router::v1::response::Body;

use super::{
    WrappingRefusal,
    check::{home, named, require_wrapping},
};
use crate::{
    answer::Answer,
    ask::Ask,
    endpoint::{Access, Endpoint},
    error::Result,
};

/// What lies under `sys/wrapping/`.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "wrapping/wrap",
        &[(Update, |ask| Box::pin(wrap(ask)))],
        "Wraps the body of the request: the answer is a token that is good for taking it out once.",
    ),
    Endpoint::new(
        "wrapping/unwrap",
        Access::Wrapping,
        &[(Update, |ask| Box::pin(unwrap(ask)))],
        "Takes out what is wrapped under a token; the token is used up by that.",
    ),
    Endpoint::new(
        "wrapping/lookup",
        Access::Open,
        &[(Update, |ask| Box::pin(lookup(ask))), (Read, |ask| Box::pin(lookup(ask)))],
        "Tells when, where and for how long something was wrapped.",
    ),
    Endpoint::new(
        "wrapping/rewrap",
        Access::Wrapping,
        &[(Update, |ask| Box::pin(rewrap(ask)))],
        "Wraps what is wrapped under a token anew, for the same time; the old token is used up by that.",
    ),
];

async fn wrap(ask: Ask) -> Result<Answer> {
    if ask.wish.is_none() {
        return Err(WrappingRefusal::NotAskedFor.into());
    }
    ask.fields()?;
    let data = if ask.body.is_empty() { "{}".into() } else { ask.body };
    Ok(Answer::Data { data, warnings: Vec::new() })
}

async fn unwrap(ask: Ask) -> Result<Answer> {
    let caller = ask.caller()?;
    let token = ask.named.as_ref().unwrap_or(&ask.token);
    let active = &home(ask.active()?, token)?;
    let id = active.tokens.id_of(token);
    let parcel = active.wrapping.find(&id).await?;
    if id == caller.id {
        // By asking with it the caller has used it up.
        active.wrapping.end(active, &id).await;
    } else {
        active.wrapping.claim(active, token).await?;
    }
    let mut response = parcel.open()?;
    if let Some(Body::Envelope(envelope)) = &mut response.body {
        envelope.request_id.clone_from(&ask.id);
    }
    Ok(Answer::Whole(Box::new(response)))
}

async fn rewrap(ask: Ask) -> Result<Answer> {
    let old = ask.named.as_ref().ok_or(WrappingRefusal::NotValid)?;
    let active = &home(ask.active()?, old)?;
    let parcel = active.wrapping.find(&active.tokens.id_of(old)).await?;
    let path = "sys/wrapping/rewrap";
    let response = active.wrapping.rewrap(active, (old, path), ask.wish.clone(), parcel).await?;
    Ok(Answer::Whole(Box::new(response)))
}

async fn lookup(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    let token = named(&ask.body)?.unwrap_or_else(|| ask.token.clone());
    let token = require_wrapping(active, token).await?;
    let active = home(active, &token)?;
    let about = active.wrapping.find(&active.tokens.id_of(&token)).await?.about;
    Ok(Answer::data(&json!({
        "creation_path": about.creation_path,
        "creation_time": about.creation_time,
        "creation_ttl": about.creation_ttl,
    })))
}
