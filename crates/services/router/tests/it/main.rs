//! The router over a real catalog and a real launcher, in one process. One program, so that it is linked once.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod audit;
mod ceremonies;
mod common;
mod cubbyhole;
mod hostile;
mod identity;
mod lease_quotas;
mod leases;
mod lockout;
mod mounts;
mod namespaces;
mod operations;
mod passwords;
mod plugins;
mod policies;
mod quotas;
mod seal;
mod settings;
mod system;
mod token_store;
mod tokens;
mod tools;
mod wrapping;
