use domain::Operation::{Delete, Read, Update};
use serde_json::json;

use crate::{
    answer::Answer,
    ask::Ask,
    audit::{AuditRefusal, Wanted},
    endpoint::Endpoint,
    error::Result,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::sudo("audit", &[(Read, |ask| Box::pin(list(ask)))], "Lists the audit devices.").on_top(),
    Endpoint::sudo(
        "audit/*path",
        &[(Update, |ask| Box::pin(enable(ask))), (Delete, |ask| Box::pin(disable(ask)))],
        "Enables and disables an audit device, which records every request and its answer.",
    )
    .on_top(),
    Endpoint::token(
        "audit-hash/*path",
        &[(Update, |ask| Box::pin(hash(ask)))],
        "Tells how the records of an audit device show a text.",
    )
    .on_top(),
    Endpoint::sudo(
        "config/auditing/request-headers",
        &[(Read, |ask| Box::pin(headers(ask)))],
        "Lists the headers of requests that audit devices record.",
    )
    .on_top(),
    Endpoint::sudo(
        "config/auditing/request-headers/:header",
        &[
            (Read, |ask| Box::pin(header(ask))),
            (Update, |ask| Box::pin(add_header(ask))),
            (Delete, |ask| Box::pin(remove_header(ask))),
        ],
        "Reads, adds and removes a header of requests that audit devices record.",
    )
    .on_top(),
];

async fn list(ask: Ask) -> Result<Answer> {
    Ok(Answer::data(&ask.active()?.shared.audit.list()))
}

/// The path of a device ends in a slash, however it is asked for.
fn path(ask: &Ask) -> String {
    format!("{}/", ask.capture("path").trim_end_matches('/'))
}

async fn enable(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let wanted = Wanted {
        path: path(&ask),
        r#type: fields.text("type")?.unwrap_or_default(),
        description: fields.text("description")?.unwrap_or_default(),
        options: fields.map("options")?.unwrap_or_default().into_iter().collect(),
        local: fields.flag("local")?.unwrap_or(false),
    };
    ask.active()?.shared.audit.enable(wanted).await?;
    Ok(Answer::Nothing)
}

async fn disable(ask: Ask) -> Result<Answer> {
    ask.active()?.shared.audit.disable(&path(&ask)).await?;
    Ok(Answer::Nothing)
}

async fn hash(ask: Ask) -> Result<Answer> {
    let input = ask.fields()?.text("input")?.filter(|input| !input.is_empty());
    let input = input.ok_or(AuditRefusal::NoInput)?;
    let path = path(&ask);
    let hash = ask.active()?.shared.audit.hash(&path, &input).ok_or(AuditRefusal::Unknown(path))?;
    Ok(Answer::data(&json!({ "hash": hash })))
}

async fn headers(ask: Ask) -> Result<Answer> {
    Ok(Answer::data(&json!({ "headers": ask.active()?.shared.audit.headers().all() })))
}

async fn header(ask: Ask) -> Result<Answer> {
    let name = ask.capture("header");
    let header = ask.active()?.shared.audit.headers().get(name).ok_or(AuditRefusal::NoHeader)?;
    Ok(Answer::data(&json!({ name: header })))
}

async fn add_header(ask: Ask) -> Result<Answer> {
    let hmac = ask.fields()?.flag("hmac")?.unwrap_or(false);
    ask.active()?.shared.audit.add_header(ask.capture("header"), hmac).await?;
    Ok(Answer::Nothing)
}

async fn remove_header(ask: Ask) -> Result<Answer> {
    ask.active()?.shared.audit.remove_header(ask.capture("header")).await?;
    Ok(Answer::Nothing)
}
