use std::{convert::Infallible, future::Future, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use axum::response::Response;
use http::{Request, header::UPGRADE};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::Service,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::{
    Config,
    api::Api,
    log,
    patience::{self, InFlight, Patience},
    request::Peer,
    session::state_of,
    socket::Lasting,
};

/// Streams of one HTTP/2 connection that may be open at a time.
const MAX_STREAMS: u32 = 128;

/// The HTTP library takes no smaller buffer.
const SMALLEST_BUFFER: usize = 8 << 10;

/// What every connection of a gateway needs.
#[derive(Clone)]
pub struct Connections {
    pub api: Api,
    pub config: Arc<Config>,
    /// Told: answer what has arrived, and close.
    pub stop: CancellationToken,
}

impl Connections {
    /// Serves one connection to its end. Whatever goes wrong on it is its own affair.
    pub async fn serve(self, stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>) {
        // Answers are short; waiting to fill a packet would only delay them.
        let _ = stream.set_nodelay(true);
        let Some(acceptor) = tls else {
            return self.http1(stream, Peer::new(peer, None)).await;
        };
        let stream = match timeout(self.config.header_timeout, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return tracing::debug!(%peer, %error, "TLS handshake failed"),
            Err(_) => return tracing::debug!(%peer, "TLS handshake took too long"),
        };
        let session = stream.get_ref().1;
        let speaks_http2 = session.alpn_protocol() == Some(b"h2");
        let peer = Peer::new(peer, Some(state_of(session)));
        if speaks_http2 { self.http2(stream, peer).await } else { self.http1(stream, peer).await }
    }

    async fn http1(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer) {
        let (io, answers) = self.watch(stream, peer, Some(self.config.header_timeout));
        let lasting = answers.lasting.clone();
        let mut connection = std::pin::pin!(
            http1::Builder::new()
                .max_headers(self.config.max_headers)
                .max_header_size(self.config.max_header_bytes)
                .max_buf_size(self.config.max_header_bytes.max(SMALLEST_BUFFER))
                .header_read_timeout(None)
                .serve_connection(io, answers)
                .with_upgrades()
        );
        tokio::select! {
            _ = connection.as_mut() => return lasting.over().await,
            () = self.stop.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
        lasting.over().await;
    }

    async fn http2(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer) {
        let (io, answers) = self.watch(stream, peer, None);
        let header_bytes = u32::try_from(self.config.max_header_bytes).unwrap_or(u32::MAX);
        let mut connection = std::pin::pin!(
            http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_concurrent_streams(MAX_STREAMS)
                .max_header_list_size(header_bytes)
                .keep_alive_interval(self.config.idle_timeout / 4)
                .serve_connection(io, answers)
        );
        tokio::select! {
            _ = connection.as_mut() => return,
            () = self.stop.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }

    fn watch<S>(&self, stream: S, peer: Peer, head: Option<Duration>) -> (TokioIo<Patience<S>>, Answers) {
        let in_flight = InFlight::default();
        let limits = patience::Limits { idle: self.config.idle_timeout, head };
        let io = TokioIo::new(Patience::new(stream, in_flight.clone(), limits));
        let lasting = Lasting::new(in_flight.clone());
        (io, Answers { api: self.api.clone(), peer, in_flight, lasting })
    }
}

/// The API as one connection sees it.
struct Answers {
    api: Api,
    peer: Peer,
    in_flight: InFlight,
    lasting: Lasting,
}

impl Service<Request<Incoming>> for Answers {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Self::Error>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let busy = self.in_flight.begin();
        if request.headers().contains_key(UPGRADE) {
            request.extensions_mut().insert(self.lasting.clone());
        }
        let (api, peer) = (self.api.clone(), self.peer.clone());
        Box::pin(async move {
            let answer = api.handle(request, &peer).await;
            Ok(log::attended(answer, busy))
        })
    }
}
