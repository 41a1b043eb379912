use std::{io, path::Path};

use crate::{Exit, client::Failure};

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What the user gave, or something on this machine.
    #[error("{0}")]
    Local(String),
    /// What was looked for is not there, or is not what it should be.
    #[error("{0}")]
    Nothing(String),
    /// What the server refused, or why it did not answer.
    #[error("{doing}: {failure}")]
    Asked {
        /// What was being done, as a sentence begins: `Error reading secret/a`.
        doing: String,
        /// Why not.
        failure: Failure,
    },
    /// The same, where the failure says it all.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// Everything has been printed: what is left is the number.
    #[error("ends with {}", .0.number())]
    Ends(Exit),
}

/// What a command comes to.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A mistake of the user's.
    pub fn local(sentence: impl Into<String>) -> Self {
        Self::Local(sentence.into())
    }

    /// Something that the server does not have.
    pub fn nothing(sentence: impl Into<String>) -> Self {
        Self::Nothing(sentence.into())
    }

    /// A file that cannot be read.
    pub fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self::Local(format!("cannot read {}: {error}", path.display()))
    }

    /// The number that it ends with.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Local(_)
            | Self::Failed(Failure::Unfit(_))
            | Self::Asked { failure: Failure::Unfit(_), .. } => Exit::Local,
            Self::Ends(exit) => *exit,
            Self::Nothing(_) | Self::Asked { .. } | Self::Failed(_) => Exit::Remote,
        }
    }

    /// What is printed in the place of an answer, because the user asked for that rather than for the request to be sent.
    pub fn instead(&self) -> Option<&str> {
        match self {
            Self::Asked { failure: Failure::Instead(text), .. } | Self::Failed(Failure::Instead(text)) => {
                Some(text)
            }
            _ => None,
        }
    }
}

/// Says what was being done when something failed.
pub trait Doing<T> {
    /// `Error reading secret/a`, for example.
    ///
    /// # Errors
    /// Those that it is said of.
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Doing<T> for Result<T, Failure> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|failure| Error::Asked { doing: what(), failure })
    }
}
