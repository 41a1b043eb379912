use domain::{Kind, PastMaxTtl};

/// Why something about a lease is not done.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LeaseRefusal {
    /// Which lease?
    #[error("lease_id must be specified")]
    NoId,
    /// Nobody knows it, as a look-up says it.
    #[error("invalid lease")]
    Unknown,
    /// Nobody knows it, as a renewal says it.
    #[error("lease not found")]
    NotFound,
    /// Its time is over, and it is about to be revoked.
    #[error("lease expired")]
    Expired,
    /// It ends when it ends.
    #[error("lease is not renewable")]
    NotRenewable,
    /// A token's lease.
    #[error("tokens cannot be renewed through this endpoint")]
    IsToken,
    /// It has lasted as long as it may.
    #[error(transparent)]
    PastMaxTtl(#[from] PastMaxTtl),
    /// The plugin that issued it is not there any more.
    #[error("the mount that issued it is gone")]
    MountGone,
    /// The plugin has not revoked it.
    #[error("failed to revoke {id:?}: {why}")]
    NotRevoked {
        /// The lease.
        id: String,
        /// In the plugin's words.
        why: String,
    },
    /// Likewise, as was found out before: it is not asked for each lease.
    #[error("the plugin that issued it does not answer")]
    PluginSilent,
    /// The plugin does not renew it.
    #[error("failed to renew entry: {0}")]
    NotRenewed(String),
    /// There is one type of leases that can be listed.
    #[error("unknown type of leases; the one that can be listed is irrevocable")]
    Type,
    /// Not a number of leases.
    #[error("limit must be a number, or none")]
    Limit,
    /// There would be no token that the secret could die with.
    #[error(
        "Secret cannot be returned; token had one use left, so leased credentials were immediately revoked."
    )]
    LastUse,
    /// The token ended while the plugin worked.
    #[error("Secret cannot be returned; the token was revoked meanwhile, and the secret with it.")]
    TokenEnded,
    /// A login yields a token, and nothing else.
    #[error("unexpected secret in the answer of a path that needs no token; it was revoked")]
    SecretForNobody,
}

impl LeaseRefusal {
    /// The word for it at the border.
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::SecretForNobody => Kind::Internal,
            Self::NoId
            | Self::Unknown
            | Self::NotFound
            | Self::Expired
            | Self::NotRenewable
            | Self::IsToken
            | Self::PastMaxTtl(_)
            | Self::MountGone
            | Self::PluginSilent
            | Self::NotRenewed(_)
            | Self::Type
            | Self::Limit
            | Self::NotRevoked { .. }
            | Self::LastUse
            | Self::TokenEnded => Kind::Invalid,
        }
    }
}
