//! The built-in plugins, written with tenon, each also a program of its own.

pub mod approle;
mod auth;
mod builtins;
pub mod database;
pub mod kv;
mod locks;
pub mod postgresql;
pub mod userpass;

pub use builtins::builtins;

/// The version of an engine that is a program of its own.
const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// The version of an engine that is part of the host.
const BUILTIN_VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"), "+builtin");
