//! Serving gRPC to the one peer that holds the pinned certificate.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;

use crate::Services;
use crate::socket::User;

/// How much of one call may be under way before its reader has to keep up.
pub(crate) const STREAM_WINDOW: u32 = 1 << 21;
/// How much of all calls of a connection may be under way.
pub(crate) const CONNECTION_WINDOW: u32 = 1 << 22;
/// Error texts travel in headers, and Go's end accepts this much.
pub(crate) const HEADER_LIMIT: u32 = 16 << 20;
/// More calls at a time than this wait at the peer.
const CONCURRENT_CALLS: u32 = 1024;
/// So many calls may be withdrawn before we have even seen them. Callers do leave in crowds, and the connection has to
/// survive that: a peer may not dial again.
const WITHDRAWN_CALLS: usize = 8192;
/// So many calls that break the rules of HTTP/2 end their connection. Each costs memory until the peer has read that it
/// was refused, and a peer need not read.
pub(crate) const FAULTY_CALLS: usize = 1 << 14;
/// A peer needs one connection, and a second while it exchanges it. Each takes a descriptor of the whole process; those
/// who come beyond this wait in the socket's queue.
pub(crate) const CONNECTIONS: usize = 32;
/// How long a peer may take for the TLS handshake.
const TLS_DEADLINE: Duration = Duration::from_secs(10);
/// A pause when the process has run out of descriptors.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What is served, and to whom.
#[derive(Clone)]
pub(crate) struct Server {
    /// None: whoever reaches the socket is believed.
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) services: Arc<dyn Services>,
    /// The one user whose processes are not turned away before TLS; none: everybody's are heard.
    pub(crate) only: Option<User>,
    /// How long calls under way get to finish once the server stops.
    pub(crate) grace: Duration,
}

/// A connection whose peer has proved who it is.
pub(crate) enum Greeted {
    /// Whoever reaches the socket is believed.
    Plain(UnixStream),
    /// The holder of the pinned certificate.
    Secure(Box<TlsStream<UnixStream>>),
}

impl Server {
    /// Accepts until `stop`: a peer may hang up when idle and dial again an hour later.
    ///
    /// Each connection has its own task, so that one that stalls holds up nobody.
    pub(crate) async fn run(self, listener: UnixListener, stop: CancellationToken) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = connections.join_next() => {}
                stream = next_of(&listener), if connections.len() < CONNECTIONS => {
                    connections.spawn(self.clone().serve(stream, stop.clone()));
                }
            }
        }
        let _ = timeout(self.grace, async { while connections.join_next().await.is_some() {} }).await;
    }

    async fn serve(self, stream: UnixStream, stop: CancellationToken) {
        if let Some(greeted) = self.greet(stream).await {
            greeted.answer(self.services, stop).await;
        }
    }

    /// Lets who has dialled prove who it is.
    pub(crate) async fn greet(&self, stream: UnixStream) -> Option<Greeted> {
        if self.only.is_some_and(|user| !user.is_peer(&stream)) {
            tracing::warn!("refused a connection from another user's process");
            return None;
        }
        let Some(tls) = &self.tls else { return Some(Greeted::Plain(stream)) };
        match timeout(TLS_DEADLINE, TlsAcceptor::from(Arc::clone(tls)).accept(stream)).await {
            Ok(Ok(stream)) => return Some(Greeted::Secure(Box::new(stream))),
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn Error, "refused a connection that failed mutual TLS");
            }
            Err(_) => tracing::warn!("closed a connection that did not finish its TLS handshake"),
        }
        None
    }
}

/// The next who dials.
pub(crate) async fn next_of(listener: &UnixListener) -> UnixStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(error = &error as &dyn Error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

impl Greeted {
    /// Answers calls until the peer hangs up, or `stop`.
    pub(crate) async fn answer(self, services: Arc<dyn Services>, stop: CancellationToken) {
        match self {
            Self::Plain(stream) => answer(stream, services, stop).await,
            Self::Secure(stream) => answer(stream, services, stop).await,
        }
    }
}

async fn answer<T>(stream: T, services: Arc<dyn Services>, stop: CancellationToken)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answers = service_fn(move |call: Request<Incoming>| services.answer(call.map(Body::new)));
    let connection = Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(HEADER_LIMIT)
        .max_concurrent_streams(CONCURRENT_CALLS)
        .max_pending_accept_reset_streams(WITHDRAWN_CALLS)
        .max_local_error_reset_streams(FAULTY_CALLS)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), answers);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = &error as &dyn Error, "a connection broke");
    }
}

#[cfg(test)]
mod tests;
