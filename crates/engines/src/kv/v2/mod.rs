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

use tenon::{Backend, BackendKind, Config, Error, Host, Result, System, framework::Engine};

use self::{record::Record, store::Store, upgrade::Upgrade};
use super::announce::announce;
use crate::VERSION;

struct Kv {
    system: Arc<dyn System>,
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
    Ok(ENGINE.mounted(Kv { system: host.system, store, upgrade }))
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

    /// Announces what was done at a path below `folder`, and where its data is, if there is any.
    fn announce(&self, operation: &str, folder: &str, path: &str, data: Option<&str>) {
        let data_path = data.map(|folder| format!("{folder}/{path}"));
        announce(&*self.system, (2, operation), format!("{folder}/{path}"), data_path, None);
    }

    /// The same of versions of a secret; `numbers` are those that were chosen, and what they are called.
    fn announce_versions(
        &self,
        (operation, folder, data): (&str, &str, Option<&str>),
        path: &str,
        record: &Record,
        numbers: Option<(&'static str, &[u64])>,
    ) {
        let range = [
            ("current_version", record.current_version.to_string()),
            ("oldest_version", record.oldest_version.to_string()),
        ];
        let chosen = numbers.map(|(name, numbers)| {
            let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
            (name, format!("[{}]", numbers.join(",")))
        });
        let data_path = data.map(|folder| format!("{folder}/{path}"));
        let more = range.into_iter().chain(chosen);
        announce(&*self.system, (2, operation), format!("{folder}/{path}"), data_path, more);
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
