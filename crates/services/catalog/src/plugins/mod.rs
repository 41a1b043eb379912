//! Which plugins exist, and the bytes of the external ones.

mod directory;
mod error;
mod fetch;
mod record;
mod records;
mod registration;

use std::{path::PathBuf, sync::Arc};

use ::storage::Barrier;
use domain::{PluginName, PluginType, PluginVersion};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use wire::catalog::v1::{
    Chunk, DeregisterReply, FetchRequest, ListPluginsReply, ListPluginsRequest, Plugin, PluginRequest,
    RegisterReply, RegisterRequest, plugins_server,
};

use crate::{BuiltinInfo, Error};
use directory::PluginDirectory;
pub use error::{ArtifactError, PluginError};
use record::{Id, Record};
use records::{Found, Records};

/// The plugin catalog.
pub struct PluginsService {
    barrier: Arc<Barrier>,
    records: Records,
    directory: PluginDirectory,
    builtins: Vec<BuiltinInfo>,
}

/// What an entry stands for.
enum Entry {
    External(Record),
    Builtin(Id),
}

impl From<Entry> for Plugin {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::External(record) => record.into(),
            Entry::Builtin(id) => Self { builtin: true, ..id.into() },
        }
    }
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
        Self { barrier, records, directory: PluginDirectory::new(directory), builtins }
    }

    async fn store(&self, plugin: Plugin) -> Result<Plugin, Error> {
        self.check_unsealed()?;
        let record = registration::check(plugin, self.directory.path())?;
        let (directory, command, sha256) = (self.directory.clone(), record.command.clone(), record.sha256);
        // Reading a file blocks, and it may be a hundred megabytes.
        tokio::task::spawn_blocking(move || directory.verify(&command, sha256))
            .await
            .map_err(::storage::Error::backend)?
            .map_err(PluginError::from)?;
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

    fn builtin(&self, plugin_type: PluginType, name: &PluginName) -> Option<Id> {
        let found =
            self.builtins.iter().find(|info| info.plugin_type == plugin_type && info.name == *name)?;
        Some(Id { plugin_type, name: found.name.clone(), version: found.version.clone() })
    }

    async fn external(&self, id: Id) -> Result<Option<Entry>, Error> {
        let found = self.records.get(id).await?;
        Ok(found.map(Found::whole).transpose()?.map(Entry::External))
    }

    /// What reading shows: an unversioned external entry hides the built-in one altogether.
    async fn read(&self, request: PluginRequest) -> Result<Plugin, Error> {
        self.check_unsealed()?;
        let id = id_of(request.name, &request.r#type, &request.version)?;
        if let Some(entry) = self.external(id.clone()).await? {
            return Ok(entry.into());
        }
        let builtin = self.builtin(id.plugin_type, &id.name);
        let builtin = builtin.filter(|found| id.version.is_none() || found.version == id.version);
        let Some(builtin) = builtin else { return Err(PluginError::NoEntry.into()) };
        let unversioned = Id { version: PluginVersion::NONE, ..id };
        match self.records.get(unversioned).await? {
            Some(_) => Err(PluginError::NoEntry.into()),
            None => Ok(Entry::Builtin(builtin).into()),
        }
    }

    /// What runs: the version asked for, else the unversioned external one, else the highest, else the built-in one.
    async fn choose(&self, id: Id) -> Result<Entry, Error> {
        let Id { plugin_type, name, version } = id.clone();
        let builtin = self.builtin(plugin_type, &name);
        let missing = || Error::from(PluginError::NotFound { name: name.clone(), version: version.clone() });
        if !version.is_none() {
            let external = self.external(id).await?;
            let builtin = builtin.filter(|found| found.version == version).map(Entry::Builtin);
            return external.or(builtin).ok_or_else(missing);
        }
        let versions = self.records.versions(plugin_type, &name).await?;
        let unversioned = versions.first().filter(|lowest| lowest.is_none());
        let Some(chosen) = unversioned.or(versions.last()) else {
            return builtin.map(Entry::Builtin).ok_or_else(missing);
        };
        let chosen = Id { plugin_type, name: name.clone(), version: chosen.clone() };
        self.external(chosen).await?.ok_or_else(missing)
    }

    async fn resolved(&self, request: PluginRequest) -> Result<Plugin, Error> {
        self.check_unsealed()?;
        let id = id_of(request.name, &request.r#type, &request.version)?;
        Ok(self.choose(id).await?.into())
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

    async fn listed_of(&self, plugin_type: PluginType) -> Result<Vec<Plugin>, Error> {
        let found = self.records.list(plugin_type).await?;
        let hidden =
            |name: &PluginName| found.iter().any(|f| f.id().name == *name && f.id().version.is_none());
        let builtins =
            self.builtins.iter().filter(|info| info.plugin_type == plugin_type && !hidden(&info.name));
        let mut all: Vec<(Id, Plugin)> = builtins
            .map(|info| Id { plugin_type, name: info.name.clone(), version: info.version.clone() })
            .map(|id| (id.clone(), Entry::Builtin(id).into()))
            .collect();
        all.extend(found.into_iter().map(|found| match found {
            Found::Whole(record) => (record.id.clone(), record.into()),
            Found::Damaged(id) => (id.clone(), Plugin { damaged: true, ..id.into() }),
        }));
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(all.into_iter().map(|(_, plugin)| plugin).collect())
    }

    async fn forget(&self, request: PluginRequest) -> Result<(), Error> {
        self.check_unsealed()?;
        let id = id_of(request.name, &request.r#type, &request.version)?;
        if id.version.is_builtin() {
            return Err(PluginError::DeleteBuiltin(id.version).into());
        }
        self.records.delete(&id).await?;
        tracing::info!(plugin = %id.name, r#type = %id.plugin_type, version = %id.version, "plugin deregistered");
        Ok(())
    }

    async fn open_file(&self, request: FetchRequest) -> Result<ReceiverStream<Result<Chunk, Status>>, Error> {
        self.check_unsealed()?;
        let id = id_of(request.name, &request.r#type, &request.version)?;
        match self.choose(id).await? {
            Entry::Builtin(id) => Err(PluginError::BuiltIn(id.name).into()),
            Entry::External(record) => fetch::stream(self.directory.clone(), record).await,
        }
    }
}

#[tonic::async_trait]
impl plugins_server::Plugins for PluginsService {
    type FetchStream = ReceiverStream<Result<Chunk, Status>>;

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

    async fn fetch(&self, request: Request<FetchRequest>) -> Result<Response<Self::FetchStream>, Status> {
        Ok(Response::new(self.open_file(request.into_inner()).await?))
    }
}
