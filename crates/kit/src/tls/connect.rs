use std::{io, sync::Arc, time::Duration};

use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::{net::TcpStream, time};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

use super::files::{Certificates, Error};
use crate::{Service, config::Address};

/// The first pause after a connection that was refused; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long a request waits for a neighbour that is not there yet.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(3);
/// How often a silent connection is asked whether it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// What may be on its way in one stream, and in all of one connection, before the receiver has taken it.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

/// A neighbour that does not answer.
#[derive(Debug, thiserror::Error)]
#[error("the {service} cannot be reached")]
struct Unreachable {
    service: Service,
    source: io::Error,
}

/// A connection to a neighbour, made by the first request that needs it, and again whenever it was lost.
///
/// # Errors
/// The address is no address.
pub fn channel(
    service: Service,
    address: &Address,
    certificates: &Arc<Certificates>,
) -> Result<Channel, Error> {
    // The scheme speaks of what tonic has to add, which is nothing: the connector brings TLS itself.
    let endpoint = Endpoint::from_shared(format!("http://{address}"))
        .map_err(|_| Error::Address(address.to_string()))?
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    let (address, certificates) = (address.clone(), certificates.clone());
    Ok(endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| {
        let (address, certificates) = (address.clone(), certificates.clone());
        async move { patiently(service, &address, &certificates).await.map(TokioIo::new) }
    })))
}

/// Tries again for a while, because services may start in any order.
async fn patiently(
    service: Service,
    address: &Address,
    certificates: &Certificates,
) -> io::Result<TlsStream<TcpStream>> {
    let deadline = time::Instant::now() + PATIENCE;
    let mut pause = FIRST_PAUSE;
    loop {
        let attempt = time::timeout(ATTEMPT, connect(service, address, certificates)).await;
        let error = match attempt.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        // Another certificate than the one expected does not become the right one by asking again.
        let hopeless = error.kind() == io::ErrorKind::InvalidData;
        if hopeless || time::Instant::now() + pause >= deadline {
            tracing::warn!(%service, %address, %error, "cannot connect");
            // Callers see this one, and users may: it names no address.
            return Err(io::Error::new(error.kind(), Unreachable { service, source: error }));
        }
        time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn connect(
    service: Service,
    address: &Address,
    certificates: &Certificates,
) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address.as_str()).await?;
    stream.set_nodelay(true)?;
    let connector = TlsConnector::from(certificates.current().client.clone());
    // The neighbour proves that it is this service, wherever it runs.
    let name = ServerName::try_from(service.name()).map_err(io::Error::other)?;
    connector.connect(name, stream).await
}
