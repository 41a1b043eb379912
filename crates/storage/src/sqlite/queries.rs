use std::ops::Bound;

use bytes::Bytes;
use sqlx::{Executor, SqliteConnection, SqlitePool};

use crate::{
    Key, Prefix,
    children::{child_of, keys_after},
};

const GET: &str = "SELECT value FROM entry WHERE key = ?1";

const EPOCH: &str = "SELECT epoch FROM fence";

/// One text, so that it is handed to the database's thread at once.
const BEGIN: &str = "BEGIN IMMEDIATE; SELECT epoch FROM fence";

/// Finds one key of every child: from each it seeks past all that belongs to the same child, so that what lies
/// deeper is never read. `?1` is the prefix, `?2` its length in characters, `?3` where to begin, `?4` the limit.
/// Keys hold no NUL, so the character after it is the least that can follow; `0` is the character after `/`.
const CHILDREN: &str = "
    WITH RECURSIVE found (key) AS (
        SELECT (SELECT key FROM entry WHERE key >= ?3 ORDER BY key LIMIT 1)
        UNION ALL
        SELECT (
            SELECT entry.key FROM entry
            WHERE entry.key >= CASE instr(substr(found.key, ?2 + 1), '/')
                WHEN 0 THEN found.key || char(1)
                ELSE substr(found.key, 1, ?2 + instr(substr(found.key, ?2 + 1), '/') - 1) || '0'
            END
            ORDER BY entry.key LIMIT 1
        )
        FROM found WHERE substr(found.key, 1, ?2) = ?1
        LIMIT ?4
    )
    SELECT key FROM found WHERE substr(key, 1, ?2) = ?1";

pub(super) async fn value(readers: &SqlitePool, key: &Key) -> sqlx::Result<Option<Bytes>> {
    let value: Option<Vec<u8>> = sqlx::query_scalar(GET).bind(key.as_str()).fetch_optional(readers).await?;
    Ok(value.map(Bytes::from))
}

pub(super) async fn children(
    readers: &SqlitePool,
    prefix: &Prefix,
    after: &str,
    limit: usize,
) -> sqlx::Result<Vec<String>> {
    let from = match keys_after(prefix, after) {
        Bound::Included(key) => key,
        Bound::Excluded(key) => key + "\u{1}",
        Bound::Unbounded => String::new(),
    };
    let keys: Vec<String> = sqlx::query_scalar(CHILDREN)
        .bind(prefix.as_str())
        .bind(i64::try_from(prefix.as_str().chars().count()).unwrap_or(i64::MAX))
        .bind(from)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(readers)
        .await?;
    Ok(keys.iter().filter_map(|key| child_of(prefix, key)).map(str::to_owned).collect())
}

/// Whether there is anything at all. A file that has just been made has no tables yet.
pub(super) async fn has_entries(readers: &SqlitePool) -> sqlx::Result<bool> {
    let table = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'entry')";
    if !sqlx::query_scalar(table).fetch_one(readers).await? {
        return Ok(false);
    }
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM entry)").fetch_one(readers).await
}

/// The number of the handle that may write.
pub(super) async fn epoch(connection: &mut SqliteConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar(EPOCH).fetch_one(connection).await
}

/// Begins a transaction that writes, and says whose turn it is.
pub(super) async fn begin(connection: &mut SqliteConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar(BEGIN).fetch_one(connection).await
}

/// Ends it: what was written is durable.
pub(super) async fn commit(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    connection.execute("COMMIT").await.map(drop)
}

/// Makes sure that no transaction is open. SQLite has undone some by itself when it reports their failure, and
/// refuses to do it again; so what counts is that another one can begin.
pub(super) async fn undo(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    let _ = connection.execute("ROLLBACK").await;
    connection.execute("BEGIN").await?;
    connection.execute("ROLLBACK").await.map(drop)
}
