use domain::Token;

use super::{WrappingRefusal, wrap::is_wrapping};
use crate::{core::Active, error::Result, fields::Fields};

/// The caller's own token, and the one that the body names, in their plain forms; once it is known that there is
/// something wrapped under the one that matters. That is the one in the body; without it, the caller's own.
pub(crate) async fn resolve_first(
    active: &Active,
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

/// The plain form of a token that has something wrapped under it.
pub(super) async fn require_wrapping(active: &Active, token: Token) -> Result<Token> {
    if token.expose().is_empty() {
        return Err(WrappingRefusal::NoToken.into());
    }
    let token = active.wrapping.plain(token).await?;
    let found = active.tokens.find(&token).await?;
    if found.is_some_and(|found| is_wrapping(&found.entry)) {
        Ok(token)
    } else {
        Err(WrappingRefusal::NotValid.into())
    }
}
