use std::{io, sync::Arc, time::Duration};

use tokio::{net::TcpListener, time};
use tokio_util::sync::CancellationToken;
use tonic::{service::Routes, transport::Server};
use wire::health::health_server::HealthServer;

use super::{accept::incoming, allow::AllowLayer, files::Certificates, request::ForRequestLayer};
use crate::health::Serving;

/// How long calls that are still running may take to finish once the service is to end.
const DRAIN: Duration = Duration::from_secs(8);
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Calls on one connection at the same time.
const STREAMS: u32 = 4096;

/// Serves neighbours over mutual TLS until the token is cancelled; then finishes what runs.
///
/// # Errors
/// The connections cannot be served.
pub async fn serve(
    listener: TcpListener,
    certificates: Arc<Certificates>,
    routes: Routes,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let connections = incoming(listener, certificates, shutdown.clone());
    let routes = routes.add_service(HealthServer::new(Serving::until(shutdown.clone())));
    let server = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(STREAMS)
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .layer(AllowLayer)
        .layer(ForRequestLayer)
        .add_routes(routes)
        .serve_with_incoming_shutdown(connections, shutdown.clone().cancelled_owned());
    let expired = async {
        shutdown.cancelled().await;
        time::sleep(DRAIN).await;
    };
    tokio::select! {
        result = server => result.map_err(io::Error::other),
        () = expired => Ok(()),
    }
}
