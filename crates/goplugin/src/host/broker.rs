use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use wire::goplugin::ConnInfo;
use wire::goplugin::grpc_broker_client::GrpcBrokerClient;

use crate::host::door::{Door, QUIET};
use crate::server::Server;
use crate::socket::{Socket, User};
use crate::{Channel, Services};

/// Opens further connections, on which the plugin calls the host. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Broker {
    shared: Arc<Shared>,
    quiet: Duration,
}

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
    // Stops before the socket is removed: it may be about to be made anew.
    _stop: DropGuard,
    ends: Arc<AtomicBool>,
    socket: Socket,
    announcements: mpsc::Sender<ConnInfo>,
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
        (Self { shared: Arc::new(shared), quiet: QUIET }, announced)
    }

    /// The same broker; what is accepted by it lets a connection go that was not called on for so long. The plugin
    /// dials again when it needs one. Less than the half hour after which Go's end hangs up by itself.
    #[must_use]
    pub fn lets_go_after(self, quiet: Duration) -> Self {
        Self { quiet, ..self }
    }

    /// Listens in the plugin's private directory, and serves `services` to the plugin alone.
    ///
    /// Takes one descriptor: that of the socket until the plugin has dialled, then that of the connection.
    /// Must be called within the runtime. The services set their own message limits.
    pub fn accept(&self, services: impl Services) -> Result<Brokered, BrokerError> {
        let id = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let path = self.shared.directory.join(format!("h{id}"));
        let offer = || {
            let user = User::of(&self.shared.directory)?;
            let (socket, listener) = Socket::bind(path.clone())?;
            user.give(socket.path())?;
            Ok((user, socket, listener))
        };
        let (user, socket, listener) =
            offer().map_err(|source| BrokerError::Listen { socket: path.clone(), source })?;
        // No grace: a mount that is gone must not be written to any more.
        let server = Server {
            tls: self.shared.tls.clone(),
            services: Arc::new(services),
            only: Some(user),
            grace: Duration::ZERO,
        };
        let stop = self.shared.stop.child_token();
        let ends = Arc::new(AtomicBool::new(false));
        let door = Door { server, path, user, quiet: self.quiet, ends: ends.clone(), stop: stop.clone() };
        tokio::spawn(door.keep(listener));
        let announcements = self.shared.announcements.clone();
        Ok(Brokered { id, _stop: stop.drop_guard(), ends, socket, announcements })
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

    /// The plugin is about to be told to clean up. Once it has hung up nobody listens for it again.
    pub fn end(&self) {
        self.ends.store(true, Ordering::Relaxed);
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
