use std::{net::SocketAddr, sync::Arc};

use axum::body::Body;
use bytes::Bytes;
use domain::{Operation, RequestPath};
use http::request::Parts;
use tokio::time::{Instant, timeout_at};
use wire::{pb, router::v1};

use crate::{
    Config, body, headers,
    parameters::Parameters,
    refusal::Refusal,
    verb::{self, Source},
};

/// Who is at the other end of the connection.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Where.
    pub address: SocketAddr,
    /// What TLS knows of it, as plugins are told.
    pub tls: Option<Arc<pb::ConnectionState>>,
}

const MERGE_PATCH: &str = "application/merge-patch+json";

/// Makes of an HTTP request what the router understands.
pub async fn read(
    id: String,
    path: RequestPath,
    parts: &Parts,
    content: Body,
    config: &Config,
    until: Instant,
) -> Result<v1::Request, Refusal> {
    let mut query = Parameters::read(parts.uri.query().unwrap_or_default().as_bytes());
    let (operation, source) = verb::operation(&parts.method, &mut query)?;
    headers::check(&parts.headers)?;
    let wrap_ttl = headers::wrap_ttl(&parts.headers)?;
    let content_type = headers::text(&parts.headers, "content-type");
    if operation == Operation::Patch {
        require_merge_patch(content_type)?;
    }
    let reading = body::read(content, config.max_body_bytes);
    let content = timeout_at(until, reading).await.map_err(|_| Refusal::BodySlow)??;
    // Checked even where it is not used, as Vault does: a broken body means a confused client.
    let content = body::data(content, content_type, &config.json)?;
    let data = match source {
        Source::Query => query.into_query_data(),
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
        token: headers::token(&parts.headers).to_owned(),
        namespace: headers::text(&parts.headers, "x-vault-namespace").to_owned(),
        wrap_ttl,
        wrap_format: headers::text(&parts.headers, "x-vault-wrap-format").to_owned(),
        connection: parts.extensions.get().map(connection),
    })
}

fn require_merge_patch(content_type: &str) -> Result<(), Refusal> {
    match body::essence(content_type) {
        "" => Err(Refusal::NoMediaType),
        essence if essence.eq_ignore_ascii_case(MERGE_PATCH) => Ok(()),
        essence => Err(Refusal::MediaType(essence.to_ascii_lowercase())),
    }
}

fn connection(peer: &Peer) -> pb::Connection {
    pb::Connection {
        remote_addr: peer.address.ip().to_string(),
        remote_port: peer.address.port().into(),
        connection_state: peer.tls.as_deref().cloned(),
    }
}
