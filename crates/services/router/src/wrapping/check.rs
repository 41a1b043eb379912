use domain::Token;
use serde::Deserialize;

use super::{WrappingRefusal, wrap::is_wrapping};
use crate::{core::Active, error::Result};

/// The member of a body that these endpoints look at before anything else.
#[derive(Default, Deserialize)]
struct Named {
    token: Option<String>,
}

/// The caller's own token, once it is known that there is something wrapped under the one that matters. That is the
/// one in the body; without it, the caller's own.
pub(crate) async fn resolve_first(active: &Active, own: Token, body: &[u8]) -> Result<Token> {
    let named = serde_json::from_slice::<Option<Named>>(body).ok().flatten().unwrap_or_default();
    match named.token.filter(|token| !token.is_empty()) {
        Some(named) => {
            require_wrapping(active, Token::new(named)).await?;
            Ok(own)
        }
        None => require_wrapping(active, own).await,
    }
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
