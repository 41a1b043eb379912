use domain::Kind;

/// Why a request is one too many, or a quota is not set as asked; in Vault's words.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum QuotaRefusal {
    #[error("request path {path:?}: rate limit quota exceeded")]
    Exceeded {
        path: String,
        /// That tell when to come back.
        headers: Vec<(String, String)>,
    },
    #[error("request path {0:?}: lease count quota exceeded")]
    Leases(String),
    #[error("'max_leases' is invalid: it is the number of leases that there may be, at least 1")]
    MaxLeases,
    #[error("'rate' is invalid")]
    Rate,
    #[error("'interval' is invalid")]
    Interval,
    #[error("'block' is invalid")]
    Block,
    #[error("invalid mount path {0:?}: there is no such mount")]
    Mount(String),
    #[error("quota rule with similar properties exists under the name {0:?}")]
    Rival(String),
    #[error("quotas by role are not available on this server; leave role out")]
    Role,
    #[error("'group_by' is invalid: this server counts by client address; leave it out, or set it to \"ip\"")]
    GroupBy,
}

impl QuotaRefusal {
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Exceeded { .. } | Self::Leases(_) => Kind::Exhausted,
            Self::MaxLeases
            | Self::Rate
            | Self::Interval
            | Self::Block
            | Self::Mount(_)
            | Self::Rival(_)
            | Self::Role
            | Self::GroupBy => Kind::Invalid,
        }
    }

    /// What the answer says beside the sentence.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        match self {
            Self::Exceeded { headers, .. } => headers.clone(),
            _ => Vec::new(),
        }
    }
}
