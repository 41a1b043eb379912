use std::error::Error as _;

use ::storage::barrier::{InitError, InvalidSealConfig, UnsealError};
use domain::Kind;
use tonic::Status;
use wire::Failure;

use crate::{
    barrier::CeremonyError,
    plugins::{PluginError, UploadError},
};

/// Said in Vault's words, which operators search for.
const WRONG_SHARES: &str = "unable to retrieve stored keys: invalid key: failed to decrypt keys from storage: \
    error decrypting seal wrapped value\nerror decrypting using seal shamir: cipher: message authentication failed";

/// Why the catalog did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The barrier can be initialised once.
    #[error("Vault is already initialized")]
    AlreadyInitialized,
    /// There is nothing to unseal.
    #[error("Vault is not initialized")]
    NotInitialized,
    /// Shares and threshold that make no seal.
    #[error(transparent)]
    SealConfig(#[from] InvalidSealConfig),
    /// Nobody's share is that short.
    #[error("invalid key: key is shorter than minimum {minimum} bytes")]
    ShareTooShort {
        /// Bytes that a share has at least.
        minimum: usize,
    },
    /// Nobody's share is that long.
    #[error("invalid key: key is longer than maximum {maximum} bytes")]
    ShareTooLong {
        /// Bytes that a share has at most.
        maximum: usize,
    },
    /// The shares do not make the key.
    #[error("{WRONG_SHARES}")]
    WrongShares,
    /// Nothing is being collected any more.
    #[error("vault is unsealed")]
    Unsealed,
    /// A step of a ceremony that cannot be taken.
    #[error(transparent)]
    Ceremony(#[from] CeremonyError),
    /// The caller does not say what it wants of a ceremony.
    #[error("the request names no step of a ceremony that there is")]
    NoStep,
    /// More at once than one transaction takes.
    #[error("one commit takes at most {limit} {what}, these are {actual}")]
    CommitTooLarge {
        /// Writes, or bytes.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
        /// How many these are.
        actual: usize,
    },
    /// Storage failed, or the key was wrong.
    #[error(transparent)]
    Storage(#[from] ::storage::Error),
    /// It is half of something.
    #[error(
        "the storage is being filled by a migration that has not ended, from {source_place}; run `mortise operator \
         migrate` again until it ends, or give it up with -reset"
    )]
    Migrating {
        /// From where.
        source_place: String,
    },
    /// Something about an upload.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// Something about a plugin.
    #[error(transparent)]
    Plugin(#[from] PluginError),
}

impl Error {
    /// The word for it at the border.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::AlreadyInitialized
            | Self::NotInitialized
            | Self::SealConfig(_)
            | Self::ShareTooShort { .. }
            | Self::ShareTooLong { .. }
            | Self::WrongShares
            | Self::NoStep
            | Self::Unsealed => Kind::Invalid,
            Self::Ceremony(error) => error.kind(),
            Self::CommitTooLarge { .. } => Kind::TooLarge,
            Self::Storage(error) => error.kind(),
            Self::Migrating { .. } => Kind::Unavailable,
            Self::Upload(error) => error.kind(),
            Self::Plugin(error) => error.kind(),
        }
    }
}

impl From<::storage::InvalidKey> for Error {
    fn from(error: ::storage::InvalidKey) -> Self {
        Self::Storage(error.into())
    }
}

impl From<InitError> for Error {
    fn from(error: InitError) -> Self {
        match error {
            InitError::Already => Self::AlreadyInitialized,
            InitError::Storage(error) => Self::Storage(error),
        }
    }
}

impl From<UnsealError> for Error {
    fn from(error: UnsealError) -> Self {
        match error {
            UnsealError::NotInitialized => Self::NotInitialized,
            UnsealError::WrongShares => Self::WrongShares,
            UnsealError::Storage(error) => Self::Storage(error),
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        if error.kind() == Kind::Internal {
            log(&error);
        }
        let failure = match &error {
            // What is not there is said by its absence.
            Error::Plugin(PluginError::NoEntry) => Failure::silent(Kind::NotFound),
            error => Failure::new(error.kind(), error.to_string()),
        };
        wire::status_of(failure)
    }
}

/// The user is told what, the log also why.
fn log(error: &Error) {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    tracing::error!(error = text, "the catalog failed");
}
