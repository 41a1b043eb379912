//! A PostgreSQL database.

mod config;
mod failure;
mod link;
mod readers;
mod schema;
mod session;
mod statements;
mod writer;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use spans::{Database, Stored};
use sqlx::{Row, postgres::PgRow};
use tokio::time::sleep;

use crate::{Error, InvalidKey, Key, Prefix, Result, Storage, Write, children::child_of, traced::traced};
pub use config::PostgreSqlConfig;
use failure::Failure;
use link::Link;
use readers::Readers;
use writer::Writer;

/// The longest key, in bytes, that an index of PostgreSQL takes, less a little.
const LONGEST: usize = 2_600;

/// How long it is waited before the database is tried again at the start.
const PAUSE: Duration = Duration::from_secs(if cfg!(test) { 0 } else { 2 });

/// Values in a table of a PostgreSQL database. What was acknowledged is on its disk.
///
/// One connection writes; writes that arrive together share one transaction. It is made again by itself when it is
/// lost. The handle that was opened last is the one that may write: an earlier one gets [`Error::ReadOnly`].
#[derive(Debug)]
pub struct PostgreSql {
    readers: Readers,
    /// None: it was opened to be read only.
    writer: Option<Writer>,
}

impl PostgreSql {
    /// Opens the tables, made first when they are missing, and takes over writing from whoever opened them before.
    pub async fn open(config: &PostgreSqlConfig) -> Result<Self> {
        let link = Arc::new(Link::new(config).map_err(Failure::from)?);
        let start = || Writer::start(link.clone(), !config.skip_create_table);
        let writer = patiently(config.max_connect_retries, start).await?;
        Ok(Self { readers: Readers::new(link, config), writer: Some(writer) })
    }

    /// Opens the tables to read them, and leaves writing to whoever has it. `None`: there are none, or nothing is in
    /// them.
    pub async fn look(config: &PostgreSqlConfig) -> Result<Option<Self>> {
        let link = Arc::new(Link::new(config).map_err(Failure::from)?);
        if !patiently(config.max_connect_retries, || link.has_tables()).await? {
            return Ok(None);
        }
        let seen = Self { readers: Readers::new(link, config), writer: None };
        Ok(if seen.page(&Prefix::ALL, "", 1).await?.is_empty() { None } else { Some(seen) })
    }

    async fn settled(&self) -> Result<()> {
        match &self.writer {
            Some(writer) => writer.settled().await,
            None => Ok(()),
        }
    }
}

/// Tries so often again to reach the database.
async fn patiently<T>(mut retries: u32, work: impl AsyncFn() -> Result<T>) -> Result<T> {
    loop {
        match work().await {
            Err(Error::Unreachable(_)) if retries > 0 => {
                retries -= 1;
                sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}

#[async_trait]
impl Storage for PostgreSql {
    async fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        self.settled().await?;
        let reading = self.readers.rows(|statements| statements.value(key));
        let rows = traced(Database::PostgreSql, Stored::Get, reading).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let value: Vec<u8> = row.try_get(0).map_err(Error::backend)?;
        Ok(Some(value.into()))
    }

    async fn page(&self, prefix: &Prefix, after: &str, limit: usize) -> Result<Vec<String>> {
        self.settled().await?;
        let reading = self.readers.rows(|statements| statements.children(prefix, after, limit));
        let rows = traced(Database::PostgreSql, Stored::List, reading).await?;
        let child = |row: &PgRow| {
            let key: &str = row.try_get(0).map_err(Error::backend)?;
            Ok(child_of(prefix, key).unwrap_or_default().to_owned())
        };
        rows.iter().map(child).collect()
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<()> {
        if writes.iter().any(|write| write.key().as_str().len() > LONGEST) {
            return Err(InvalidKey::TooLongHere(LONGEST).into());
        }
        let Some(writer) = &self.writer else { return Err(Error::ReadOnly) };
        traced(Database::PostgreSql, Stored::Commit, writer.commit(writes)).await
    }
}

#[cfg(test)]
mod tests;
