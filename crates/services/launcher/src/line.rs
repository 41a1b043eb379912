use std::{sync::Arc, time::Duration};

use goplugin::Lost;
use http::uri::PathAndQuery;
use prost::Message;
use spans::{Attribute, Failed, Span, Work};
use tokio::time::timeout;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    metadata::{Ascii, MetadataValue},
};
use uuid::Uuid;
use wire::logical;

use crate::{
    Error, Result,
    codec::Kept,
    entry::Entry,
    in_flight::InFlight,
    process::{Live, MOMENT},
};

/// The version of the protocol from which on a process may serve several.
const MULTIPLEXED_SINCE: u32 = 5;

/// The metadata by which a process tells those apart whom it serves.
const MULTIPLEX_ID: &str = "multiplex_id";

/// How one of those whom a plugin's process serves, a mount or a connection to a database, calls it.
#[derive(Debug)]
pub struct Line {
    /// Which plugin.
    pub entry: Arc<Entry>,
    /// The process.
    pub live: Arc<Live>,
    /// None: old plugins do not know of several mounts in one process.
    id: Option<MetadataValue<Ascii>>,
    largest_answer: usize,
    /// The calls that are under way.
    in_flight: Arc<InFlight>,
}

/// What became of a call.
#[derive(Debug)]
pub enum Trouble {
    /// The process is gone.
    Lost(Lost),
    /// All else.
    Failed(Error),
}

impl Line {
    /// A line to a process that knows nothing of it yet.
    pub fn new(entry: Arc<Entry>, live: Arc<Live>, largest_answer: usize, in_flight: Arc<InFlight>) -> Self {
        let id = (live.connection.version() >= MULTIPLEXED_SINCE).then(new_id);
        Self { entry, live, id, largest_answer, in_flight }
    }

    /// A call of the set-up: it has its own time limit, and is not repeated.
    pub async fn ask<Q, A>(&self, path: &'static str, message: Q, limit: Duration) -> Result<A>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let plugin = || self.entry.to_string();
        match timeout(limit, self.call(path, Arc::new(message))).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Trouble::Failed(error))) => Err(error),
            Ok(Err(Trouble::Lost(_))) => {
                self.settle().await;
                Err(Error::Interrupted { plugin: plugin(), how: self.live.how_it_ended() })
            }
            Err(_) => Err(Error::Timeout { plugin: plugin(), limit }),
        }
    }

    /// What the plugin says of its own version; may be empty.
    pub async fn ask_own_version(&self, limit: Duration) -> Result<String> {
        let version = self.ask("/logical.PluginVersion/Version", logical::Empty {}, limit).await;
        match version {
            Ok(logical::VersionReply { plugin_version }) => Ok(plugin_version),
            Err(Error::Rpc { code: Code::Unimplemented, .. }) => Ok(String::new()),
            Err(error) => Err(error),
        }
    }

    /// One call.
    pub async fn call<Q, A>(&self, path: &'static str, message: Arc<Q>) -> Result<A, Trouble>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let span = self.span(path);
        let place = span.place();
        let mut request = Request::new(message);
        if let Some(place) = &place {
            place.tell(request.metadata_mut().as_mut());
        }
        let _inside = self.in_flight.enter(place);
        if let Some(id) = &self.id {
            request.metadata_mut().insert(MULTIPLEX_ID, id.clone());
        }
        let mut client = Grpc::new(self.live.connection.channel())
            .max_decoding_message_size(self.largest_answer)
            .max_encoding_message_size(wire::PLUGIN_MESSAGE_LIMIT);
        let path = PathAndQuery::from_static(path);
        match client.unary(request, path, Kept::default()).await {
            Ok(answer) => {
                span.tell(Attribute::Grpc(Code::Ok.into()));
                Ok(answer.into_inner())
            }
            Err(status) => {
                span.tell(Attribute::Grpc(status.code().into()));
                span.fail(Failed::Grpc(status.code().into()));
                Err(self.trouble(&status))
            }
        }
    }

    /// A call as a part of the work at hand.
    fn span(&self, path: &'static str) -> Span {
        let span = Span::begin(&Work::Plugin(path));
        span.tell(Attribute::Plugin(&self.entry.name));
        span.tell(Attribute::Version(&self.entry.version));
        span
    }

    /// After a lost connection: the exit of the process is seen a moment before or after it.
    pub async fn settle(&self) {
        let _ = timeout(2 * MOMENT, self.live.gone()).await;
    }

    fn trouble(&self, status: &Status) -> Trouble {
        if let Some(lost) = Lost::of(status) {
            return Trouble::Lost(lost);
        }
        // Said by our own end, when it has seen the length and not taken the answer.
        if status.code() == Code::OutOfRange && status.message().contains("decoded message length too large")
        {
            let plugin = self.entry.to_string();
            return Trouble::Failed(Error::AnswerTooLarge { plugin, limit: self.largest_answer });
        }
        Trouble::Failed(Error::Rpc { code: status.code(), message: status.message().to_owned() })
    }
}

/// Ten letters and digits, new for each set-up.
fn new_id() -> MetadataValue<Ascii> {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = Uuid::new_v4().as_u128();
    let mut id = String::with_capacity(10);
    for _ in 0..10 {
        id.push(char::from(DIGITS[(rest % 62) as usize]));
        rest /= 62;
    }
    // Letters and digits are always fit for it.
    id.parse().unwrap_or_else(|_| MetadataValue::from_static("0000000000"))
}
