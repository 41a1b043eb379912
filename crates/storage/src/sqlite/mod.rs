//! The embedded database.

mod changes;
mod files;
mod queries;
mod schema;
mod verdict;
mod writer;

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use spans::{Database, Stored};
use sqlx::{
    ConnectOptions, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{Error, Key, Prefix, Result, Storage, Write, traced::traced};
use writer::Writer;

/// Connections that read at the same time.
const READERS: u32 = 4;

/// Bytes of the log of writes that are kept from one checkpoint to the next.
const LOG_LIMIT: u64 = 16 << 20;

/// How long a statement waits for a lock that another process holds.
const LOCK_PATIENCE: Duration = Duration::from_millis(if cfg!(test) { 100 } else { 5_000 });

/// How long a read waits for one of the connections.
const TURN_PATIENCE: Duration = Duration::from_millis(if cfg!(test) { 100 } else { 30_000 });

/// Values in an SQLite database. What was acknowledged is on the disk.
///
/// One task writes; writes that arrive together share one transaction and one sync of the disk.
/// The handle that was opened last is the one that may write: an earlier one gets [`Error::ReadOnly`].
#[derive(Debug)]
pub struct Sqlite {
    readers: SqlitePool,
    /// None: it was opened to be read only.
    writer: Option<Writer>,
}

impl Sqlite {
    /// Opens the database, made first when it is missing, and takes over writing from whoever opened it before.
    pub async fn open(path: &Path) -> Result<Self> {
        let owned = path.to_owned();
        tokio::task::spawn_blocking(move || files::prepare(&owned))
            .await
            .map_err(Error::backend)?
            .map_err(Error::backend)?;
        let options = options(path);
        let writer = Writer::start(&options).await?;
        Ok(Self { readers: readers(options), writer: Some(writer) })
    }

    /// Opens the database to read it, and leaves writing to whoever has it. `None`: there is none, or nothing in it.
    pub async fn look(path: &Path) -> Result<Option<Self>> {
        if !tokio::fs::try_exists(path).await.map_err(Error::backend)? {
            return Ok(None);
        }
        let readers = readers(options(path).create_if_missing(false));
        let filled = queries::has_entries(&readers).await.map_err(verdict::unread)?;
        Ok(filled.then_some(Self { readers, writer: None }))
    }
}

fn readers(options: SqliteConnectOptions) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(TURN_PATIENCE)
        .test_before_acquire(false)
        .connect_lazy_with(options.pragma("query_only", "ON"))
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(LOCK_PATIENCE)
        // No log of statements, and no time taken for it.
        .disable_statement_logging()
        // The log of writes grows beyond this while a large transaction needs it, and shrinks again. It stays larger
        // than what is between two checkpoints: written over in place, it is synced without a change of its size.
        .pragma("journal_size_limit", LOG_LIMIT.to_string())
        // What was deleted is overwritten wherever that takes no further write.
        .pragma("secure_delete", "FAST")
        // In KiB. What is read often is in the cache above.
        .pragma("cache_size", "-1024")
}

#[async_trait]
impl Storage for Sqlite {
    async fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        let reading = async { queries::value(&self.readers, key).await.map_err(verdict::unread) };
        traced(Database::Sqlite, Stored::Get, reading).await
    }

    async fn page(&self, prefix: &Prefix, after: &str, limit: usize) -> Result<Vec<String>> {
        let reading =
            async { queries::children(&self.readers, prefix, after, limit).await.map_err(verdict::unread) };
        traced(Database::Sqlite, Stored::List, reading).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<()> {
        let Some(writer) = &self.writer else { return Err(Error::ReadOnly) };
        traced(Database::Sqlite, Stored::Commit, writer.commit(writes)).await
    }
}

#[cfg(test)]
mod tests;
