//! The `Storage` trait and views of it; with features, the encrypting barrier, the backends and the remote client.

mod children;
#[cfg(feature = "conformance")]
pub mod conformance;
mod inmem;
mod key;
#[cfg(feature = "sqlite")]
mod sqlite;
mod storage;
mod view;

pub use inmem::InMemory;
pub use key::{InvalidKey, Key, Prefix};
#[cfg(feature = "sqlite")]
pub use sqlite::Sqlite;
pub use storage::{Error, Result, Storage, Write};
pub use view::View;
