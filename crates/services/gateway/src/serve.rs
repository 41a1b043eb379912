use std::{io, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::router::v1::RouterSeam;

use crate::{Config, Listener, Slots, api::Api, connection::Connections};

/// How long to wait when the system has no descriptor or memory left for a connection.
const OUT_OF_RESOURCES: Duration = Duration::from_millis(50);

/// Vault's HTTP API in front of a router.
#[derive(Debug)]
pub struct Gateway {
    api: Api,
    config: Arc<Config>,
}

impl Gateway {
    /// A gateway that hands every request to this router.
    pub fn new(router: RouterSeam, config: Config) -> Self {
        let config = Arc::new(config);
        Self { api: Api::new(router, config.clone()), config }
    }

    /// Serves until told to stop; then takes no more connections, lets the requests in flight end, and cuts off what is
    /// left when their time is up.
    pub async fn serve(self, listeners: Vec<Listener>, shutdown: CancellationToken) {
        let slots = self.config.slots.clone();
        let open = TaskTracker::new();
        let cut_off = CancellationToken::new();
        let drain = self.config.drain;
        let shared = Connections {
            api: self.api.until(shutdown.clone()),
            config: self.config,
            stop: shutdown.clone(),
        };
        let accepting = TaskTracker::new();
        for listener in listeners {
            let accept = Accept {
                slots: slots.clone(),
                open: open.clone(),
                cut_off: cut_off.clone(),
                connections: shared.clone(),
            };
            accepting.spawn(accept.run(listener));
        }
        accepting.close();
        accepting.wait().await;
        open.close();
        if timeout(drain, open.wait()).await.is_err() {
            tracing::warn!(
                connections = open.len(),
                "closing connections whose requests did not end in time"
            );
            cut_off.cancel();
            open.wait().await;
        }
    }
}

/// The loop that takes connections from one listener.
struct Accept {
    slots: Slots,
    open: TaskTracker,
    cut_off: CancellationToken,
    connections: Connections,
}

impl Accept {
    async fn run(self, listener: Listener) {
        let stop = self.connections.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.for_ever(&listener) => {}
        }
    }

    /// No input ends this loop: a connection that cannot be had is left, and the next one taken.
    async fn for_ever(&self, listener: &Listener) {
        loop {
            let (stream, peer) = accept(&listener.socket).await;
            // Not before: a listener that nobody connects to must not hold what another one waits for.
            let Some(slot) = self.slots.take().await else { return };
            let acceptor = listener.tls.as_ref().map(|tls| tls.acceptor.clone());
            let served = self.connections.clone().serve(stream, peer, acceptor);
            let cut_off = self.cut_off.clone();
            self.open.spawn(async move {
                cut_off.run_until_cancelled(served).await;
                drop(slot);
            });
        }
    }
}

async fn accept(socket: &TcpListener) -> (TcpStream, std::net::SocketAddr) {
    loop {
        match socket.accept().await {
            Ok(connection) => return connection,
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection");
                sleep(OUT_OF_RESOURCES).await;
            }
        }
    }
}

/// The client went away before we came to it.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
