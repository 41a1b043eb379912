//! Which plugins exist, and the bytes of the external ones.

mod directory;
mod error;
mod fetch;
mod lookup;
mod pinning;
mod pins;
mod record;
mod records;
mod registration;
mod runtimes;
mod sandboxing;

use std::{path::PathBuf, sync::Arc};

use ::storage::Barrier;
use domain::{PluginName, PluginType};
use tokio::sync::Mutex;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, codegen::BoxStream};
use wire::catalog::v1::{
    Chunk, DeleteRuntimeReply, DeregisterReply, FetchRequest, GetPinReply, ListPinsReply, ListPinsRequest,
    ListPluginsReply, ListPluginsRequest, ListRuntimesReply, ListRuntimesRequest, PinReply, Plugin,
    PluginRequest, PutRuntimeReply, RegisterReply, RegisterRequest, Runtime, RuntimeRequest, UnpinReply,
    plugins_server,
};

use crate::{BuiltinInfo, Error};
use directory::PluginDirectory;
pub use error::{ArtifactError, PluginError};
use lookup::Entry;
use pins::Pins;
use record::{Id, Record};
use records::Records;
use runtimes::Runtimes;

/// The plugin catalog.
pub struct PluginsService {
    barrier: Arc<Barrier>,
    records: Records,
    pins: Pins,
    runtimes: Runtimes,
    /// Who registers, registers less, pins more or changes sandboxes waits here: nothing that is named goes meanwhile.
    binding: Mutex<()>,
    directory: PluginDirectory,
    builtins: Vec<BuiltinInfo>,
}

/// Checks the names of an entry.
fn id_of(name: String, plugin_type: &str, version: &str) -> Result<Id, PluginError> {
    let plugin_type: PluginType = plugin_type.parse()?;
    let name: PluginName = name.try_into()?;
    Ok(Id { plugin_type, name, version: version.parse()? })
}

impl PluginsService {
    pub(crate) fn new(
        barrier: Arc<Barrier>,
        directory: Option<PathBuf>,
        mut builtins: Vec<BuiltinInfo>,
    ) -> Self {
        builtins.sort_unstable();
        let records = Records::new(barrier.clone());
        let pins = Pins::new(barrier.clone());
        let runtimes = Runtimes::new(barrier.clone());
        Self {
            barrier,
            records,
            pins,
            runtimes,
            binding: Mutex::default(),
            directory: PluginDirectory::new(directory),
            builtins,
        }
    }

    async fn store(&self, plugin: Plugin) -> Result<Plugin, Error> {
        self.check_unsealed()?;
        let record = registration::check(plugin, self.directory.path())?;
        self.check_file(&record).await?.map_err(PluginError::from)?;
        let _binding = self.binding.lock().await;
        self.check_runtime(record.runtime.as_ref()).await?;
        self.records.put(record.clone()).await?;
        tracing::info!(
            plugin = %record.id.name, r#type = %record.id.plugin_type, version = %record.id.version,
            sha256 = %record.sha256, "plugin registered"
        );
        Ok(record.into())
    }

    /// Before anything about the request is said, and before any work is done for it.
    fn check_unsealed(&self) -> Result<(), Error> {
        match self.barrier.is_sealed() {
            true => Err(::storage::Error::Sealed.into()),
            false => Ok(()),
        }
    }

    async fn resolved(&self, request: PluginRequest) -> Result<Plugin, Error> {
        self.check_unsealed()?;
        let chosen = self.chosen(request).await?;
        self.with_sandbox(chosen.into()).await
    }

    async fn inspected(&self, request: PluginRequest) -> Result<Plugin, Error> {
        self.check_unsealed()?;
        let entry = self.chosen(request).await?;
        if let Entry::External(record) = &entry {
            let name = &record.id.name;
            self.check_file(record)
                .await?
                .map_err(|source| PluginError::Broken { name: name.clone(), source })?;
        }
        Ok(entry.into())
    }

    /// Reading a file blocks, and it may be a hundred megabytes.
    async fn check_file(&self, record: &Record) -> Result<Result<(), ArtifactError>, Error> {
        let (directory, command, sha256) = (self.directory.clone(), record.command.clone(), record.sha256);
        let checked = tokio::task::spawn_blocking(move || directory.verify(&command, sha256)).await;
        Ok(checked.map_err(::storage::Error::backend)?.map(drop))
    }

