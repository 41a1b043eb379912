use domain::Kind;

use crate::Response;

/// The outcome of what a backend does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a backend did not do as asked, in the kinds of Vault's plugin protocol (`pb.ProtoError`).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Something unexpected; the caller sees it as 500.
    #[error("{0}")]
    Other(String),
    /// The caller's mistake, told as an internal error by today's hosts; prefer [`Error::BadRequest`].
    #[error("{0}")]
    User(String),
    /// Our own fault.
    #[error("{0}")]
    Internal(String),
    /// With a status code of the plugin's choice.
    #[error("{message}")]
    Coded {
        /// The status.
        code: u16,
        /// The sentence.
        message: String,
    },
    /// The caller's mistake: 400.
    #[error("{0}")]
    BadRequest(String),
    /// The path exists, the operation does not: 405.
    #[error("unsupported operation")]
    UnsupportedOperation,
    /// No such path: 404.
    #[error("unsupported path")]
    UnsupportedPath,
    /// The request makes no sense: 400.
    #[error("invalid request")]
    InvalidRequest,
    /// Not allowed: 403.
    #[error("permission denied")]
    PermissionDenied,
    /// Waits for further approval.
    #[error("request needs further approval")]
    MultiAuthzPending,
    /// Cannot be mended by trying again.
    #[error("unrecoverable error")]
    Unrecoverable,
    /// An error, and an answer to go with it.
    #[error("{error}")]
    WithResponse {
        /// What is wrong.
        error: Box<Self>,
        /// What to say beside it.
        response: Box<Response>,
    },
    /// The plugin's process or connection is gone. `received` is false only if the plugin certainly never got the request.
    #[error("{detail}")]
    Gone {
        /// Whether the plugin may have acted on the request.
        received: bool,
        /// What happened, for the operator.
        detail: String,
    },
}

impl Error {
    /// The caller's mistake, told in just these words: 400.
    pub fn refused(sentence: impl Into<String>) -> Self {
        Self::WithResponse {
            error: Box::new(Self::InvalidRequest),
            response: Box::new(Response::error(sentence)),
        }
    }
}

impl From<storage::InvalidKey> for Error {
    fn from(error: storage::InvalidKey) -> Self {
        Self::BadRequest(error.to_string())
    }
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        match error {
            storage::Error::Backend(source) => Self::Other(format!("storage failed: {source}")),
            storage::Error::Key(error) => Self::BadRequest(error.to_string()),
            error => match status_of(&error) {
                Some(code) => Self::Coded { code, message: error.to_string() },
                None => Self::Other(error.to_string()),
            },
        }
    }
}

/// The status of what storage refuses for a reason that lies outside of the plugin. Others are told by their texts, which
/// hosts know.
pub fn status_of(error: &storage::Error) -> Option<u16> {
    match error.kind() {
        Kind::Sealed | Kind::Unavailable => Some(503),
        Kind::TooLarge => Some(413),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_storage_refuses_keeps_its_status() {
        let code = |error: storage::Error| match Error::from(error) {
            Error::Coded { code, .. } => code,
            other => panic!("{other}"),
        };
        assert_eq!(code(storage::Error::Sealed), 503);
        assert_eq!(code(storage::Error::Stopped), 503);
        let away =
            storage::Error::Refused { kind: Kind::Unavailable, message: "the catalog is away".to_owned() };
        assert_eq!(code(away), 503);
        assert_eq!(code(storage::Error::TooLarge { limit: 1, actual: 2 }), 413);
        // Hosts look for this text, and send the request on to the node that writes.
        let read_only = Error::from(storage::Error::ReadOnly);
        assert_eq!(read_only, Error::Other("cannot write to readonly storage".to_owned()));
    }
}
