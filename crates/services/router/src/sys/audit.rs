use domain::Operation::{Delete, Read, Update};
use serde_json::json;

use crate::{
    answer::Answer,
    ask::Ask,
    audit::{AuditRefusal, Wanted},
    endpoint::{Access, Endpoint},
    error::Result,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        pattern: "audit",
        access: Access::Sudo,
        on_top: true,
        operations: &[(Read, |ask| Box::pin(list(ask)))],
        help: "Lists the audit devices.",
    },
    Endpoint {
        pattern: "audit/*path",
        access: Access::Sudo,
        on_top: true,
        operations: &[(Update, |ask| Box::pin(enable(ask))), (Delete, |ask| Box::pin(disable(ask)))],
        help: "Enables and disables an audit device, which records every request and its answer.",
    },
    Endpoint {
        pattern: "audit-hash/*path",
        access: Access::Token,
        on_top: true,
        operations: &[(Update, |ask| Box::pin(hash(ask)))],
        help: "Tells how the records of an audit device show a text.",
    },
    Endpoint {
        pattern: "config/auditing/request-headers",
        access: Access::Sudo,
        on_top: true,
        operations: &[(Read, |ask| Box::pin(headers(ask)))],
        help: "Lists the headers of requests that audit devices record.",
    },
    Endpoint {
        pattern: "config/auditing/request-headers/:header",
        access: Access::Sudo,
        on_top: true,
        operations: &[
            (Read, |ask| Box::pin(header(ask))),
            (Update, |ask| Box::pin(add_header(ask))),
            (Delete, |ask| Box::pin(remove_header(ask))),
        ],
        help: "Reads, adds and removes a header of requests that audit devices record.",
    },
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
