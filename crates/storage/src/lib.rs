//! The `Storage` trait and views of it; with features, the encrypting barrier, the backends and the remote client.

mod children;
mod inmem;
mod key;
mod storage;
mod view;

pub use inmem::InMemory;
pub use key::{InvalidKey, Key, Prefix};
pub use storage::{Error, Result, Storage, Write};
pub use view::View;
