use domain::Operation::{List, Read, Update};

use super::{by_accessor, named};
use crate::{
    answer::Answer,
    ask::Ask,
    endpoint::Endpoint,
    error::Result,
    token::{Found, TokenRefusal, view::TokenView},
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "lookup-self",
        &[(Read, |ask| Box::pin(of_caller(ask))), (Update, |ask| Box::pin(of_caller(ask)))],
        "Tells all about the token that is sent with the request.",
    ),
    Endpoint::token(
        "lookup",
        &[(Read, |ask| Box::pin(of_token(ask))), (Update, |ask| Box::pin(of_token(ask)))],
        "Tells all about a token.",
    ),
    Endpoint::token(
        "lookup-accessor",
        &[(Update, |ask| Box::pin(of_accessor(ask)))],
        "Tells all about the token with an accessor, except the token.",
    ),
    Endpoint::sudo(
        "accessors/",
        &[(List, |ask| Box::pin(accessors(ask)))],
        "Lists the accessors of all tokens.",
    ),
];

async fn of_caller(ask: Ask) -> Result<Answer> {
    show(ask.token.expose(), &ask.caller()?.found())
}

async fn of_token(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    if fields.is_null("token") {
        return Err(TokenRefusal::NullToken.into());
    }
    if fields.text("token")?.is_none_or(|token| token.is_empty()) {
        return of_caller(ask).await;
    }
    let named = named(&ask, &fields).await?;
    let found = named.found.ok_or(TokenRefusal::BadToken)?;
    show(named.token.expose(), &found)
}

async fn of_accessor(ask: Ask) -> Result<Answer> {
    let found = by_accessor(ask.active()?, &ask.fields()?).await?.ok_or(TokenRefusal::BadAccessor)?;
    show("", &found)
}

fn show(token: &str, found: &Found) -> Result<Answer> {
    let Found { entry, home, .. } = found;
    let standing = home.identity.standing(&entry.entity_id)?;
    Ok(Answer::data(&TokenView::new(token, entry, &home.namespace, standing.as_deref())))
}

async fn accessors(ask: Ask) -> Result<Answer> {
    let accessors = ask.active()?.tokens.accessors().await?;
    Answer::keys(&accessors)
}
