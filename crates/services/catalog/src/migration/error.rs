use ::storage::Error as StorageError;

/// Why nothing, or not everything, was copied.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// Memory is gone with its process.
    #[error("storage \"inmem\" keeps nothing, so nothing can be copied from it or to it")]
    Memory,
    /// There is only one storage.
    #[error("storage_source and storage_destination are the same")]
    Same,
    /// A name that was mistyped, most likely.
    #[error("there is nothing at the source; look whether storage_source names the right one")]
    Empty,
    /// It is half of something.
    #[error("the source is itself being filled by a migration that has not ended; end that one first")]
    Unfinished,
    /// What is there would be lost.
    #[error("the destination holds something already; name one that is empty")]
    InUse,
    /// Two halves make no whole.
    #[error(
        "the destination is being filled from elsewhere: {source_place}; end that migration, or give it up with -reset"
    )]
    Another {
        /// From where.
        source_place: String,
    },
    /// The copy may be older in one part than in another.
    #[error("a server has opened the source while it was copied; stop the server, and run this again")]
    SourceOpened,
    /// Somebody else writes there.
    #[error("the destination was opened by another migration or by a server; end it, and run this again")]
    DestinationOpened,
    /// The source failed.
    #[error("cannot read the source")]
    Source(#[source] StorageError),
    /// The destination failed.
    #[error("cannot write to the destination; run this again, and it goes on")]
    Destination(#[source] StorageError),
}

impl MigrationError {
    pub(super) fn at_source(error: StorageError) -> Self {
        match error {
            StorageError::ReadOnly => Self::SourceOpened,
            other => Self::Source(other),
        }
    }

    pub(super) fn at_destination(error: StorageError) -> Self {
        match error {
            StorageError::ReadOnly => Self::DestinationOpened,
            other => Self::Destination(other),
        }
    }
}
