//! Namespaces: each has mounts, tokens, policies, identities and leases of its own, kept below a prefix of its own.
//!
//! What is known about one while the barrier is open is an `Active` of its own. They meet in one tree, from which every
//! request learns which of them it means; there is no other way from one to another.

mod create;
mod guests;
mod load;
mod lock;
mod namespace;
mod record;
mod refusal;
mod remove;
mod tree;

pub(crate) use guests::Guests;
pub(crate) use namespace::Namespace;
pub(crate) use record::Record;
pub use refusal::NamespaceRefusal;
pub(crate) use tree::{Known, Namespaces};
