//! Vault's server configuration, in HCL or JSON, from one or several files or folders.

mod address;
mod files;
mod internal;
mod key;
mod listener;
mod lockout;
mod migration;
mod plugins;
mod postgresql;
mod problem;
mod reference;
mod restart;
mod server;
mod setting;
mod stanza;
mod storage;
mod telemetry;
mod top;
mod tree;

pub use address::{Address, InvalidAddress};
pub use files::{load, read_texts};
pub use internal::Internal;
pub use listener::{Clients, Listener, Tls, TlsVersion};
pub use migration::Migration;
pub use plugins::{Downloads, Plugins};
pub use postgresql::{ConnectionUrl, PostgreSql};
pub use problem::{Error, Place, Problem};
pub use reference::reference;
pub use server::{Config, Given};
pub use storage::Storage;
