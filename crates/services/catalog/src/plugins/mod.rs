//! Which plugins exist, and the bytes of the external ones.

mod declaring;
mod directory;
mod error;
mod fetch;
mod images;
mod lookup;
mod pinning;
mod pins;
mod record;
mod records;
mod registration;
mod runtimes;
mod sandboxing;
mod upload;
mod upload_error;
mod uploading;

use std::{path::PathBuf, sync::Arc};

use ::storage::Barrier;
use arc_swap::ArcSwap;
use domain::{PluginName, PluginType, Sha256};
use tokio::sync::Mutex;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, codegen::BoxStream};
use wire::catalog::v1::{
    Chunk, DeleteRuntimeReply, DeregisterReply, DropReply, FetchRequest, GetPinReply, ListPinsReply,
    ListPinsRequest, ListPluginsReply, ListPluginsRequest, ListRuntimesReply, ListRuntimesRequest, PinReply,
    PlaceReply, PlaceRequest, Plugin, PluginRequest, PutRuntimeReply, RegisterReply, RegisterRequest,
    Runtime, RuntimeRequest, UnpinReply, UploadPiece, UploadRequest, UploadState, plugins_server,
};

use crate::{BuiltinInfo, Declared, Error};
use directory::{PluginDirectory, matching};
pub use error::{ArtifactError, PluginError};
pub use images::{DownloadError, DownloadFailed};
use lookup::Entry;
use pins::Pins;
use record::{Id, Program, Record};
use records::Records;
use registration::Draft;
use runtimes::Runtimes;
use upload::Uploads;
pub use upload_error::UploadError;

/// The plugin catalog.
pub struct PluginsService {
    barrier: Arc<Barrier>,
    records: Records,
    pins: Pins,
    runtimes: Runtimes,
    /// Who registers, registers less, pins more or changes sandboxes waits here: nothing that is named goes meanwhile.
    binding: Mutex<()>,
    directory: PluginDirectory,
    uploads: Uploads,
    /// Who adds to an upload, or finishes one, waits here.
    uploading: Arc<Mutex<()>>,
    builtins: Vec<BuiltinInfo>,
    declared: ArcSwap<Declared>,
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
        largest_upload: Option<u64>,
        mut builtins: Vec<BuiltinInfo>,
    ) -> Self {
        builtins.sort_unstable();
        let directory = PluginDirectory::new(directory);
        let records = Records::new(barrier.clone());
        let pins = Pins::new(barrier.clone());
        let runtimes = Runtimes::new(barrier.clone());
        Self {
            barrier,
            records,
            pins,
            runtimes,
            binding: Mutex::default(),
            uploads: Uploads::new(directory.clone(), largest_upload),
            uploading: Arc::default(),
            directory,
            builtins,
            declared: ArcSwap::default(),
        }
    }

    async fn store(&self, plugin: Plugin) -> Result<Plugin, Error> {
        self.check_unsealed()?;
        let record = self.completed(registration::check(plugin)?).await?;
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

    /// A registration whose file is there and is the one that was meant.
    async fn completed(&self, mut draft: Draft) -> Result<Record, Error> {
        let mut found = self.hash(&draft.program).await?;
        if let (Err(ArtifactError::NoRelease(_)), Some(other)) = (&found, draft.other_release.take())
            && let Ok(there) = self.hash(&other).await?
        {
            (draft.program, found) = (other, Ok(there));
        }
        let found = found.map_err(|error| match error {
            ArtifactError::NoRelease(directory) => {
                let (name, version) = (draft.id.name.clone(), draft.id.version.clone());
                PluginError::NoRelease { name, version, directory }
            }
            error => error.into(),
        })?;
        let expected = draft.sha256.unwrap_or(found);
        matching(&draft.program, expected, found).map_err(PluginError::from)?;
        Ok(draft.with(found))
    }

    async fn check_file(&self, record: &Record) -> Result<Result<(), ArtifactError>, Error> {
        let found = self.hash(&record.program).await?;
        Ok(found.and_then(|found| matching(&record.program, record.sha256, found)))
    }

    /// Reading a file blocks, and it may be a hundred megabytes.
    async fn hash(&self, program: &Program) -> Result<Result<Sha256, ArtifactError>, Error> {
        let (directory, program) = (self.directory.clone(), program.clone());
        let hashed = tokio::task::spawn_blocking(move || directory.hash(&program)).await;
        Ok(hashed.map_err(::storage::Error::backend)?)
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
            Entry::External(record) => {
                let expected = &request.sha256;
                if !expected.is_empty() && **expected != record.sha256.as_bytes()[..] {
                    return Err(PluginError::Superseded(record.id.name).into());
                }
                fetch::stream(self.directory.clone(), record, request.offset).await
            }
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

    async fn upload(&self, request: Request<UploadPiece>) -> Result<Response<UploadState>, Status> {
        Ok(Response::new(self.take_piece(request.into_inner()).await?))
    }

    async fn get_upload(&self, request: Request<UploadRequest>) -> Result<Response<UploadState>, Status> {
        Ok(Response::new(self.upload_state(request.into_inner()).await?))
    }

    async fn place_upload(&self, request: Request<PlaceRequest>) -> Result<Response<PlaceReply>, Status> {
        self.place(request.into_inner()).await?;
        Ok(Response::new(PlaceReply {}))
    }

    async fn drop_upload(&self, request: Request<UploadRequest>) -> Result<Response<DropReply>, Status> {
        self.forget_upload(request.into_inner()).await?;
        Ok(Response::new(DropReply {}))
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
