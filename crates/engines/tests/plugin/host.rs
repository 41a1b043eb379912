//! The smallest host there can be: starts the plugin, and serves storage to it.

use std::{path::Path, process::Stdio, sync::Arc, time::Duration};

use bytes::Bytes;
use goplugin::{Channel, Cookie, Identity, host};
use storage::{InMemory, Storage};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::Instant,
};
use tonic::{Request, Response, Status, async_trait, service::Routes};
use wire::{
    PLUGIN_MESSAGE_LIMIT,
    pb::{
        self,
        backend_client::BackendClient,
        storage_server::{Storage as StorageService, StorageServer},
    },
};

/// A running plugin.
pub struct Plugin {
    pub channel: Channel,
    connection: host::Connection,
    child: Child,
    _directory: TempDir,
}

/// One mount of a plugin.
pub struct Mount {
    pub client: BackendClient<Channel>,
    pub id: &'static str,
    _brokered: host::Brokered,
}

impl Plugin {
    /// Starts the kv plugin with these further variables.
    pub async fn start(variables: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().unwrap();
        let identity = Identity::generate().unwrap();
        let own = host::environment(Cookie::BACKEND, &[5], &identity, directory.path());
        let mut child = Command::new(env!("CARGO_BIN_EXE_mortise-plugin-kv"))
            .envs(own)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let connection = greet(stdout, &identity, directory.path()).await;
        Self { channel: connection.channel(), connection, child, _directory: directory }
    }

    /// Sets up a mount whose storage is `storage`, or cannot be used at all.
    pub async fn mount(
        &self,
        id: &'static str,
        config: &[(&str, &str)],
        storage: Option<Arc<InMemory>>,
    ) -> Mount {
        let service = StorageServer::new(Callbacks(storage))
            .max_decoding_message_size(PLUGIN_MESSAGE_LIMIT)
            .max_encoding_message_size(PLUGIN_MESSAGE_LIMIT);
        let brokered = self.connection.broker().accept(Routes::new(service)).unwrap();
        brokered.announce().await.unwrap();
        let config = config.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let setup = pb::SetupArgs { broker_id: brokered.id(), config, backend_uuid: format!("uuid-{id}") };
        let client = BackendClient::new(self.channel.clone())
            .max_decoding_message_size(PLUGIN_MESSAGE_LIMIT)
            .max_encoding_message_size(PLUGIN_MESSAGE_LIMIT);
        let mount = Mount { client, id, _brokered: brokered };
        let reply = mount.client.clone().setup(mount.call(setup)).await.unwrap().into_inner();
        assert_eq!(reply.err, "");
        mount
    }

    /// Asks the plugin to end, and waits until it has.
    pub async fn end(mut self) -> bool {
        self.connection.shutdown(soon()).await;
        tokio::time::timeout(Duration::from_secs(5), self.child.wait()).await.unwrap().unwrap().success()
    }
}

async fn greet(
    stdout: tokio::process::ChildStdout,
    identity: &Identity,
    directory: &Path,
) -> host::Connection {
    let (connection, rest) = host::connect(stdout, &[5], identity, directory, soon()).await.unwrap();
    tokio::spawn(rest.drain());
    connection
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

impl Mount {
    /// A call that says which mount it is about.
    pub fn call<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("multiplex_id", self.id.parse().unwrap());
        request
    }

    pub async fn initialize(&self) -> pb::InitializeReply {
        self.client.clone().initialize(self.call(pb::InitializeArgs {})).await.unwrap().into_inner()
    }

    pub async fn ask(
        &self,
        operation: &str,
        path: &str,
        data: impl Into<Bytes>,
    ) -> Result<pb::HandleRequestReply, Status> {
        let request = pb::Request {
            operation: operation.to_owned(),
            path: path.to_owned(),
            data: data.into(),
            ..pb::Request::default()
        };
        let args = self.call(pb::HandleRequestArgs { storage_id: 0, request: Some(request.into()) });
        Ok(self.client.clone().handle_request(args).await?.into_inner())
    }
}

/// Storage as hosts serve it.
struct Callbacks(Option<Arc<InMemory>>);

impl Callbacks {
    fn storage(&self) -> Result<&InMemory, Status> {
        self.0.as_deref().ok_or_else(|| Status::unknown("missing storage implementation"))
    }
}

fn text(outcome: storage::Result<()>) -> String {
    outcome.err().map(|error| error.to_string()).unwrap_or_default()
}

#[async_trait]
impl StorageService for Callbacks {
    async fn list(
        &self,
        args: Request<pb::StorageListArgs>,
    ) -> Result<Response<pb::StorageListReply>, Status> {
        let prefix = args.into_inner().prefix.parse().unwrap();
        let keys = self.storage()?.list(&prefix).await.unwrap();
        Ok(Response::new(pb::StorageListReply { keys, err: String::new() }))
    }

    async fn get(&self, args: Request<pb::StorageGetArgs>) -> Result<Response<pb::StorageGetReply>, Status> {
        let key = args.into_inner().key;
        let value = self.storage()?.get(&key.parse().unwrap()).await.unwrap();
        let entry = value.map(|value| pb::StorageEntry { key, value, seal_wrap: false });
        Ok(Response::new(pb::StorageGetReply { entry, err: String::new() }))
    }

    async fn put(&self, args: Request<pb::StoragePutArgs>) -> Result<Response<pb::StoragePutReply>, Status> {
        let entry = args.into_inner().entry.unwrap();
        let err = text(self.storage()?.put(entry.key.parse().unwrap(), entry.value).await);
        Ok(Response::new(pb::StoragePutReply { err }))
    }

    async fn delete(
        &self,
        args: Request<pb::StorageDeleteArgs>,
    ) -> Result<Response<pb::StorageDeleteReply>, Status> {
        let err = text(self.storage()?.delete(args.into_inner().key.parse().unwrap()).await);
        Ok(Response::new(pb::StorageDeleteReply { err }))
    }
}
