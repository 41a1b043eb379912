//! Websockets, over which is told what has no end.

use std::time::Duration;

use axum::{body::Body, response::Response};
use futures::{SinkExt, Stream, StreamExt};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE},
    request::Parts,
};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, interval_at, timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::Status;
use wire::router::v1::Lines;

use crate::patience::InFlight;

/// How often a reader is asked whether it is still there. One that does not answer until the next time is not.
const PING: Duration = Duration::from_secs(30);

/// How long a reader may take for one message.
const SLOWEST: Duration = Duration::from_secs(10);

/// Readers have nothing to say that is longer.
const LARGEST: usize = 4 << 10;

/// What goes on over a connection beyond its requests; it is not idle meanwhile.
#[derive(Clone, Debug, Default)]
pub struct Lasting {
    tasks: TaskTracker,
    in_flight: InFlight,
}

impl Lasting {
    /// Of a connection on which these requests are answered.
    pub fn new(in_flight: InFlight) -> Self {
        Self { tasks: TaskTracker::new(), in_flight }
    }

    /// Ends when nothing goes on any more.
    pub async fn over(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// A request that asks for a websocket.
pub struct Knock {
    upgrade: OnUpgrade,
    accept: HeaderValue,
    lasting: Lasting,
}

impl Knock {
    /// None: it asks for no websocket, or in a way in which there is none.
    pub fn of(parts: &mut Parts) -> Option<Self> {
        // There for those only who ask to upgrade.
        let lasting = parts.extensions.get::<Lasting>()?.clone();
        let headers = &parts.headers;
        let asks = holds(headers, &CONNECTION, "upgrade") && holds(headers, &UPGRADE, "websocket");
        let key = headers
            .get(SEC_WEBSOCKET_KEY)
            .filter(|_| asks && holds(headers, &SEC_WEBSOCKET_VERSION, "13"))?;
        let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok()?;
        Some(Self { upgrade: parts.extensions.remove()?, accept, lasting })
    }

    /// Tells all that comes, each as one message, until one of both goes.
    pub fn tell<S>(self, lines: S, as_text: bool, stop: CancellationToken) -> Response
    where
        S: Stream<Item = Result<Lines, Status>> + Send + Unpin + 'static,
    {
        let Self { upgrade, accept, lasting } = self;
        let busy = lasting.in_flight.begin();
        lasting.tasks.spawn(async move {
            match upgrade.await {
                Ok(stream) => talk(stream, lines, as_text, stop).await,
                Err(error) => tracing::debug!(%error, "a websocket did not come about"),
            }
            drop(busy);
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        response
    }
}

/// What somebody is told who does not ask for one where nothing else is to be had.
pub fn required() -> Response {
    let body = "{\"errors\":[\"what is told here comes over a websocket: ask to upgrade the connection\"]}\n";
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
    response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    response
}

/// Whether one of the words of a header is this one.
fn holds(headers: &HeaderMap, name: &http::HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|each| each.trim().eq_ignore_ascii_case(word))
}

async fn talk<S>(stream: Upgraded, mut lines: S, as_text: bool, stop: CancellationToken)
where
    S: Stream<Item = Result<Lines, Status>> + Send + Unpin,
{
    let limits = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
    let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(stream), Role::Server, Some(limits)).await;
    let mut pings = interval_at(Instant::now() + PING, PING);
    let mut answered = true;
    let (code, reason) = loop {
        let message = tokio::select! {
            () = stop.cancelled() => break (CloseCode::Away, "the server ends"),
            line = lines.next() => match line {
                Some(Ok(Lines { text })) => match as_text.then(|| text.clone().try_into()) {
                    Some(Ok(text)) => Message::Text(text),
                    None => Message::Binary(text),
                    Some(Err(_)) => continue,
                },
                Some(Err(status)) if wire::failure_of(&status).kind == domain::Kind::Denied => {
                    break (CloseCode::Policy, "permission denied");
                }
                Some(Err(_)) => break (CloseCode::Error, "what is told cannot be had at the moment"),
                None => break (CloseCode::Away, "nothing more is told"),
            },
            heard = socket.next() => match heard {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {
                    answered = true;
                    continue;
                }
            },
            _ = pings.tick() => {
                if !std::mem::take(&mut answered) {
                    return;
                }
                Message::Ping(bytes::Bytes::new())
            }
        };
        if !matches!(timeout(SLOWEST, socket.send(message)).await, Ok(Ok(()))) {
            return;
        }
    };
    let farewell = CloseFrame { code, reason: reason.into() };
    let _ = timeout(SLOWEST, socket.close(Some(farewell))).await;
}
