//! What a transaction does, in as few statements as can be: the database has a thread of its own, and handing it a
//! statement costs more than a row.

use std::{
    fmt::Write as _,
    sync::{Arc, LazyLock},
};

use bytes::Bytes;
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::{Write, group::merged};

/// Rows of one statement at most.
const ROWS: usize = 256;

/// `?1` is the epoch of the handle that writes: when another has become the writer, no row is written.
static PUT: LazyLock<Sizes> = LazyLock::new(|| {
    Sizes::new(
        "INSERT INTO entry (key, value, version) SELECT column1, column2, 1 FROM (VALUES ",
        |row| format!("(?{}, ?{})", 2 * row, 2 * row + 1),
        ") WHERE column1 IS NOT NULL AND (SELECT epoch FROM fence) = ?1
         ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = version + 1",
    )
});

static DELETE: LazyLock<Sizes> = LazyLock::new(|| {
    Sizes::new(
        "DELETE FROM entry WHERE (SELECT epoch FROM fence) = ?1 AND key IN (",
        |row| format!("?{}", row + 1),
        ")",
    )
});

/// The texts of a statement for as many rows as each power of two: so there are few to prepare, and they are kept
/// prepared. What is not bound is NULL, and a row of NULLs is none.
struct Sizes(Vec<Arc<str>>);

impl Sizes {
    fn new(begin: &str, row: impl Fn(usize) -> String, end: &str) -> Self {
        let text = |power: u32| {
            let mut text = begin.to_owned();
            for number in 1..=1 << power {
                let comma = if number == 1 { "" } else { ", " };
                let _ = write!(text, "{comma}{}", row(number));
            }
            Arc::from(text + end)
        };
        Self((0..=ROWS.ilog2()).map(text).collect())
    }

    /// The smallest with room for that many rows.
    fn for_rows(&self, rows: usize) -> AssertSqlSafe<Arc<str>> {
        let power = rows.next_power_of_two().ilog2();
        AssertSqlSafe(self.0[power as usize].clone())
    }
}

/// Rows that are put, or keys that are deleted, by one statement.
pub(super) enum Change<'w> {
    Put(Vec<(&'w str, &'w Bytes)>),
    Delete(Vec<&'w str>),
}

impl Change<'_> {
    /// Does it, as a transaction of its own when there is none. Returns how many rows that touched.
    pub(super) async fn execute(&self, connection: &mut SqliteConnection, epoch: i64) -> sqlx::Result<u64> {
        let query = match self {
            Self::Put(rows) => {
                let query = sqlx::query(PUT.for_rows(rows.len())).bind(epoch);
                rows.iter().fold(query, |query, (key, value)| query.bind(*key).bind(&***value))
            }
            Self::Delete(keys) => {
                let query = sqlx::query(DELETE.for_rows(keys.len())).bind(epoch);
                keys.iter().fold(query, |query, key| query.bind(*key))
            }
        };
        Ok(query.execute(connection).await?.rows_affected())
    }
}

/// The changes that do what these writes do together. Only the last write of each key shows in the end.
pub(super) fn changes<'w>(writes: impl Iterator<Item = &'w Write>) -> Vec<Change<'w>> {
    let last = merged(writes);
    let puts: Vec<_> = last.iter().filter_map(|(key, value)| Some((*key, (*value)?))).collect();
    let deletes: Vec<_> = last.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| *key).collect();
    let puts = puts.chunks(ROWS).map(|rows| Change::Put(rows.to_vec()));
    puts.chain(deletes.chunks(ROWS).map(|keys| Change::Delete(keys.to_vec()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: usize) -> Write {
        Write::Put(format!("{key:04}").parse().unwrap(), Bytes::new())
    }

    fn delete(key: usize) -> Write {
        Write::Delete(format!("{key:04}").parse().unwrap())
    }

    #[test]
    fn writes_are_shared_out_to_few_statements() {
        let writes: Vec<_> = (0..600).map(put).chain((600..603).map(delete)).collect();
        let sizes = |change: &Change<'_>| match change {
            Change::Put(rows) => ("put", rows.len()),
            Change::Delete(keys) => ("delete", keys.len()),
        };
        let shared: Vec<_> = changes(writes.iter()).iter().map(sizes).collect();
        assert_eq!(shared, [("put", 256), ("put", 256), ("put", 88), ("delete", 3)]);
        assert_eq!(changes([].iter()).len(), 0);
    }

    #[test]
    fn only_the_last_write_of_a_key_counts() {
        let writes = [put(1), delete(1), delete(2), put(2)];
        let shared = changes(writes.iter());
        assert!(matches!(&shared[..], [Change::Put(rows), Change::Delete(keys)]
            if rows[0].0 == "0002" && keys[..] == ["0001"]));
    }

    #[test]
    fn a_statement_has_room_for_its_rows() {
        for (rows, room) in [(1, 1), (2, 2), (3, 4), (129, 256), (256, 256)] {
            let AssertSqlSafe(text) = DELETE.for_rows(rows);
            assert!(text.ends_with(&format!("?{})", room + 1)), "{rows}: {text}");
        }
    }
}
