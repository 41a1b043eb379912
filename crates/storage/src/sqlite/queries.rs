use std::{collections::BTreeMap, ops::Bound};

use bytes::Bytes;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, SqlitePool};

use crate::{
    Key, Prefix, Write,
    children::{child_of, keys_after},
};

const GET: &str = "SELECT value FROM entry WHERE key = ?1";

const PUT: &str = "INSERT INTO entry (key, value, version) ";

const PUT_OVER: &str = " ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = version + 1";

const DELETE: &str = "DELETE FROM entry WHERE key IN ";

/// Rows of one statement at most. The database has a thread of its own; handing it a statement costs more than a row.
const ROWS: usize = 64;

const EPOCH: &str = "SELECT epoch FROM fence";

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

pub(super) async fn epoch(connection: &mut SqliteConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar(EPOCH).fetch_one(connection).await
}

/// Does what a transaction shall do, in as few statements as can be. Only the last write of each key shows in the end.
pub(super) async fn apply<'w>(
    connection: &mut SqliteConnection,
    writes: impl Iterator<Item = &'w Write>,
) -> sqlx::Result<()> {
    let last: BTreeMap<&str, Option<&Bytes>> = writes.map(parts).collect();
    let puts: Vec<_> = last.iter().filter_map(|(key, value)| Some((*key, (*value)?))).collect();
    let deletes: Vec<_> = last.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| *key).collect();
    for rows in statements(&puts) {
        let mut put = QueryBuilder::<Sqlite>::new(PUT);
        put.push_values(rows, |mut row, (key, value)| {
            row.push_bind(*key).push_bind(&***value).push("1");
        });
        put.push(PUT_OVER).build().execute(&mut *connection).await?;
    }
    for keys in statements(&deletes) {
        let mut delete = QueryBuilder::<Sqlite>::new(DELETE);
        delete.push_tuples(keys, |mut row, key| {
            row.push_bind(*key);
        });
        delete.build().execute(&mut *connection).await?;
    }
    Ok(())
}

fn parts(write: &Write) -> (&str, Option<&Bytes>) {
    match write {
        Write::Put(key, value) => (key.as_str(), Some(value)),
        Write::Delete(key) => (key.as_str(), None),
    }
}

/// Pieces of as many rows as a power of two: so there are few statements to prepare, and they are kept prepared.
fn statements<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let largest = 1 << rows.len().checked_ilog2()?;
        let (piece, rest) = rows.split_at(largest.min(ROWS));
        rows = rest;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_shared_out_in_order_and_in_powers_of_two() {
        let rows: Vec<usize> = (0..171).collect();
        let pieces: Vec<&[usize]> = statements(&rows).collect();
        assert_eq!(pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>(), [64, 64, 32, 8, 2, 1]);
        assert_eq!(pieces.concat(), rows);
        assert_eq!(statements::<usize>(&[]).count(), 0);
    }
}
