//! Between the SDK's types and those of the wire. Fields move; bodies are not copied.
//!
//! The rules that are easy to miss: JSON texts are never empty on the wire (Go refuses that), and every lease carries an
//! issue time, Go's zero time when there is none.

mod access;
mod announcement;
pub mod database;
mod error;
mod outcome;
mod request;
mod response;
#[cfg(test)]
mod tests;
mod time;

use bytes::Bytes;

pub use announcement::event_data;
pub use outcome::{existence_of, existence_reply, outcome_of, reply};
pub use request::{paths_message, special_paths_of};
pub use time::{from_nanos, from_timestamp, to_nanos, to_timestamp};

/// What Go writes for a map that is not there.
const NULL: &[u8] = b"null";

/// A JSON text as it goes to the peer: what is not there is said as `absent`.
fn outgoing(json: Bytes, absent: &'static [u8]) -> Bytes {
    if json.is_empty() { Bytes::from_static(absent) } else { json }
}

/// A JSON text as it came from the peer: `null` is nothing.
fn incoming(json: Bytes) -> Bytes {
    if json == NULL { Bytes::new() } else { json }
}
