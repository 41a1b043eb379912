use std::{collections::HashMap, path::Path, process::Stdio, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use bytes::Bytes;
use goplugin::{
    Channel, Cookie, Identity,
    host::{Brokered, Connection, connect, environment},
};
use tokio::{
    io::{copy, sink},
    process::{Child, Command},
    time::Instant,
};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
};
use wire::{
    PLUGIN_MESSAGE_LIMIT,
    pb::{self, backend_client::BackendClient},
};

use super::callbacks;

const START: Duration = Duration::from_secs(60);

/// A plugin's process; it ends when this is dropped.
pub struct Plugin {
    child: Child,
    connection: Arc<Connection>,
}

/// One mount in it.
pub struct Mount {
    client: BackendClient<Channel>,
    id: MetadataValue<Ascii>,
    _connection: Arc<Connection>,
    _callbacks: Brokered,
}

impl Plugin {
    pub async fn start(program: &Path, folder: &Path) -> anyhow::Result<Self> {
        let identity = Identity::generate()?;
        let versions = [5];
        let mut child = Command::new(program)
            .env_clear()
            .envs(environment(Cookie::BACKEND, &versions, &identity, folder))
            .env("VAULT_VERSION", "1.21.4")
            .env("VAULT_PLUGIN_METADATA_MODE", "false")
            .env("VAULT_PLUGIN_AUTOMTLS_ENABLED", "true")
            .env("TMPDIR", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().context("its output is a pipe")?;
        let mut stderr = child.stderr.take().context("its log is a pipe")?;
        tokio::spawn(async move { drop(copy(&mut stderr, &mut sink()).await) });
        let greeted = connect(stdout, &versions, &identity, folder, Instant::now() + START).await;
        let (connection, rest) = greeted?;
        tokio::spawn(rest.drain());
        Ok(Self { child, connection: Arc::new(connection) })
    }

    pub fn pid(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// Sets up a mount of kv in this version.
    pub async fn mount(&self, version: &str) -> anyhow::Result<Mount> {
        let callbacks = self.connection.broker().accept(callbacks::services())?;
        callbacks.announce().await?;
        let client = BackendClient::new(self.connection.channel())
            .max_decoding_message_size(PLUGIN_MESSAGE_LIMIT)
            .max_encoding_message_size(PLUGIN_MESSAGE_LIMIT);
        let id = format!("bare{version}").parse()?;
        let mut mount = Mount { client, id, _connection: self.connection.clone(), _callbacks: callbacks };
        let setup = pb::SetupArgs {
            broker_id: mount._callbacks.id(),
            config: HashMap::from([("version".to_owned(), version.to_owned())]),
            backend_uuid: "11111111-2222-3333-4444-555555555555".to_owned(),
        };
        let setup = mount.with_id(setup);
        let answer = mount.client.setup(setup).await?.into_inner();
        ensure!(answer.err.is_empty(), "set-up: {}", answer.err);
        let initialize = mount.with_id(pb::InitializeArgs {});
        mount.client.initialize(initialize).await?;
        Ok(mount)
    }
}

impl Mount {
    fn with_id<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("multiplex_id", self.id.clone());
        request
    }

    pub async fn read(&self, path: &str) -> Result<Option<Bytes>, Status> {
        self.handle(request("read", path, Bytes::from_static(b"{}"))).await
    }

    /// As a host has to do it: does it exist, and then the write.
    pub async fn write(&self, path: &str, data: Bytes) -> Result<Option<Bytes>, Status> {
        let mut request = request("update", path, data);
        let asked = pb::HandleExistenceCheckArgs { storage_id: 0, request: Some(request.clone().into()) };
        let found = self.client.clone().handle_existence_check(self.with_id(asked)).await?.into_inner();
        if found.check_found && !found.exists {
            request.operation = "create".to_owned();
        }
        self.handle(request).await
    }

    async fn handle(&self, request: pb::Request) -> Result<Option<Bytes>, Status> {
        let args = pb::HandleRequestArgs { storage_id: 0, request: Some(request.into()) };
        let answer = self.client.clone().handle_request(self.with_id(args)).await?.into_inner();
        if let Some(error) = answer.err.filter(|error| !error.err_msg.is_empty()) {
            return Err(Status::internal(error.err_msg));
        }
        Ok(answer.response.map(|response| response.data))
    }
}

fn request(operation: &str, path: &str, data: Bytes) -> pb::Request {
    pb::Request {
        id: "00000000-0000-0000-0000-000000000000".to_owned(),
        operation: operation.to_owned(),
        path: path.to_owned(),
        data,
        mount_point: "bare/".to_owned(),
        mount_type: "kv".to_owned(),
        ..pb::Request::default()
    }
}
