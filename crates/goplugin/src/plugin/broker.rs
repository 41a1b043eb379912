use std::io;
use std::pin::Pin;
use std::sync::Arc;

use rustls::ClientConfig;
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use tokio_stream::{Stream, StreamExt};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};
use wire::goplugin::ConnInfo;
use wire::goplugin::grpc_broker_server::GrpcBroker;

use crate::counted::{Counted, Sent};
use crate::plugin::pending::Pending;
use crate::plugin::stop::silent_until;
use crate::{Channel, tls};

/// Dials the connections on which the host serves. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Broker {
    pending: Arc<Pending>,
    tls: Arc<ClientConfig>,
    stop: CancellationToken,
}

/// The host could not be reached on a brokered connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// Nobody has announced this number.
    #[error("the host announced no connection number {0} in time")]
    NotAnnounced(u32),
    /// Neither of us uses anything else.
    #[error("the host announced a connection over {0:?}; only unix sockets are supported")]
    Network(String),
    /// Nobody answers.
    #[error("cannot reach the host at {address}")]
    Dial {
        /// The announced socket.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// Whoever answered is not the host.
    #[error("mutual TLS with the host failed")]
    Tls(#[source] io::Error),
    /// Whoever answered does not speak HTTP/2.
    #[error("the host does not speak HTTP/2")]
    Http2(#[source] hyper::Error),
}

impl Broker {
    pub(crate) fn new(tls: Arc<ClientConfig>, stop: CancellationToken) -> Self {
        Self { pending: Arc::default(), tls, stop }
    }

    /// Dials the connection that the host announces, or has announced, under this number. Waits up to five seconds.
    pub async fn dial(&self, id: u32) -> Result<Channel, DialError> {
        let info = self.pending.wait(id).await.ok_or(DialError::NotAnnounced(id))?;
        if info.network != "unix" {
            return Err(DialError::Network(info.network));
        }
        let stream = UnixStream::connect(&info.address)
            .await
            .map_err(|source| DialError::Dial { address: info.address, source })?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        let sent = Sent::default();
        let stream = Counted::new(stream, sent.clone());
        let stream = connector.connect(tls::server_name(), stream).await.map_err(DialError::Tls)?;
        Channel::open(stream, sent, self.stop.clone(), CancellationToken::new())
            .await
            .map_err(DialError::Http2)
    }
}

#[tonic::async_trait]
impl GrpcBroker for Broker {
    type StartStreamStream = Pin<Box<dyn Stream<Item = Result<ConnInfo, Status>> + Send>>;

    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<Self::StartStreamStream>, Status> {
        let mut announcements = request.into_inner();
        let (pending, stop) = (Arc::clone(&self.pending), self.stop.child_token());
        let ended = stop.clone();
        tokio::spawn(async move {
            let read = async {
                while let Some(Ok(info)) = announcements.next().await {
                    // A knock belongs to multiplexing, which we have declined.
                    if info.knock.is_none() {
                        pending.announce(info);
                    }
                }
            };
            tokio::select! { () = read => {} () = stop.cancelled() => {} }
            stop.cancel();
        });
        // The answer must come at once and stay open: the host takes its end for the end of the broker.
        Ok(Response::new(Box::pin(silent_until(ended))))
    }
}
