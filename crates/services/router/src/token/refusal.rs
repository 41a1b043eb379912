use domain::{GrantRefused, InvalidDuration, Kind, PastMaxTtl};

/// Why the token store does not do as asked, in the words that clients of Vault know.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum TokenRefusal {
    #[error("batch tokens cannot create more tokens")]
    BatchParent,
    #[error("restricted use token cannot generate child tokens")]
    LimitedParent,
    #[error("root or sudo privileges required to {0}")]
    Sudo(&'static str),
    #[error("root tokens may not be created from a parent namespace")]
    RootAbroad,
    #[error("token IDs can only be manually specified in the root namespace")]
    ChosenBelow,
    #[error("invalid 'token_type' value")]
    Kind,
    #[error("batch tokens cannot have {0:?} set")]
    Batch(&'static str),
    #[error("batch tokens cannot be root tokens")]
    BatchRoot,
    #[error("expiring root tokens cannot create non-expiring root tokens")]
    EndlessRoot,
    #[error("number of uses cannot be negative")]
    NegativeUses,
    #[error("{0} must be positive")]
    Negative(&'static str),
    #[error(transparent)]
    Duration(#[from] InvalidDuration),
    #[error(transparent)]
    Grant(#[from] GrantRefused),
    #[error("cannot create a token with a duplicate ID")]
    Duplicate,
    #[error("custom token ID cannot have the '{0}' prefix")]
    Prefix(&'static str),
    #[error("custom token ID cannot have a '.' in the value")]
    Dot,
    #[error("custom token ID cannot have blanks or control characters in the value")]
    Blank,
    #[error("'entity_alias' is only allowed in combination with token role")]
    AliasWithoutRole,
    #[error("invalid 'entity_alias' value")]
    Alias,
    #[error("unknown role {0}")]
    NoRole(String),
    #[error("original token role {0:?} could not be found, not renewing")]
    RoleGone(String),
    #[error("bad token")]
    BadToken,
    #[error("invalid token")]
    NullToken,
    #[error("missing token ID")]
    NoToken,
    #[error("token not found")]
    NotFound,
    #[error("token to revoke not found")]
    NothingToRevoke,
    #[error("missing accessor")]
    NoAccessor,
    #[error("invalid accessor")]
    BadAccessor,
    #[error("invalid lease ID")]
    Endless,
    #[error("lease is not renewable")]
    NotRenewable,
    #[error("batch tokens cannot be renewed")]
    RenewBatch,
    #[error("batch tokens cannot be revoked")]
    RevokeBatch,
    #[error(transparent)]
    PastMaxTtl(#[from] PastMaxTtl),
    #[error("invalid 'token_type' value {0:?}")]
    RoleKind(String),
    #[error("'token_type' cannot be 'batch' when role is set to generate {0}")]
    BatchRole(&'static str),
    #[error(
        "'token_type' cannot be 'batch' or 'default_batch' when set to generate tokens with limited use count"
    )]
    BatchRoleUses,
    #[error("'token_num_uses' cannot be negative")]
    RoleUses,
    #[error("given role path suffix contains invalid characters; must match \\w[\\w-.]+\\w")]
    Suffix,
    #[error("{0:?} is neither an address nor a network")]
    BoundCidr(String),
}

impl TokenRefusal {
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::BadToken | Self::NullToken => Kind::Denied,
            _ => Kind::Invalid,
        }
    }

    /// Whether Vault says this as an error that a handler ended with.
    pub(crate) const fn is_listed(&self) -> bool {
        matches!(self, Self::NoAccessor | Self::BadAccessor)
    }
}
