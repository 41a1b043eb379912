use std::io;

use domain::{Kind, Sha256};
use rustix::io::Errno;

use super::ArtifactError;

/// Why a program is not taken, or not put where it belongs.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// Not configured.
    #[error("plugins cannot be uploaded to this server: its configuration has to say plugin_upload = true")]
    Off,
    /// Not what comes next.
    #[error("{received} bytes have arrived: go on from there")]
    Offset {
        /// Bytes that have arrived.
        received: u64,
    },
    /// More than is taken.
    #[error("a plugin of more than {limit} bytes is not taken (plugin_upload_max_size)")]
    TooLarge {
        /// Bytes that are taken.
        limit: u64,
    },
    /// Others are not finished.
    #[error("{most} uploads are under way already: finish one of them, or delete it")]
    TooMany {
        /// As many may be.
        most: usize,
    },
    /// Nothing has arrived.
    #[error("nothing has been uploaded that has this SHA256")]
    Missing,
    /// Something else has arrived.
    #[error("what was uploaded has SHA256 {found}, not {expected}: upload it again")]
    Mismatch {
        /// What it was said to be.
        expected: Sha256,
        /// What it is.
        found: Sha256,
    },
    /// A name that means something else.
    #[error("{0:?} cannot be the name of an uploaded plugin: it begins with a dot")]
    Hidden(String),
    /// Another plugin's file.
    #[error(
        "the plugin directory has another file called {0:?}, which is not overwritten: give another command"
    )]
    Taken(String),
    /// The plugin directory, or the name.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The system says no.
    #[error("cannot write to the plugin directory: {0}")]
    System(#[from] io::Error),
}

impl From<Errno> for UploadError {
    fn from(error: Errno) -> Self {
        Self::System(error.into())
    }
}

impl UploadError {
    /// The word for it at the border.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Off
            | Self::Offset { .. }
            | Self::TooMany { .. }
            | Self::Mismatch { .. }
            | Self::Hidden(_)
            | Self::Taken(_) => Kind::Invalid,
            Self::TooLarge { .. } => Kind::TooLarge,
            Self::Missing => Kind::NotFound,
            Self::Artifact(error) => error.kind(),
            Self::System(_) => Kind::Internal,
        }
    }
}
