use std::time::Duration;

use domain::Operation::Update;

use super::{by_accessor, named};
use crate::{
    answer::Answer,
    ask::Ask,
    endpoint::Endpoint,
    error::Result,
    token::{Found, TokenKind, TokenRefusal, renew::renew, view, wish::duration},
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "renew-self",
        &[(Update, |ask| Box::pin(of_caller(ask)))],
        "Prolongs the life of the token that is sent with the request.",
    ),
    Endpoint::token("renew", &[(Update, |ask| Box::pin(of_token(ask)))], "Prolongs the life of a token."),
    Endpoint::token(
        "renew-accessor",
        &[(Update, |ask| Box::pin(of_accessor(ask)))],
        "Prolongs the life of the token with an accessor.",
    ),
];

async fn of_caller(ask: Ask) -> Result<Answer> {
    answer(&ask, &ask.caller()?.found(), ask.token.expose()).await
}

async fn of_token(ask: Ask) -> Result<Answer> {
    let named = named(&ask, &ask.fields()?).await?;
    let found = named.found.ok_or(TokenRefusal::NotFound)?;
    answer(&ask, &found, named.token.expose()).await
}

async fn of_accessor(ask: Ask) -> Result<Answer> {
    let found = by_accessor(ask.active()?, &ask.fields()?).await?.ok_or(TokenRefusal::BadAccessor)?;
    answer(&ask, &found, "").await
}

async fn answer(ask: &Ask, found: &Found, shown: &str) -> Result<Answer> {
    if found.entry.kind == TokenKind::Batch {
        return Err(TokenRefusal::RenewBatch.into());
    }
    let increment: Duration = duration(&ask.fields()?, "increment", "increment")?;
    let Some(renewal) = renew(&found.home, found.id, increment, ask.connection.clone()).await? else {
        return Ok(Answer::Nothing);
    };
    let auth = view::auth(&found.home, shown, &renewal.entry)?;
    Ok(Answer::Auth { auth, warnings: renewal.warnings })
}
