use domain::Operation::{Delete, List, Read, Update};
use serde_json::json;

use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    endpoint::{Access, Endpoint},
    error::Result,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        pattern: "roles/",
        access: Access::Token,
        on_top: false,
        operations: &[(List, |ask| Box::pin(list(ask)))],
        help: "Lists the roles.",
    },
    Endpoint {
        pattern: "roles/:name",
        access: Access::Token,
        on_top: false,
        operations: &[
            (Read, |ask| Box::pin(read(ask))),
            (Update, |ask| Box::pin(write(ask))),
            (Delete, |ask| Box::pin(delete(ask))),
        ],
        help: "Reads, writes and deletes a role: what the tokens are like that are made by it.",
    },
];

async fn list(ask: Ask) -> Result<Answer> {
    let names = ask.active()?.tokens.role_names().await?;
    if names.is_empty() { Err(Error::Nothing) } else { Ok(Answer::data(&json!({ "keys": names }))) }
}

async fn read(ask: Ask) -> Result<Answer> {
    let name = ask.capture("name");
    let role = ask.active()?.tokens.role(name).await?.ok_or(Error::Nothing)?;
    Ok(Answer::data(&role.view(name)))
}

async fn write(ask: Ask) -> Result<Answer> {
    ask.active()?.tokens.change_role(ask.capture("name"), &ask.fields()?).await?;
    Ok(Answer::Nothing)
}

async fn delete(ask: Ask) -> Result<Answer> {
    ask.active()?.tokens.delete_role(ask.capture("name")).await?;
    Ok(Answer::Nothing)
}
