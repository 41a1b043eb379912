use domain::Operation::{Delete, List, Read, Update};

use crate::{Error, answer::Answer, ask::Ask, endpoint::Endpoint, error::Result};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token("roles/", &[(List, |ask| Box::pin(list(ask)))], "Lists the roles."),
    Endpoint::token(
        "roles/:name",
        &[
            (Read, |ask| Box::pin(read(ask))),
            (Update, |ask| Box::pin(write(ask))),
            (Delete, |ask| Box::pin(delete(ask))),
        ],
        "Reads, writes and deletes a role: what the tokens are like that are made by it.",
    ),
];

async fn list(ask: Ask) -> Result<Answer> {
    let names = ask.active()?.tokens.role_names().await?;
    Answer::keys(&names)
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
