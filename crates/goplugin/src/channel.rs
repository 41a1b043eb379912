use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use http_body_util::combinators::MapErr;
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;
use tower::Service;

use crate::counted::Sent;
use crate::identity::SERVER_NAME;
use crate::server::{CONNECTION_WINDOW, FAULTY_CALLS, HEADER_LIMIT, STREAM_WINDOW};

/// What generated clients run over: one HTTP/2 connection, made once and never again.
///
/// A plugin's broker does not survive the loss of its connection, so a new connection to the same process would only
/// hide the loss. Cheap to clone; calls are not queued anywhere but in HTTP/2 itself.
/// Deadlines are sent to the peer (`grpc-timeout`) but not kept here: a caller that wants one wraps the call.
#[derive(Clone)]
pub struct Channel {
    sender: SendRequest<Body>,
    authority: Authority,
    sent: Sent,
}

/// What became of a call whose connection was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// The peer certainly has not seen the call: it may be repeated elsewhere.
    #[error("the connection is closed and the call was not sent")]
    Unsent,
    /// The peer may have seen the call, and may have acted on it.
    #[error("the connection broke during the call")]
    Sent,
}

impl Lost {
    /// Whether this status of a call over a [`Channel`] stands for a lost connection, and if so, how.
    pub fn of(status: &Status) -> Option<Self> {
        status.source()?.downcast_ref().copied()
    }

    fn into_status(self) -> Status {
        let mut status = Status::unavailable(self.to_string());
        status.set_source(Arc::new(self));
        status
    }
}

impl Channel {
    /// Speaks HTTP/2 over `io` until `stop` or the end of the connection; then cancels `closed`.
    ///
    /// `sent` counts what leaves below TLS: TLS itself may say that a write failed of which a part has left.
    pub(crate) async fn open<T>(
        io: T,
        sent: Sent,
        stop: CancellationToken,
        closed: CancellationToken,
    ) -> Result<Self, hyper::Error>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // No adaptive windows and no keep-alive: both ping, and Go's end hangs up on a peer that pings too often.
        let (sender, connection) = Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(HEADER_LIMIT)
            // Callers that leave reset their streams, often in crowds. Answers to those that were already under way
            // are no fault of the plugin's as long as we remember the stream.
            .max_concurrent_reset_streams(8192)
            .reset_stream_duration(Duration::from_secs(5))
            .max_local_error_reset_streams(FAULTY_CALLS)
            .handshake(TokioIo::new(io))
            .await?;
        tokio::spawn(async move {
            let ended = tokio::select! {
                ended = connection => ended,
                () = stop.cancelled() => Ok(()),
            };
            if let Err(error) = ended {
                tracing::debug!(error = &error as &dyn Error, "a plugin's connection broke");
            }
            closed.cancel();
        });
        Ok(Self { sender, authority: Authority::from_static(SERVER_NAME), sent })
    }
}

/// A response's body, whose errors say whether the connection was lost.
type ResponseBody = MapErr<Incoming, fn(hyper::Error) -> Status>;

impl Service<Request<Body>> for Channel {
    type Response = Response<ResponseBody>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Status>> + Send>>;

    /// Always ready: a closed connection is an answer to the call, so that every loss looks alike.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        *request.uri_mut() = absolute(request.uri(), self.authority.clone());
        let (sent, before) = (self.sent.clone(), self.sent.bytes());
        let answer = self.sender.try_send_request(request);
        Box::pin(async move {
            let response =
                answer.await.map_err(|mut failed| match (failed.take_message(), loss(failed.error())) {
                    (Some(_), _) => Lost::Unsent.into_status(),
                    // Nothing at all has left since the call came in, so the call has not either: so it goes when the
                    // peer has died and nobody has noticed yet.
                    (None, Some(Lost::Sent)) if sent.bytes() == before => Lost::Unsent.into_status(),
                    (None, _) => status_of(failed.into_error()),
                })?;
            Ok(response.map(|body| body.map_err(status_of as fn(_) -> _)))
        })
    }
}

/// HTTP/2 wants the scheme and authority that tonic leaves out.
fn absolute(uri: &Uri, authority: Authority) -> Uri {
    let path = uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(Scheme::HTTPS);
    parts.authority = Some(authority);
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).unwrap_or_default()
}

/// The status of a call that HTTP/2 could not carry to its end.
fn status_of(error: hyper::Error) -> Status {
    match loss(&error) {
        Some(lost) => lost.into_status(),
        None => Status::from_error(Box::new(error)),
    }
}

/// Whether an error ends the connection, rather than one stream of it.
fn loss(error: &hyper::Error) -> Option<Lost> {
    let cause = error.source();
    match cause.and_then(|cause| cause.downcast_ref::<h2::Error>()) {
        Some(h2) if h2.is_reset() && h2.reason() == Some(h2::Reason::REFUSED_STREAM) => Some(Lost::Unsent),
        Some(h2) => (!h2.is_reset()).then_some(Lost::Sent),
        None => {
            (error.is_canceled() || error.is_closed() || cause.is_some_and(|cause| cause.is::<io::Error>()))
                .then_some(Lost::Sent)
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("closed", &self.sender.is_closed()).finish()
    }
}
