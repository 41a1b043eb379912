//! Version 2: every write adds a version, and old ones can be read, deleted, brought back and destroyed.

mod custom_metadata;
mod data;
mod merge;
mod metadata;
mod misplaced;
mod record;
mod settings;
mod store;
mod subkeys;
#[cfg(test)]
mod tests;
mod upgrade;
mod versions;

use std::sync::{Arc, LazyLock};

use tenon::{Backend, BackendKind, Config, Error, Host, Result, framework::Engine};

use self::{store::Store, upgrade::Upgrade};
use crate::VERSION;

struct Kv {
    store: Arc<Store>,
    upgrade: Arc<Upgrade>,
}

/// One table for all mounts.
static ENGINE: LazyLock<Arc<Engine<Kv>>> = LazyLock::new(|| Arc::new(engine()));

pub(super) async fn create(config: &Config, host: Host) -> Result<Arc<dyn Backend>> {
    if config.backend_uuid.is_empty() {
        return Err(Error::Other(
            "could not initialize versioned K/V Store, no UUID was provided".to_owned(),
        ));
    }
    let store = Arc::new(Store::new(host.storage, &config.backend_uuid));
    let upgrade = Arc::new(Upgrade::look(&store).await?);
    Ok(ENGINE.mounted(Kv { store, upgrade }))
}

fn engine() -> Engine<Kv> {
    Engine::new(BackendKind::Secret)
        .version(VERSION)
        .help("Stores secrets, encrypted, with their earlier versions.")
        .on_initialize(Kv::initialize)
        .on_invalidate(Kv::invalidate)
        .on_cleanup(Kv::cleanup)
        .path(settings::path())
        .path(data::path())
        .path(metadata::path())
        .path(versions::delete_path())
        .path(versions::undelete_path())
        .path(versions::destroy_path())
        .path(subkeys::path())
        .path(misplaced::path())
}

impl Kv {
    /// Requests have to wait while data of version 1 is moved.
    async fn available(&self) -> Result<()> {
        self.upgrade.passed(&self.store).await
    }

    async fn initialize(self: Arc<Self>, (): ()) -> Result<()> {
        self.upgrade.start(&self.store).await
    }

    async fn invalidate(self: Arc<Self>, key: String) {
        self.store.forget(&key);
    }

    async fn cleanup(self: Arc<Self>, (): ()) {
        self.upgrade.stop();
    }
}
