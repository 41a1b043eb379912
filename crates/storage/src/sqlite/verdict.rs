use std::sync::Arc;

use crate::Error;

/// What a failed statement or commit says about what it was to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Undone, and for a reason that lies in what was written.
    Undone,
    /// Not begun: another process holds the database.
    Locked,
    /// Nobody knows what reached the disk.
    Unknown,
}

/// SQLite's primary result codes that come before a transaction's end, or with which it is undone for certain: a row
/// that is refused, no space left, too large, of a wrong type.
const UNDONE: [i32; 6] = [ERROR, FULL, TOOBIG, CONSTRAINT, MISMATCH, RANGE];
const LOCKED: [i32; 2] = [5, 6];
const ERROR: i32 = 1;
const FULL: i32 = 13;
const TOOBIG: i32 = 18;
const CONSTRAINT: i32 = 19;
const MISMATCH: i32 = 20;
const RANGE: i32 = 25;

/// Failed input and output, damage, and what is not known here are never taken lightly.
pub(super) fn verdict(error: &sqlx::Error) -> Verdict {
    match primary_code(error) {
        Some(code) if UNDONE.contains(&code) => Verdict::Undone,
        Some(code) if LOCKED.contains(&code) => Verdict::Locked,
        _ => Verdict::Unknown,
    }
}

/// What a write was refused with that was undone.
pub(super) fn refusal(error: Arc<sqlx::Error>) -> Error {
    if primary_code(&error) == Some(FULL) { Error::Full(Box::new(error)) } else { Error::backend(error) }
}

/// Why something could not be read.
pub(super) fn unread(error: sqlx::Error) -> Error {
    match error {
        sqlx::Error::PoolTimedOut => Error::Busy,
        other => Error::backend(other),
    }
}

/// The lower byte of the code that SQLite gave; the others say more about it.
fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}
