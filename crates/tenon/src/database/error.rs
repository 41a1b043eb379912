/// The outcome of what a database plugin is asked.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a database plugin did not do as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// What was asked makes no sense to it.
    #[error("{0}")]
    Invalid(String),
    /// It failed, in its own words: most often the database has refused.
    #[error("{0}")]
    Failed(String),
    /// It cannot do such a thing.
    #[error("{0}")]
    Unsupported(String),
    /// There is no plugin to ask: none of that name, or it does not start.
    #[error("{0}")]
    Unavailable(String),
    /// Its process has gone. `received` is false only if it certainly never got the request.
    #[error("{detail}")]
    Gone {
        /// Whether it may have acted on the request.
        received: bool,
        /// What happened, for the operator.
        detail: String,
    },
}

impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(sentence) | Error::Unsupported(sentence) => Self::BadRequest(sentence),
            Error::Failed(sentence) => Self::Other(sentence),
            Error::Unavailable(message) => Self::Coded { code: 503, message },
            Error::Gone { received, detail } => Self::Gone { received, detail },
        }
    }
}
