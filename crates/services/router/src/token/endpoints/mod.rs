//! What lies under `auth/token/`, one file a family.

mod create;
mod lookup;
mod renew;
mod revoke;
mod roles;

use std::sync::Arc;

use domain::Token;

use super::{Found, TokenRefusal};
use crate::{ask::Ask, core::Active, endpoint::Endpoint, error::Result, fields::Fields};

pub(crate) const ENDPOINTS: &[&[Endpoint]] =
    &[lookup::ENDPOINTS, create::ENDPOINTS, renew::ENDPOINTS, revoke::ENDPOINTS, roles::ENDPOINTS];

/// The token that a request is about.
struct Named {
    token: Token,
    /// None: there is no such token.
    found: Option<Found>,
}

/// The token in a request's parameters.
async fn named(ask: &Ask, fields: &Fields) -> Result<Named> {
    let token = fields.text("token")?.filter(|token| !token.is_empty()).ok_or(TokenRefusal::NoToken)?;
    let token = Token::new(token);
    Ok(Named { found: ask.active()?.find_token(&token).await?, token })
}

/// The token whose accessor is in a request's parameters.
async fn by_accessor(active: &Arc<Active>, fields: &Fields) -> Result<Option<Found>> {
    let accessor = fields.text("accessor")?.filter(|accessor| !accessor.is_empty());
    let accessor = accessor.ok_or(TokenRefusal::NoAccessor)?;
    active.find_by_accessor(&accessor).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::{Access, find};

    #[test]
    fn these_need_sudo_and_nothing_is_open() {
        for path in ["revoke-orphan", "accessors/"] {
            assert_eq!(find(ENDPOINTS, path).unwrap().0.access, Access::Sudo, "{path}");
        }
        let all = ENDPOINTS.iter().flat_map(|family| family.iter());
        assert!(
            all.map(|endpoint| endpoint.access).all(|access| matches!(access, Access::Token | Access::Sudo))
        );
    }
}
