use domain::Operation;

use crate::{ask::Ask, cubbyhole, endpoint::Endpoint, error::Result, identity, sys, token};

/// A mount that this service answers for itself, without a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CoreMount {
    /// `sys/`.
    System,
    /// `auth/token/`.
    Token,
    /// `cubbyhole/`.
    Cubbyhole,
    /// `identity/`.
    Identity,
}

impl CoreMount {
    /// The one at a path. By path, not by type: a damaged record must not take the system's endpoints away.
    pub(crate) fn at(path: &str) -> Option<Self> {
        match path {
            "sys/" => Some(Self::System),
            "auth/token/" => Some(Self::Token),
            "cubbyhole/" => Some(Self::Cubbyhole),
            "identity/" => Some(Self::Identity),
            _ => None,
        }
    }

    /// Its type, as answers of ours name it.
    pub(crate) const fn type_shown(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Token => "token",
            Self::Cubbyhole => "cubbyhole",
            Self::Identity => "identity",
        }
    }

    /// Whether a write there creates or changes: callers may be permitted to do the one and not the other.
    pub(crate) async fn known(self, ask: &Ask, rest: &str) -> Result<Operation> {
        match (self, ask.operation) {
            (Self::Cubbyhole, Operation::Update) => cubbyhole::known(ask, rest).await,
            (_, operation) => Ok(operation),
        }
    }

    pub(crate) const fn endpoints(self) -> &'static [&'static [Endpoint]] {
        match self {
            Self::System => sys::ENDPOINTS,
            Self::Token => token::ENDPOINTS,
            Self::Cubbyhole => &[cubbyhole::ENDPOINTS],
            Self::Identity => identity::ENDPOINTS,
        }
    }
}
