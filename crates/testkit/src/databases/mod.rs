//! Real databases, each of one test's own: on a free port of the loopback, and gone with the test.

mod postgresql;
mod redis;

pub use self::{postgresql::PostgreSql, redis::Redis};
