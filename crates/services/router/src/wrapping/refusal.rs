use domain::Kind;

/// Why nothing is wrapped or unwrapped, in Vault's words.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum WrappingRefusal {
    /// Which of them is nobody's business.
    #[error("wrapping token is not valid or does not exist")]
    NotValid,
    /// Neither in the body nor as the caller's own.
    #[error("error validating wrapping token: token is empty")]
    NoToken,
    /// What is to be wrapped would go out in clear.
    #[error("endpoint requires response wrapping to be used")]
    NotAskedFor,
    /// Whoever is to fetch it could not find it.
    #[error("api_addr is not set, and no listener tells where this server is reached; set api_addr")]
    NoAddress,
}

impl WrappingRefusal {
    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::NotValid | Self::NotAskedFor | Self::NoAddress => Kind::Invalid,
            Self::NoToken => Kind::Denied,
        }
    }
}
