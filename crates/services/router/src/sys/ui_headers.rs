use domain::Operation::{Delete, List, Read, Update};
use serde_json::json;

use super::Unfit;
use crate::{Error, answer::Answer, ask::Ask, endpoint::Endpoint, error::Result, settings::UiHeader};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::sudo(
        "config/ui/headers/",
        &[(List, |ask| Box::pin(list(ask)))],
        "Lists the headers that a web console's pages are sent with.",
    ),
    Endpoint::sudo(
        "config/ui/headers/:header",
        &[
            (Read, |ask| Box::pin(read(ask))),
            (Update, |ask| Box::pin(write(ask))),
            (Delete, |ask| Box::pin(delete(ask))),
        ],
        "Reads, sets and removes a header that a web console's pages are sent with.",
    ),
];

async fn list(ask: Ask) -> Result<Answer> {
    let headers = ask.active()?.shared.settings.ui_headers.now();
    Answer::keys(&headers.names())
}

async fn read(ask: Ask) -> Result<Answer> {
    let headers = ask.active()?.shared.settings.ui_headers.now();
    let header = headers.get(ask.capture("header")).ok_or(Error::Nothing)?;
    if ask.fields()?.flag("multivalue")?.unwrap_or(false) {
        return Ok(Answer::data(&json!({ "values": header.values })));
    }
    Ok(Answer::data(&json!({ "value": header.values.first() })))
}

async fn write(ask: Ask) -> Result<Answer> {
    let name = ask.capture("header").to_owned();
    if name.to_lowercase().starts_with("x-vault-") {
        return Err(Unfit::VaultHeader.into());
    }
    if !is_token(&name) {
        return Err(Unfit::HeaderName.into());
    }
    let values = ask.fields()?.items("values")?.unwrap_or_default();
    if values.is_empty() || values.iter().any(|value| !is_text(value)) {
        return Err(Unfit::HeaderValues.into());
    }
    let header = UiHeader { name, values };
    ask.active()?.shared.settings.ui_headers.change(|headers| Ok(headers.with(header))).await?;
    Ok(Answer::Nothing)
}

async fn delete(ask: Ask) -> Result<Answer> {
    let name = ask.capture("header");
    ask.active()?.shared.settings.ui_headers.change(|headers| Ok(headers.without(name))).await?;
    Ok(Answer::Nothing)
}

/// What RFC 9110 takes for a header's name.
fn is_token(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// A value without line breaks: it stays one header.
fn is_text(value: &str) -> bool {
    !value.is_empty() && !value.chars().any(char::is_control)
}
