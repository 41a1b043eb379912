use domain::Operation::Update;

use super::{by_accessor, named};
use crate::{
    answer::Answer,
    ask::Ask,
    endpoint::Endpoint,
    error::Result,
    token::{Found, TokenKind, TokenRefusal, revoke, tidy},
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "revoke-self",
        &[(Update, |ask| Box::pin(of_caller(ask)))],
        "Ends the token that is sent with the request, and its children.",
    ),
    Endpoint::token("revoke", &[(Update, |ask| Box::pin(of_token(ask)))], "Ends a token and its children."),
    Endpoint::token(
        "revoke-accessor",
        &[(Update, |ask| Box::pin(of_accessor(ask)))],
        "Ends the token with an accessor, and its children.",
    ),
    Endpoint::sudo(
        "revoke-orphan",
        &[(Update, |ask| Box::pin(without_children(ask)))],
        "Ends a token. Its children go on without a parent.",
    ),
    Endpoint::token(
        "tidy",
        &[(Update, |ask| Box::pin(tidy_up(ask)))],
        "Finishes revocations that were interrupted, and removes names of tokens that are not there.",
    ),
];

async fn of_caller(ask: Ask) -> Result<Answer> {
    end(&ask.caller()?.found()).await
}

async fn of_token(ask: Ask) -> Result<Answer> {
    let named = named(&ask, &ask.fields()?).await?;
    match named.found {
        Some(found) => end(&found).await,
        None => Ok(Answer::Nothing),
    }
}

async fn of_accessor(ask: Ask) -> Result<Answer> {
    match by_accessor(ask.active()?, &ask.fields()?).await? {
        Some(found) => end(&found).await,
        None => Ok(Answer::warning("No token found with this accessor")),
    }
}

async fn without_children(ask: Ask) -> Result<Answer> {
    let named = named(&ask, &ask.fields()?).await?;
    let found = named.found.ok_or(TokenRefusal::NothingToRevoke)?;
    refuse_batch(&found)?;
    revoke::revoke_orphan(&found.home, found.id).await?;
    Ok(Answer::Nothing)
}

async fn end(found: &Found) -> Result<Answer> {
    refuse_batch(found)?;
    revoke::revoke_tree(&found.home, found.id).await?;
    Ok(Answer::Nothing)
}

/// A batch token is nowhere but with its holder.
fn refuse_batch(found: &Found) -> Result<(), TokenRefusal> {
    if found.entry.kind == TokenKind::Batch { Err(TokenRefusal::RevokeBatch) } else { Ok(()) }
}

async fn tidy_up(ask: Ask) -> Result<Answer> {
    if !tidy::tidy(ask.active()?) {
        return Ok(Answer::warning("Tidy operation already in progress."));
    }
    Ok(Answer::begun(
        "Tidy operation successfully started. Any information from the operation will be printed to Vault's server \
         logs.",
    ))
}
