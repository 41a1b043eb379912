use std::future::Future;

use bytes::Bytes;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Status;
use wire::goplugin::Empty;
use wire::goplugin::grpc_controller_client::GrpcControllerClient;
use wire::health::HealthCheckRequest;
use wire::health::health_check_response::ServingStatus;
use wire::health::health_client::HealthClient;

use crate::host::stdio::Sink;
use crate::host::{Broker, Stream};
use crate::{Channel, names};

/// The one connection to a plugin. When it is lost the plugin is as good as dead; when it is dropped it closes.
#[derive(Debug)]
pub struct Connection {
    pub(crate) version: u32,
    pub(crate) channel: Channel,
    pub(crate) broker: Broker,
    pub(crate) sink: Sink,
    pub(crate) closed: CancellationToken,
    pub(crate) _stop: DropGuard,
    pub(crate) _tasks: JoinSet<()>,
}

impl Connection {
    /// The application version that the plugin chose.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The transport for generated clients. Set their message limits to [`wire::PLUGIN_MESSAGE_LIMIT`].
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Opens further connections, on which the plugin calls us.
    pub const fn broker(&self) -> &Broker {
        &self.broker
    }

    /// Shows what the plugin writes to its redirected outputs from now on; without this it is thrown away.
    /// Only the first call counts.
    pub fn on_output(&self, sink: impl Fn(Stream, Bytes) + Send + Sync + 'static) {
        self.sink.set(Box::new(sink));
    }

    /// Asks the plugin to end by itself.
    ///
    /// A plugin that does so at once cuts its own answer off, so any answer counts, and none by the deadline as well:
    /// what counts in the end is that the process is gone.
    pub async fn shutdown(&self, deadline: Instant) {
        let mut controller = GrpcControllerClient::new(self.channel());
        let _ = timeout_at(deadline, controller.shutdown(Empty {})).await;
    }

    /// Asks whether the plugin is well.
    pub async fn ping(&self, deadline: Instant) -> Result<(), Status> {
        let mut health = HealthClient::new(self.channel());
        let request = HealthCheckRequest { service: names::HEALTH.to_owned() };
        let reply = timeout_at(deadline, health.check(request)).await;
        let reply = reply.map_err(|_| Status::deadline_exceeded("the plugin did not answer in time"))??;
        match reply.into_inner().status() {
            ServingStatus::Serving => Ok(()),
            _ => Err(Status::unavailable("the plugin says that it is not serving")),
        }
    }

    /// Ends when the connection has.
    pub fn closed(&self) -> impl Future<Output = ()> + Send + 'static {
        self.closed.clone().cancelled_owned()
    }
}
