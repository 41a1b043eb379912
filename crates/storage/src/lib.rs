//! The `Storage` trait and views of it; with features, the encrypting barrier, the backends and the remote client.

#[cfg(feature = "barrier")]
pub mod barrier;
#[cfg(feature = "barrier")]
mod cache;
mod children;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(any(feature = "barrier", feature = "remote"))]
mod finished;
#[cfg(any(feature = "postgresql", feature = "sqlite"))]
mod group;
mod inmem;
mod key;
#[cfg(feature = "postgresql")]
mod postgresql;
#[cfg(feature = "remote")]
mod remote;
#[cfg(feature = "sqlite")]
mod sqlite;
mod storage;
#[cfg(any(feature = "postgresql", feature = "sqlite"))]
mod traced;
mod view;

#[cfg(feature = "barrier")]
pub use barrier::Barrier;
#[cfg(feature = "barrier")]
pub use cache::Cached;
#[cfg(any(feature = "barrier", feature = "remote"))]
pub use finished::Finished;
pub use inmem::InMemory;
pub use key::{InvalidKey, Key, Prefix};
#[cfg(feature = "postgresql")]
pub use postgresql::{PostgreSql, PostgreSqlConfig};
#[cfg(feature = "remote")]
pub use remote::Remote;
#[cfg(feature = "sqlite")]
pub use sqlite::Sqlite;
pub use storage::{Error, Result, Storage, Write};
pub use view::View;
