use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use domain::{Operation, RequestPath};
use http::request::Parts;
use http_body::Body;
use tokio::time::{Instant, timeout_at};
use wire::{pb, router::v1};

use crate::{
    Config, body,
    headers::{self, Known},
    parameters::Parameters,
    refusal::Refusal,
    verb::{self, Source},
};

/// Who is at the other end of a connection, as those behind us are told. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Peer(Arc<pb::Connection>);

impl Peer {
    /// Somebody at that address, and what TLS knows of them.
    pub fn new(address: SocketAddr, tls: Option<pb::ConnectionState>) -> Self {
        Self(Arc::new(pb::Connection {
            remote_addr: address.ip().to_string(),
            remote_port: address.port().into(),
            connection_state: tls,
        }))
    }
}

const MERGE_PATCH: &str = "application/merge-patch+json";

/// Makes of an HTTP request what the router understands.
pub async fn read(
    id: String,
    path: RequestPath,
    parts: &Parts,
    peer: &Peer,
    content: impl Body<Data = Bytes> + Unpin,
    config: &Config,
    until: Instant,
) -> Result<v1::Request, Refusal> {
    let mut query = Parameters::read(parts.uri.query().unwrap_or_default().as_bytes());
    let (operation, source) = verb::operation(&parts.method, &mut query)?;
    let known = Known::of(&parts.headers);
    known.check()?;
    let wrap_ttl = known.wrap_ttl()?;
    let content_type = known.content_type();
    if operation == Operation::Patch {
        require_merge_patch(content_type)?;
    }
    // Boxed, because most requests have no body, and all would carry the room for reading one.
    let content = match content.is_end_stream() {
        true => Bytes::new(),
        false => {
            let reading = timeout_at(until, body::read(content, config.max_body_bytes));
            Box::pin(reading).await.map_err(|_| Refusal::BodySlow)??
        }
    };
    // Checked even where it is not used, as Vault does: a broken body means a confused client.
    let content = body::data(content, content_type, &config.json)?;
    let data = match source {
        Source::Query => query.into_query_data()?,
        Source::Body => content,
        Source::Nowhere => Bytes::new(),
    };
    let path = if operation == Operation::List { path.as_folder() } else { path };
    Ok(v1::Request {
        id,
        operation: operation.word().to_owned(),
        path: path.as_str().to_owned(),
        data,
        headers: headers::handed_on(&parts.headers),
        token: known.token().to_owned(),
        namespace: known.namespace().into_owned(),
        wrap_ttl,
        wrap_format: known.wrap_format().to_owned(),
        connection: Some((*peer.0).clone()),
        open_metrics: config.open_metrics,
        open_in_flight: config.open_in_flight,
    })
}

fn require_merge_patch(content_type: &str) -> Result<(), Refusal> {
    match body::essence(content_type) {
        "" => Err(Refusal::NoMediaType),
        essence if essence.eq_ignore_ascii_case(MERGE_PATCH) => Ok(()),
        essence => Err(Refusal::MediaType(essence.to_ascii_lowercase())),
    }
}
