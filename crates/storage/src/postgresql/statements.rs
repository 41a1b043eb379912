use std::{ops::Bound, sync::Arc};

use sqlx::{AssertSqlSafe, PgConnection, Postgres, postgres::PgArguments, query::Query};

use crate::{Key, Prefix, Write, children::keys_after, group::merged};

/// One statement with what is bound to it.
pub(super) type Ask<'q> = Query<'q, Postgres, PgArguments>;

/// The texts of what is asked of the two tables. Only the tables' names differ from one database to another.
#[derive(Debug)]
pub(super) struct Statements {
    value: Arc<str>,
    children: Arc<str>,
    write: Arc<str>,
    take_over_again: Arc<str>,
}

/// What a transaction changes.
pub(super) struct Changes<'w> {
    put: Vec<&'w str>,
    values: Vec<&'w [u8]>,
    delete: Vec<&'w str>,
}

impl<'w> Changes<'w> {
    /// What these writes do together.
    pub(super) fn of(writes: impl Iterator<Item = &'w Write>) -> Self {
        let mut changes = Self { put: Vec::new(), values: Vec::new(), delete: Vec::new() };
        for (key, value) in merged(writes) {
            match value {
                Some(value) => {
                    changes.put.push(key);
                    changes.values.push(value);
                }
                None => changes.delete.push(key),
            }
        }
        changes
    }
}

impl Statements {
    /// The statements for these tables, whose names are quoted already.
    pub(super) fn new(entry: &str, fence: &str) -> Self {
        Self {
            value: format!("SELECT value FROM {entry} WHERE key = $1").into(),
            children: children(entry).into(),
            write: write(entry, fence).into(),
            take_over_again: format!("UPDATE {fence} SET epoch = epoch + 1 WHERE owner = $1 RETURNING epoch")
                .into(),
        }
    }

    /// Finds the value at a key.
    pub(super) fn value<'q>(&self, key: &'q Key) -> Ask<'q> {
        query(&self.value).bind(key.as_str())
    }

    /// Finds one key of each child.
    pub(super) fn children<'q>(&self, prefix: &'q Prefix, after: &str, limit: usize) -> Ask<'q> {
        let from = match keys_after(prefix, after) {
            Bound::Included(key) => key,
            Bound::Excluded(key) => key + "\u{1}",
            Bound::Unbounded => String::new(),
        };
        query(&self.children)
            .bind(prefix.as_str())
            .bind(i32::try_from(prefix.as_str().chars().count()).unwrap_or(i32::MAX))
            .bind(from)
            // NULL: no limit.
            .bind(i64::try_from(limit).ok())
    }

    /// Makes all changes and says `true`, or, when that epoch has passed, makes none and says `false`.
    ///
    /// The statement is a transaction of its own, and its answer comes after the commit.
    pub(super) async fn write(
        &self,
        connection: &mut PgConnection,
        epoch: i64,
        changes: &Changes<'_>,
    ) -> sqlx::Result<bool> {
        let query = sqlx::query_scalar(AssertSqlSafe(self.write.clone()))
            .bind(epoch)
            .bind(&changes.put)
            .bind(&changes.values)
            .bind(&changes.delete);
        query.fetch_one(connection).await
    }

    /// The next epoch for the handle that had the last one; `None`: another has taken over.
    pub(super) async fn take_over_again(
        &self,
        connection: &mut PgConnection,
        owner: &str,
    ) -> sqlx::Result<Option<i64>> {
        let query = sqlx::query_scalar(AssertSqlSafe(self.take_over_again.clone())).bind(owner);
        query.fetch_optional(connection).await
    }
}

fn query<'q>(text: &Arc<str>) -> Ask<'q> {
    sqlx::query(AssertSqlSafe(text.clone()))
}

/// From each child it seeks past all that belongs to the same child, so that what lies deeper is never read: each step
/// is one look into the index. `$1` is the prefix, `$2` its length in characters, `$3` where to begin, `$4` the limit;
/// no more steps are made than the limit asks for. Keys hold no NUL, so the character after it is the least that can
/// follow; `0` is the character after `/`.
pub(super) fn children(entry: &str) -> String {
    format!(
        "WITH RECURSIVE found (key) AS (
            SELECT (SELECT entry.key FROM {entry} AS entry WHERE entry.key >= $3 ORDER BY entry.key LIMIT 1)
            UNION ALL
            SELECT (
                SELECT entry.key FROM {entry} AS entry
                WHERE entry.key >= CASE position('/' IN substr(found.key, $2 + 1))
                    WHEN 0 THEN found.key || chr(1)
                    ELSE left(found.key, $2 + position('/' IN substr(found.key, $2 + 1)) - 1) || '0'
                END
                ORDER BY entry.key LIMIT 1
            )
            FROM found WHERE left(found.key, $2) = $1
        )
        SELECT key FROM found WHERE left(key, $2) = $1 LIMIT $4"
    )
}

/// `$1` is the epoch of the handle that writes. Its row is held until the commit, so that whoever takes over waits for
/// this transaction; and who waits here, because another is taking over, sees then that the epoch has passed.
/// Parts of one statement do not see what the others do, but here no key is in two of them.
fn write(entry: &str, fence: &str) -> String {
    format!(
        "WITH turn AS (SELECT epoch FROM {fence} WHERE epoch = $1 FOR SHARE),
        put AS (
            INSERT INTO {entry} AS entry (key, value, version)
            SELECT given.key, given.value, 1 FROM unnest($2::text[], $3::bytea[]) AS given (key, value)
            WHERE EXISTS (SELECT FROM turn)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = entry.version + 1
        ),
        gone AS (DELETE FROM {entry} WHERE key = ANY ($4::text[]) AND EXISTS (SELECT FROM turn))
        SELECT EXISTS (SELECT FROM turn)"
    )
}
