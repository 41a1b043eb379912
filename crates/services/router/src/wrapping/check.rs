use std::sync::Arc;

use domain::{Operation, Token};

use super::{WrappingRefusal, jwt::is_jwt, wrap::is_wrapping};
use crate::{asked::Asked, core::Active, error::Result, fields::Fields};

/// The caller's own token, and the one that the body names, in their plain forms; once it is known that there is
/// something wrapped under the one that matters. That is the one in the body; without it, the caller's own.
pub(crate) async fn resolve_first(
    active: &Arc<Active>,
    own: Token,
    body: &[u8],
) -> Result<(Token, Option<Token>)> {
    match named(body)? {
        Some(named) => {
            let named = require_wrapping(active, named).await?;
            Ok((own, Some(named)))
        }
        None => Ok((require_wrapping(active, own).await?, None)),
    }
}

/// The wrapping token that a body names, if it does.
pub(super) fn named(body: &[u8]) -> Result<Option<Token>> {
    let named = Fields::parse(body)?.text("token")?;
    Ok(named.filter(|token| !token.is_empty()).map(Token::new))
}

/// Whether a request is about the token that it is sent with, to take out what is wrapped under it. Such a token is good
/// wherever it is sent, and opens what was wrapped in its own namespace.
pub(crate) fn is_about_own(asked: &Asked) -> bool {
    asked.operation == Operation::Update
        && matches!(asked.path(), "sys/wrapping/unwrap" | "sys/wrapping/rewrap")
        && !is_jwt(asked.token.expose())
        && matches!(named(asked.body()), Ok(None))
}

/// The namespace in which something was wrapped: whoever has the token may have it, wherever they ask.
pub(super) fn home(active: &Arc<Active>, token: &Token) -> Result<Arc<Active>> {
    let home = active.home_of(token)?.ok_or(WrappingRefusal::NotValid)?;
    active.shared.namespaces.refuse_locked(&home.namespace.path)?;
    Ok(home)
}

/// The plain form of a token that has something wrapped under it.
pub(super) async fn require_wrapping(active: &Arc<Active>, token: Token) -> Result<Token> {
    if token.expose().is_empty() {
        return Err(WrappingRefusal::NoToken.into());
    }
    let token = active.wrapping.plain(token).await?;
    let found = home(active, &token)?.find_own(&token).await?;
    if found.is_some_and(|found| is_wrapping(&found.entry)) {
        Ok(token)
    } else {
        Err(WrappingRefusal::NotValid.into())
    }
}
