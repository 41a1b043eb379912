use ::storage::{Key, Result, Storage, Write};
use serde::{Deserialize, Serialize};

use super::MigrationError;

/// Where a storage that is being filled says so. It is outside of what the barrier names.
pub(super) const MARK: &str = "core/migration";

/// What stands there: for as long as it does, no server opens the storage.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// From where the storage is being filled.
    pub(super) source: String,
}

impl Mark {
    pub(super) async fn of(storage: &dyn Storage) -> Result<Option<Self>> {
        let Some(value) = storage.get(&key()).await? else { return Ok(None) };
        serde_json::from_slice(&value).map(Some).map_err(::storage::Error::backend)
    }

    pub(super) fn write(&self) -> Write {
        Write::Put(key(), serde_json::json!(self).to_string().into())
    }
}

pub(super) fn removal() -> Write {
    Write::Delete(key())
}

fn key() -> Key {
    MARK.parse().unwrap_or_else(|error| unreachable!("{MARK}: {error}"))
}

/// A storage that is being filled is not yet what it will be.
pub(crate) async fn refuse_unfinished(storage: &dyn Storage) -> Result<(), crate::Error> {
    match Mark::of(storage).await? {
        Some(Mark { source }) => Err(crate::Error::Migrating { source_place: source }),
        None => Ok(()),
    }
}

/// Nor can it be copied.
pub(super) async fn expect_whole(source: &dyn Storage) -> Result<(), MigrationError> {
    match Mark::of(source).await.map_err(MigrationError::Source)? {
        Some(_) => Err(MigrationError::Unfinished),
        None => Ok(()),
    }
}

/// A destination is empty, or was begun to be filled from the same source.
pub(super) async fn expect_unused(
    destination: Option<&dyn Storage>,
    mark: &Mark,
) -> Result<(), MigrationError> {
    let Some(destination) = destination else { return Ok(()) };
    match Mark::of(destination).await.map_err(MigrationError::Destination)? {
        Some(found) if found == *mark => Ok(()),
        Some(Mark { source }) => Err(MigrationError::Another { source_place: source }),
        // Something was found there, or there would have been nothing to look at.
        None => Err(MigrationError::InUse),
    }
}
