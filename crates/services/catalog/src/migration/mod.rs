//! Copying everything stored from one storage to another, as it is stored: nothing is decrypted.

mod copy;
mod error;
mod mark;

use std::sync::Arc;

use ::storage::{InMemory, Storage};

use crate::StorageConfig;
use copy::Copy;
pub use error::MigrationError;
use mark::Mark;
pub(crate) use mark::refuse_unfinished;

/// From where to where, and how.
#[derive(Clone, Debug)]
pub struct Migration {
    /// From where. From then on, a server that has it open still cannot write to it.
    pub source: StorageConfig,
    /// To where.
    pub destination: StorageConfig,
    /// What sorts before this and is there already is taken for copied; empty: nothing is.
    pub start: String,
    /// Entries that are on their way at the same time.
    pub parallel: usize,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Migrated {
    /// Entries of the source.
    pub entries: u64,
    /// Those of them that were written; the others were there from an earlier try.
    pub copied: u64,
}

impl Migration {
    /// Copies what is missing. Broken off at any point, it goes on when it is called again.
    ///
    /// # Errors
    /// An end of it cannot be used, is used by somebody else, or fails.
    pub async fn run(&self) -> Result<Migrated, MigrationError> {
        let places = [self.source.place()?, self.destination.place()?];
        if places[0] == places[1] {
            return Err(MigrationError::Same);
        }
        let mark = Mark { source: places[0].clone() };
        // Looked at first: whatever cannot be used is left as it is, with the server that may be using it.
        let seen = self.source.look().await.map_err(MigrationError::Source)?;
        mark::expect_whole(&*seen.ok_or(MigrationError::Empty)?).await?;
        let seen = self.destination.look().await.map_err(MigrationError::Destination)?;
        mark::expect_unused(seen.as_deref(), &mark).await?;

        let destination = self.open_destination().await?;
        destination.commit(vec![mark.write()]).await.map_err(MigrationError::at_destination)?;
        let source = self.source.open().await.map_err(MigrationError::Source)?;
        let copy = Copy {
            source: &*source,
            destination: &*destination,
            start: &self.start,
            parallel: self.parallel,
        };
        let migrated = copy.run().await?;
        // Whoever else opened the source meanwhile may have written to it, behind what was copied already.
        source.commit(vec![mark::removal()]).await.map_err(MigrationError::at_source)?;
        destination.commit(vec![mark::removal()]).await.map_err(MigrationError::at_destination)?;
        Ok(migrated)
    }

    /// Gives up a migration that was broken off: the destination is empty afterwards. Says whether there was one.
    ///
    /// # Errors
    /// The destination cannot be used.
    pub async fn reset(&self) -> Result<bool, MigrationError> {
        let Some(seen) = self.destination.look().await.map_err(MigrationError::Destination)? else {
            return Ok(false);
        };
        if Mark::of(&*seen).await.map_err(MigrationError::Destination)?.is_none() {
            return Ok(false);
        }
        let destination = self.open_destination().await?;
        let nothing = InMemory::new();
        Copy { source: &nothing, destination: &*destination, start: "", parallel: self.parallel }
            .run()
            .await?;
        destination.commit(vec![mark::removal()]).await.map_err(MigrationError::at_destination)?;
        Ok(true)
    }

    async fn open_destination(&self) -> Result<Arc<dyn Storage>, MigrationError> {
        self.destination.open().await.map_err(MigrationError::Destination)
    }
}
