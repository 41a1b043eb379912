use std::sync::Arc;

use goplugin::plugin::Broker;
use tonic::{Request, Response, Status, async_trait};
use wire::{
    logical::{self, plugin_version_server::PluginVersion},
    multiplexing::{
        MultiplexingSupportRequest, MultiplexingSupportResponse,
        plugin_multiplexing_server::PluginMultiplexing,
    },
    pb::{self, backend_server::Backend},
};

use super::{
    instances::{Instance, Instances},
    remote_storage::RemoteStorage,
    remote_system::RemoteSystem,
};
use crate::{Config, Error, Factory, Host, convert};

/// What a host may not ask of a plugin that it started only to learn what it is.
const METADATA_MODE: &str = "plugin server can not perform action while in metadata mode";

/// Says that the process serves several mounts.
pub(super) struct Multiplexing;

#[async_trait]
impl PluginMultiplexing for Multiplexing {
    async fn multiplexing_support(
        &self,
        _: Request<MultiplexingSupportRequest>,
    ) -> Result<Response<MultiplexingSupportResponse>, Status> {
        Ok(Response::new(MultiplexingSupportResponse { supported: true }))
    }
}

/// The plugin's end of `pb.Backend`: finds the instance that a call is about, and lets it answer.
pub(super) struct PluginService<F> {
    broker: Broker,
    factory: F,
    instances: Arc<Instances>,
    metadata_mode: bool,
}

impl<F: Factory> PluginService<F> {
    pub(super) fn new(
        broker: Broker,
        factory: F,
        instances: Arc<Instances>,
        metadata_mode: bool,
    ) -> Arc<Self> {
        Arc::new(Self { broker, factory, instances, metadata_mode })
    }

    /// Dials the host and makes the backend over what it offers.
    async fn create(&self, setup: pb::SetupArgs) -> Result<Instance, Error> {
        let channel = self
            .broker
            .dial(setup.broker_id)
            .await
            .map_err(|error| Error::Other(format!("the plugin cannot reach its host: {error}")))?;
        let system = RemoteSystem::fetch(channel.clone()).await;
        let host = Host {
            storage: Arc::new(RemoteStorage::new(channel)),
            system: Arc::clone(&system) as Arc<dyn crate::System>,
        };
        let config = Config { options: setup.config, backend_uuid: setup.backend_uuid };
        let backend = self.factory.create(config, host).await?;
        Ok(Instance { backend, system })
    }

    fn in_use<T>(&self, request: &Request<T>) -> Result<Arc<Instance>, Status> {
        if self.metadata_mode {
            return Err(Status::unknown(METADATA_MODE));
        }
        self.instances.of(request)
    }
}

fn asked(request: Option<Box<pb::Request>>) -> Result<pb::Request, Status> {
    request.map(|request| *request).ok_or_else(|| Status::invalid_argument("the call carries no request"))
}

#[async_trait]
impl<F: Factory> Backend for PluginService<F> {
    async fn handle_request(
        &self,
        call: Request<pb::HandleRequestArgs>,
    ) -> Result<Response<pb::HandleRequestReply>, Status> {
        let instance = self.in_use(&call)?;
        instance.system.refresh_if_old();
        let outcome = match asked(call.into_inner().request)?.try_into() {
            Ok(request) => instance.backend.handle(request).await,
            Err(error) => Err(error),
        };
        Ok(Response::new(convert::reply(outcome)))
    }

    async fn handle_existence_check(
        &self,
        call: Request<pb::HandleExistenceCheckArgs>,
    ) -> Result<Response<pb::HandleExistenceCheckReply>, Status> {
        let instance = self.in_use(&call)?;
        let found = match asked(call.into_inner().request)?.try_into() {
            Ok(request) => instance.backend.exists(request).await,
            Err(error) => Err(error),
        };
        Ok(Response::new(convert::existence_reply(found)))
    }

    async fn setup(&self, call: Request<pb::SetupArgs>) -> Result<Response<pb::SetupReply>, Status> {
        let id = self.instances.id_of(call.metadata())?.to_owned();
        let err = match self.create(call.into_inner()).await {
            Ok(instance) => {
                if let Some(replaced) = self.instances.insert(id, instance) {
                    replaced.backend.cleanup().await;
                }
                String::new()
            }
            Err(error) => error.to_string(),
        };
        Ok(Response::new(pb::SetupReply { err }))
    }

    async fn initialize(
        &self,
        call: Request<pb::InitializeArgs>,
    ) -> Result<Response<pb::InitializeReply>, Status> {
        let instance = self.in_use(&call)?;
        let err = instance.backend.initialize().await.err().map(Into::into);
        Ok(Response::new(pb::InitializeReply { err }))
    }

    async fn special_paths(
        &self,
        call: Request<pb::Empty>,
    ) -> Result<Response<pb::SpecialPathsReply>, Status> {
        let paths = self.instances.of(&call)?.backend.special_paths();
        Ok(Response::new(pb::SpecialPathsReply { paths: Some(convert::paths_message(paths)) }))
    }

    async fn r#type(&self, call: Request<pb::Empty>) -> Result<Response<pb::TypeReply>, Status> {
        Ok(Response::new(self.instances.of(&call)?.backend.kind().into()))
    }

    async fn invalidate_key(
        &self,
        call: Request<pb::InvalidateKeyArgs>,
    ) -> Result<Response<pb::Empty>, Status> {
        let instance = self.in_use(&call)?;
        instance.backend.invalidate(&call.into_inner().key).await;
        Ok(Response::new(pb::Empty {}))
    }

    /// Hosts clean up twice; the second time there is nothing left to do.
    async fn cleanup(&self, call: Request<pb::Empty>) -> Result<Response<pb::Empty>, Status> {
        let removed = self.instances.remove(self.instances.id_of(call.metadata())?);
        if let Some(instance) = removed {
            instance.backend.cleanup().await;
        }
        Ok(Response::new(pb::Empty {}))
    }
}

#[async_trait]
impl<F: Factory> PluginVersion for PluginService<F> {
    /// Answered without an instance too: some hosts ask before they set one up.
    async fn version(
        &self,
        call: Request<logical::Empty>,
    ) -> Result<Response<logical::VersionReply>, Status> {
        let plugin_version = self.instances.of(&call).map(|it| it.backend.version().to_owned());
        Ok(Response::new(logical::VersionReply { plugin_version: plugin_version.unwrap_or_default() }))
    }
}
