//! The plugin SDK: write a secrets engine or auth method once, run it on Mortise (inside the host or as a program of its
//! own), on Vault and on OpenBao.

mod announcement;
mod backend;
mod builtin;
pub mod convert;
pub mod database;
mod error;
pub mod framework;
mod request;
mod response;
mod serve;
mod system;
mod wal;

pub use announcement::Announcement;
pub use backend::{Backend, BackendKind, Config, Factory, Host};
pub use builtin::{Builtin, Makes};
pub use domain::{Operation, Reason, SpecialPaths};
pub use error::{Error, Result, status_of};
pub use request::{Connection, Request, WrapRequest};
pub use response::{Alias, Auth, LeaseOptions, Response, Secret, WrapInfo};
pub use serve::{database_routes, routes, serve, serve_database, serve_multiplexed};
pub use storage::{Key, Prefix, Storage, Write};
pub use system::System;
pub use wal::{Wal, WalEntry};
/// Work that goes on in a task of its own still belongs to the request that it was begun for.
pub use wire::Belonging;
