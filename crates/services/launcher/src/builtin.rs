use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use storage::Storage;
use tenon::{Backend, Builtin, Config, Makes, convert};
use tokio::time::timeout;
use wire::{launcher::v1::MountSpec, pb};

use crate::{Error, Result, external::check_type, system::MountSystem};

/// One mount of an engine that is part of the host.
pub struct BuiltIn {
    name: String,
    backend: Arc<dyn Backend>,
    /// The engine's version.
    pub version: String,
    /// Paths that are not treated like the others.
    pub special_paths: pb::Paths,
}

impl BuiltIn {
    /// Sets a mount up and initialises it.
    pub async fn set_up(
        builtin: &Builtin,
        spec: &MountSpec,
        view: Arc<dyn Storage>,
        system: Arc<MountSystem>,
        limit: Duration,
    ) -> Result<Self> {
        let name = builtin.name.to_string();
        let setup = caught(&name, create(builtin, spec, view, system));
        let late = |_| Error::Timeout { plugin: name.clone(), limit };
        let backend = timeout(limit, setup).await.map_err(late)???;
        let special_paths = convert::paths_message(backend.special_paths());
        Ok(Self { name, backend, version: builtin.version.to_string(), special_paths })
    }

    /// Answers one request. A panic harms this request only.
    pub async fn handle(&self, request: Box<pb::Request>) -> Result<pb::HandleRequestReply> {
        // Read out here, and not in the future that is guarded: it is large, and would be moved about with it.
        let outcome = match tenon::Request::try_from(*request) {
            Ok(request) => caught(&self.name, self.backend.handle(request)).await?,
            Err(error) => Err(error),
        };
        Ok(convert::reply(outcome))
    }

    /// Whether what a write would touch exists.
    pub async fn exists(&self, request: Box<pb::Request>) -> Result<pb::HandleExistenceCheckReply> {
        let found = match tenon::Request::try_from(*request) {
            Ok(request) => caught(&self.name, self.backend.exists(request)).await?,
            Err(error) => Err(error),
        };
        Ok(convert::existence_reply(found))
    }

    /// Tells the engine that the mount ends.
    pub async fn cleanup(&self, limit: Duration) {
        let _ = timeout(limit, caught(&self.name, self.backend.cleanup())).await;
    }
}

async fn create(
    builtin: &Builtin,
    spec: &MountSpec,
    view: Arc<dyn Storage>,
    system: Arc<MountSystem>,
) -> Result<Arc<dyn Backend>> {
    let mut options = spec.options.clone();
    options.insert("plugin_name".to_owned(), builtin.name.to_string());
    options.insert("plugin_type".to_owned(), builtin.plugin_type.word().to_owned());
    options.insert("plugin_version".to_owned(), builtin.version.to_string());
    let config = Config { options, backend_uuid: spec.backend_uuid.clone() };
    let refused = |error: tenon::Error| Error::Refused(error.to_string());
    let host = tenon::Host { storage: view, system };
    let Makes::Backends(factory) = &builtin.makes else {
        return Err(Error::NotMountable { plugin: builtin.name.to_string() });
    };
    let backend = factory.create(config, host).await.map_err(refused)?;
    check_type(&builtin.name, spec, backend.kind().into())?;
    backend.initialize().await.map_err(refused)?;
    Ok(backend)
}

/// A panic of an engine as an error.
pub async fn caught<T>(name: &str, work: impl Future<Output = T>) -> Result<T> {
    // Nothing of the engine is looked at after a panic but what it keeps behind its own locks.
    let outcome = AssertUnwindSafe(work).catch_unwind().await;
    outcome.map_err(|_| Error::Panicked(name.to_owned()))
}