    async fn listed(&self, request: ListPluginsRequest) -> Result<ListPluginsReply, Error> {
        self.check_unsealed()?;
        let types = match request.r#type.as_str() {
            "" => PluginType::ALL.to_vec(),
            word => vec![word.parse().map_err(PluginError::from)?],
        };
        let mut plugins = Vec::new();
        for plugin_type in types {
            plugins.extend(self.listed_of(plugin_type).await?);
        }
        Ok(ListPluginsReply { plugins })
    }

    async fn forget(&self, request: PluginRequest) -> Result<(), Error> {
        self.check_unsealed()?;
        let id = id_of(request.name, &request.r#type, &request.version)?;
        if id.version.is_builtin() {
            return Err(PluginError::DeleteBuiltin(id.version).into());
        }
        let _binding = self.binding.lock().await;
        self.check_not_pinned(&id).await?;
        self.records.delete(&id).await?;
        tracing::info!(plugin = %id.name, r#type = %id.plugin_type, version = %id.version, "plugin deregistered");
        Ok(())
    }

    async fn open_file(&self, request: FetchRequest) -> Result<ReceiverStream<Result<Chunk, Status>>, Error> {
        self.check_unsealed()?;
        let id = id_of(request.name, &request.r#type, &request.version)?;
        match self.choose(id, false).await? {
            Entry::Builtin(id) => Err(PluginError::BuiltIn(id.name).into()),
            Entry::External(record) => fetch::stream(self.directory.clone(), record).await,
        }
    }
}

#[tonic::async_trait]
impl plugins_server::Plugins for PluginsService {
    type FetchStream = BoxStream<Chunk>;

    async fn register(&self, request: Request<RegisterRequest>) -> Result<Response<RegisterReply>, Status> {
        let plugin = request.into_inner().plugin.unwrap_or_default();
        Ok(Response::new(RegisterReply { plugin: Some(self.store(plugin).await?) }))
    }

    async fn get(&self, request: Request<PluginRequest>) -> Result<Response<Plugin>, Status> {
        Ok(Response::new(self.read(request.into_inner()).await?))
    }

    async fn list(&self, request: Request<ListPluginsRequest>) -> Result<Response<ListPluginsReply>, Status> {
        Ok(Response::new(self.listed(request.into_inner()).await?))
    }

    async fn deregister(&self, request: Request<PluginRequest>) -> Result<Response<DeregisterReply>, Status> {
        self.forget(request.into_inner()).await?;
        Ok(Response::new(DeregisterReply {}))
    }

    async fn resolve(&self, request: Request<PluginRequest>) -> Result<Response<Plugin>, Status> {
        Ok(Response::new(self.resolved(request.into_inner()).await?))
    }

    async fn inspect(&self, request: Request<PluginRequest>) -> Result<Response<Plugin>, Status> {
        Ok(Response::new(self.inspected(request.into_inner()).await?))
    }

    async fn pin(&self, request: Request<PluginRequest>) -> Result<Response<PinReply>, Status> {
        self.set_pin(request.into_inner()).await?;
        Ok(Response::new(PinReply {}))
    }

    async fn unpin(&self, request: Request<PluginRequest>) -> Result<Response<UnpinReply>, Status> {
        self.remove_pin(request.into_inner()).await?;
        Ok(Response::new(UnpinReply {}))
    }

    async fn get_pin(&self, request: Request<PluginRequest>) -> Result<Response<GetPinReply>, Status> {
        let version = self.read_pin(request.into_inner()).await?;
        Ok(Response::new(GetPinReply { version: version.unwrap_or_default().to_string() }))
    }

    async fn list_pins(&self, _: Request<ListPinsRequest>) -> Result<Response<ListPinsReply>, Status> {
        Ok(Response::new(self.listed_pins().await?))
    }

    async fn put_runtime(&self, request: Request<Runtime>) -> Result<Response<PutRuntimeReply>, Status> {
        self.put_sandbox(request.into_inner()).await?;
        Ok(Response::new(PutRuntimeReply {}))
    }

    async fn get_runtime(&self, request: Request<RuntimeRequest>) -> Result<Response<Runtime>, Status> {
        Ok(Response::new(self.read_sandbox(request.into_inner()).await?))
    }

    async fn list_runtimes(
        &self,
        _: Request<ListRuntimesRequest>,
    ) -> Result<Response<ListRuntimesReply>, Status> {
        Ok(Response::new(self.listed_sandboxes().await?))
    }

    async fn delete_runtime(
        &self,
        request: Request<RuntimeRequest>,
    ) -> Result<Response<DeleteRuntimeReply>, Status> {
        self.delete_sandbox(request.into_inner()).await?;
        Ok(Response::new(DeleteRuntimeReply {}))
    }

    async fn fetch(&self, request: Request<FetchRequest>) -> Result<Response<Self::FetchStream>, Status> {
        Ok(Response::new(Box::pin(self.open_file(request.into_inner()).await?)))
    }
}
