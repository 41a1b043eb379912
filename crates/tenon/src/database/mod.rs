//! Database plugins, interface v5: what a plugin is to a database engine, built into the host or a program of its own.
//!
//! A plugin knows one kind of database. An engine opens it once for each connection that it is configured with
//! ([`System::open_database`](crate::System::open_database)), initialises it with the connection's settings, and lets
//! it make, change and remove users.

mod error;
mod request;
mod settings;

use std::sync::Arc;

use async_trait::async_trait;

pub use self::{
    error::{Error, Result},
    request::{Change, Credential, CredentialType, NewUser, Statements, UpdateUser},
    settings::Settings,
};
use crate::Reason;

/// One connection to a database.
#[async_trait]
pub trait Database: Send + Sync + 'static {
    /// The word for what kind of database it is: `pgx`, `redis`.
    async fn type_name(&self) -> Result<String>;

    /// Takes the connection's settings, in place of those before; returns them as they shall be kept and given the next
    /// time. With `verify`, the database is reached for, and a failure is told.
    async fn initialize(&self, settings: Settings, verify: bool) -> Result<Settings>;

    /// Makes a user; returns its name.
    async fn new_user(&self, request: NewUser) -> Result<String>;

    /// Changes a user: its password or key, or when it expires.
    async fn update_user(&self, request: UpdateUser) -> Result<()>;

    /// Removes a user, by these statements or in the database's own way.
    async fn delete_user(&self, username: &str, statements: Statements) -> Result<()>;

    /// The connection ends. The reason is for whoever watches the plugin; what is called afterwards fails.
    async fn close(&self, reason: Reason) -> Result<()>;
}

/// Makes connections that are not initialised yet.
pub trait DatabaseFactory: Send + Sync + 'static {
    /// Makes one.
    fn create(&self) -> Arc<dyn Database>;
}

/// A function is a factory.
impl<F: Fn() -> Arc<dyn Database> + Send + Sync + 'static> DatabaseFactory for F {
    fn create(&self) -> Arc<dyn Database> {
        self()
    }
}

/// A database plugin that was opened for an engine.
///
/// Its process may die: the next call starts it again, and initialises it with the settings that the last
/// initialisation returned, before the call is made. When the engine's mount ends, the host closes whatever the engine
/// has left open, for the reason that the mount ends for; so an engine need not close anything when it is cleaned up.
#[derive(Clone)]
pub struct Opened {
    /// The connection.
    pub database: Arc<dyn Database>,
    /// Whether the plugin is part of the host.
    pub builtin: bool,
    /// The plugin's registered version, or what it says of itself; may be empty.
    pub running_version: String,
    /// The SHA256 of its program, in hexadecimal; empty for a part of the host.
    pub running_sha256: String,
}
