use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use wire::goplugin::ConnInfo;
use wire::goplugin::grpc_broker_client::GrpcBrokerClient;

use crate::server::Server;
use crate::socket::{Socket, User};
use crate::{Channel, Services};

/// Opens further connections, on which the plugin calls the host. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Broker(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    directory: PathBuf,
    /// None: old plugins that are only asked who they are, are given nothing that needs it.
    tls: Option<Arc<ServerConfig>>,
    next: AtomicU32,
    announcements: mpsc::Sender<ConnInfo>,
    stop: CancellationToken,
}

/// Services that wait for the plugin to dial in. Dropping this closes the socket and cuts every connection to it.
#[derive(Debug)]
pub struct Brokered {
    id: u32,
    socket: Socket,
    announcements: mpsc::Sender<ConnInfo>,
    _stop: DropGuard,
}

/// A further connection could not be offered.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The socket cannot be made. Its path must not exceed 107 bytes.
    #[error("cannot listen at {}", .socket.display())]
    Listen {
        /// Where.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The plugin has closed its broker, which it does once and for good.
    #[error("the plugin takes no further connections")]
    Ended,
}

impl Broker {
    /// A broker, and what it will announce.
    pub(crate) fn new(
        directory: &Path,
        tls: Option<Arc<ServerConfig>>,
        stop: CancellationToken,
    ) -> (Self, mpsc::Receiver<ConnInfo>) {
        let (announcements, announced) = mpsc::channel(16);
        let shared =
            Shared { directory: directory.to_owned(), tls, next: AtomicU32::new(1), announcements, stop };
        (Self(Arc::new(shared)), announced)
    }

    /// Listens in the plugin's private directory, and serves `services` to the plugin alone.
    ///
    /// Must be called within the runtime. The services set their own message limits.
    pub fn accept(&self, services: impl Services) -> Result<Brokered, BrokerError> {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let path = self.0.directory.join(format!("h{id}"));
        let offer = || {
            let user = User::of(&self.0.directory)?;
            let (socket, listener) = Socket::bind(path.clone())?;
            user.give(socket.path())?;
            Ok((user, socket, listener))
        };
        let (user, socket, listener) =
            offer().map_err(|source| BrokerError::Listen { socket: path.clone(), source })?;
        // No grace: a mount that is gone must not be written to any more.
        let server = Server {
            tls: self.0.tls.clone(),
            services: Arc::new(services),
            only: Some(user),
            grace: Duration::ZERO,
        };
        let stop = self.0.stop.child_token();
        tokio::spawn(server.run(listener, stop.clone()));
        Ok(Brokered { id, socket, announcements: self.0.announcements.clone(), _stop: stop.drop_guard() })
    }
}

impl Brokered {
    /// The number by which the plugin asks for this connection.
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// Tells the plugin where to dial. It forgets this after five seconds: to be called right before the number is used.
    pub async fn announce(&self) -> Result<(), BrokerError> {
        let info = ConnInfo {
            service_id: self.id,
            network: "unix".to_owned(),
            address: self.socket.path().to_string_lossy().into_owned(),
            knock: None,
        };
        self.announcements.send(info).await.map_err(|_| BrokerError::Ended)
    }
}

/// Keeps the plugin's broker open by keeping its stream open, and passes on what is announced.
///
/// What the plugin announces is read and ignored: no plugin of Vault's offers connections of its own.
pub(crate) async fn stream(channel: Channel, announced: mpsc::Receiver<ConnInfo>) {
    let stream = ReceiverStream::new(announced);
    // The answer comes with the plugin's first message, which is often never.
    let Ok(reply) = GrpcBrokerClient::new(channel).start_stream(stream).await else { return };
    let mut messages = reply.into_inner();
    while let Ok(Some(_)) = messages.message().await {}
}
