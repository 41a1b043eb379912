use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use wire::goplugin::grpc_stdio_client::GrpcStdioClient;
use wire::goplugin::stdio_data;

use crate::Channel;

/// Where a plugin wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Its redirected stdout.
    Stdout,
    /// Its redirected stderr.
    Stderr,
}

/// Takes what the plugin wrote, in pieces that are not lines.
type Take = Box<dyn Fn(Stream, Bytes) + Send + Sync>;

/// Where the pieces go, once somebody wants them.
#[derive(Clone, Default)]
pub(crate) struct Sink(Arc<OnceLock<Take>>);

impl Sink {
    /// Only the first taker counts.
    pub(crate) fn set(&self, take: Take) {
        let _ = self.0.set(take);
    }

    fn push(&self, stream: Stream, piece: Bytes) {
        if let Some(take) = self.0.get() {
            take(stream, piece);
        }
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}

/// Reads what the plugin writes to its redirected outputs, to the end: nobody reading would block it.
///
/// The end is never an error, and a plugin need not have the service at all.
pub(crate) async fn drain(channel: Channel, sink: Sink) {
    let Ok(reply) = GrpcStdioClient::new(channel).stream_stdio(()).await else { return };
    let mut pieces = reply.into_inner();
    while let Ok(Some(piece)) = pieces.message().await {
        let stream = match piece.channel() {
            stdio_data::Channel::Stderr => Stream::Stderr,
            stdio_data::Channel::Stdout | stdio_data::Channel::Invalid => Stream::Stdout,
        };
        sink.push(stream, piece.data.into());
    }
}
