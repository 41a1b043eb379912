use domain::Operation::{Delete, List, Read, Update};
use serde_json::json;

use super::policies::plain;
use crate::{answer::Answer, ask::Ask, endpoint::Endpoint, error::Result, policies::PasswordRefusal};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "policies/password/",
        &[(List, |ask| Box::pin(list(ask)))],
        "Lists the policies by which passwords are made up.",
    ),
    Endpoint::token(
        "policies/password/*name/generate",
        &[(Read, |ask| Box::pin(generate(ask)))],
        "Makes up a password by a policy.",
    ),
    Endpoint::token(
        "policies/password/*name",
        &[
            (Read, |ask| Box::pin(read(ask))),
            (Update, |ask| Box::pin(write(ask))),
            (Delete, |ask| Box::pin(delete(ask))),
        ],
        "Reads, writes and deletes a policy by which passwords are made up.",
    ),
];

async fn list(ask: Ask) -> Result<Answer> {
    let names = ask.active()?.passwords.names().await?;
    Answer::keys(&names)
}

async fn read(ask: Ask) -> Result<Answer> {
    let text = ask.active()?.passwords.text(ask.capture("name")).await?;
    Ok(Answer::data(&json!({ "policy": text })))
}

async fn write(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let text = fields.text("policy")?.filter(|text| !text.is_empty()).ok_or(PasswordRefusal::Empty)?;
    if !matches!(fields.text("entropy_source")?.as_deref(), None | Some("" | "platform")) {
        return Err(PasswordRefusal::Source.into());
    }
    ask.active()?.passwords.put(ask.capture("name"), plain(text)).await?;
    Ok(Answer::Nothing)
}

async fn delete(ask: Ask) -> Result<Answer> {
    ask.active()?.passwords.delete(ask.capture("name")).await?;
    Ok(Answer::Nothing)
}

async fn generate(ask: Ask) -> Result<Answer> {
    let password = ask.active()?.passwords.generate(ask.capture("name")).await?;
    Ok(Answer::data(&json!({ "password": password.expose() })))
}
