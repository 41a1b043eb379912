//! The database plugins that a mount's engine has opened: each connection is served by a part of the host, or by an
//! external plugin in a process that connections share if it can serve several.

mod connection;
mod in_process;
mod told;

pub use told::not_opened;

use std::{
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use domain::{PluginType, Reason};
use futures::future::join_all;
use tenon::{
    Builtin, Makes,
    database::{self, Database, NewUser, Opened, Settings, Statements, UpdateUser},
};
use tonic::async_trait;
use wire::catalog::v1::{Plugin, PluginRequest};

use self::{
    connection::{Connection, Remote},
    in_process::InProcess,
};
use crate::{Error, Result, entry::Entry, host::Host, processes::Processes};

/// What a mount's engine has opened and not closed yet.
pub struct Databases {
    host: Arc<Host>,
    processes: Arc<Processes>,
    open: Mutex<Open>,
    /// Why the mount ends; then that is why everything is closed.
    ending: OnceLock<Reason>,
}

#[derive(Default)]
struct Open {
    connections: Vec<Arc<dyn Database>>,
    /// The mount has ended.
    over: bool,
}

impl Databases {
    /// Nothing is open.
    pub fn new(host: Arc<Host>, processes: Arc<Processes>) -> Arc<Self> {
        Arc::new(Self { host, processes, open: Mutex::default(), ending: OnceLock::new() })
    }

    fn held(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a plugin for the mount at a path.
    pub async fn open(self: &Arc<Self>, path: &str, name: &str, version: &str) -> Result<Opened> {
        let wanted = PluginRequest {
            name: name.to_owned(),
            r#type: PluginType::Database.word().to_owned(),
            version: version.to_owned(),
            mounted: true,
            highest: true,
        };
        let plugin = self.host.resolve(wanted).await?;
        if plugin.builtin {
            return self.open_builtin(&plugin);
        }
        let entry = Arc::new(Entry::try_from(plugin)?);
        let processes = Arc::clone(&self.processes);
        let connection = Connection::new(Arc::clone(&self.host), processes, Arc::clone(&entry), path);
        // From here on the mount's end closes it.
        let database = self.keep(name, Arc::new(Remote(Arc::clone(&connection))))?;
        let running_version = match connection.version().await {
            Ok(version) => version,
            Err(error) => {
                let _ = database.close(Reason::HandshakeFailed).await;
                return Err(error);
            }
        };
        let running_sha256 = entry.sha256.to_string();
        Ok(Opened { database, builtin: false, running_version, running_sha256 })
    }

    fn open_builtin(self: &Arc<Self>, plugin: &Plugin) -> Result<Opened> {
        let builtin: &Builtin = self.host.builtin(plugin)?;
        let Makes::Databases(factory) = &builtin.makes else {
            let (kind, name) = (plugin.r#type.clone(), plugin.name.clone());
            return Err(Error::NoBuiltin { kind, name });
        };
        let connection = InProcess::new(&self.host, builtin, factory.create());
        Ok(Opened {
            database: self.keep(&plugin.name, Arc::new(connection))?,
            builtin: true,
            running_version: plugin.version.clone(),
            running_sha256: String::new(),
        })
    }

    fn keep(self: &Arc<Self>, plugin: &str, connection: Arc<dyn Database>) -> Result<Arc<dyn Database>> {
        let mut open = self.held();
        if open.over {
            return Err(Error::Stopping { plugin: plugin.to_owned() });
        }
        open.connections.push(Arc::clone(&connection));
        Ok(Arc::new(Handle { databases: Arc::clone(self), connection }))
    }

    /// The mount begins to end; whatever is closed from now on is closed for that.
    pub fn end(&self, reason: Reason) {
        let _ = self.ending.set(reason);
    }

    /// Closes what is still open; nothing is opened any more.
    pub async fn close_all(&self, reason: Reason) {
        let connections = {
            let mut open = self.held();
            open.over = true;
            mem::take(&mut open.connections)
        };
        join_all(connections.iter().map(|connection| connection.close(reason))).await;
    }

    /// Whether it was open until now.
    fn forget(&self, connection: &Arc<dyn Database>) -> bool {
        let connections = &mut self.held().connections;
        let before = connections.len();
        connections.retain(|held| !Arc::ptr_eq(held, connection));
        connections.len() < before
    }

    fn reason(&self, given: Reason) -> Reason {
        self.ending.get().copied().unwrap_or(given)
    }
}

impl fmt::Debug for Databases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Databases").field("open", &self.held().connections.len()).finish_non_exhaustive()
    }
}

/// What an engine holds. It closes itself when the engine drops it: an engine that is set up anew opens its own.
struct Handle {
    databases: Arc<Databases>,
    connection: Arc<dyn Database>,
}

#[async_trait]
impl Database for Handle {
    async fn type_name(&self) -> database::Result<String> {
        self.connection.type_name().await
    }

    async fn initialize(&self, settings: Settings, verify: bool) -> database::Result<Settings> {
        self.connection.initialize(settings, verify).await
    }

    async fn new_user(&self, request: NewUser) -> database::Result<String> {
        self.connection.new_user(request).await
    }

    async fn update_user(&self, request: UpdateUser) -> database::Result<()> {
        self.connection.update_user(request).await
    }

    async fn delete_user(&self, username: &str, statements: Statements) -> database::Result<()> {
        self.connection.delete_user(username, statements).await
    }

    async fn close(&self, reason: Reason) -> database::Result<()> {
        if !self.databases.forget(&self.connection) {
            return Ok(());
        }
        let (connection, reason) = (Arc::clone(&self.connection), self.databases.reason(reason));
        // To its end, even if the one who asked has gone.
        let closing = tokio::spawn(async move { connection.close(reason).await });
        closing.await.unwrap_or(Ok(()))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.databases.forget(&self.connection) {
            let (connection, reason) =
                (Arc::clone(&self.connection), self.databases.reason(Reason::Reloaded));
            tokio::spawn(async move { connection.close(reason).await });
        }
    }
}
