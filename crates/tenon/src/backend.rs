use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use domain::SpecialPaths;
use storage::Storage;

use crate::{Request, Response, Result, System};

/// What a backend is mounted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendKind {
    /// A secrets engine.
    Secret,
    /// An auth method.
    Auth,
}

/// What a mount tells its backend at set-up.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The mount's options, and `plugin_name`, `plugin_type`, `plugin_version`.
    pub options: HashMap<String, String>,
    /// Stable for the life of the mount; an engine may name parts of its storage after it.
    pub backend_uuid: String,
}

/// All that a backend can reach: its own storage, and what it may ask of the system.
#[derive(Clone)]
pub struct Host {
    /// The mount's storage and no other.
    pub storage: Arc<dyn Storage>,
    /// Lease times, the host's version, password policies, and so on.
    pub system: Arc<dyn System>,
}

/// One mounted secrets engine or auth method. Built-in engines implement it; the host adapts external plugins to it.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// What it is mounted as.
    fn kind(&self) -> BackendKind;

    /// Paths that are not treated like the others.
    fn special_paths(&self) -> SpecialPaths;

    /// Its own semantic version, or empty.
    fn version(&self) -> &str {
        ""
    }

    /// Called once after set-up, when storage takes writes.
    async fn initialize(&self) -> Result<()> {
        Ok(())
    }

    /// Whether what a write would touch exists already; `None`: every write is an update.
    async fn exists(&self, request: Request) -> Result<Option<bool>>;

    /// Answers one request; `None`: there is nothing (404 for reads and lists, 204 for writes).
    async fn handle(&self, request: Request) -> Result<Option<Response>>;

    /// A key of its storage has changed behind its back.
    async fn invalidate(&self, _key: &str) {}

    /// The mount ends, or moves to another process.
    async fn cleanup(&self) {}
}

/// Makes backends: one for each mount.
#[async_trait]
pub trait Factory: Send + Sync + 'static {
    /// Sets a backend up. Storage can be read but not written until [`Backend::initialize`].
    async fn create(&self, config: Config, host: Host) -> Result<Arc<dyn Backend>>;
}

/// An `async fn(Config, Host)` is a factory.
#[async_trait]
impl<F, Fut> Factory for F
where
    F: Fn(Config, Host) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Arc<dyn Backend>>> + Send,
{
    async fn create(&self, config: Config, host: Host) -> Result<Arc<dyn Backend>> {
        self(config, host).await
    }
}
