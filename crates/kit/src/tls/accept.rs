use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    time,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::Connected;

use super::{files::Certificates, peer::Peer};

/// How long a peer may take to prove who it is.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How many may be at it at the same time.
const AT_ONCE: usize = 64;
/// How long accepting rests after an error such as a lack of descriptors.
const REST: Duration = Duration::from_millis(100);

/// A connection whose peer has shown a certificate of ours.
#[derive(Debug)]
pub struct Accepted {
    stream: TlsStream<TcpStream>,
    peer: Peer,
}

/// The connections that arrive until the token is cancelled. Handshakes run side by side: a slow peer delays no other.
pub fn incoming(
    listener: TcpListener,
    certificates: Arc<Certificates>,
    shutdown: CancellationToken,
) -> ReceiverStream<io::Result<Accepted>> {
    let (accepted, connections) = mpsc::channel(AT_ONCE);
    tokio::spawn(async move {
        shutdown.run_until_cancelled(accept(listener, certificates, accepted)).await;
    });
    ReceiverStream::new(connections)
}

async fn accept(
    listener: TcpListener,
    certificates: Arc<Certificates>,
    accepted: mpsc::Sender<io::Result<Accepted>>,
) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (stream, from) = match listener.accept().await {
            Ok(connection) => connection,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                time::sleep(REST).await;
                continue;
            }
        };
        let (certificates, accepted) = (certificates.clone(), accepted.clone());
        tokio::spawn(async move {
            match time::timeout(HANDSHAKE, greet(stream, &certificates)).await {
                // The receiver is gone when the service ends.
                Ok(Ok(connection)) => drop(accepted.send(Ok(connection)).await),
                Ok(Err(error)) => tracing::warn!(%from, %error, "refused a connection"),
                Err(_) => tracing::warn!(%from, "a peer took too long to prove who it is"),
            }
            drop(place);
        });
    }
}

async fn greet(stream: TcpStream, certificates: &Certificates) -> io::Result<Accepted> {
    stream.set_nodelay(true)?;
    let acceptor = TlsAcceptor::from(certificates.current().server.clone());
    let stream = acceptor.accept(stream).await?;
    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let peer = shown.map(Peer::of).unwrap_or_default();
    Ok(Accepted { stream, peer })
}

impl Connected for Accepted {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer
    }
}

impl AsyncRead for Accepted {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Accepted {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
