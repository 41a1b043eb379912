use std::collections::HashMap;

use domain::SpecialPaths;
use wire::pb;

use super::{
    incoming, outgoing,
    time::{from_nanos, to_nanos},
};
use crate::{BackendKind, Connection, Error, Request, WrapRequest};

/// TLS 1.3 as TLS itself numbers it.
const TLS_1_3: u32 = 772;

impl From<Request> for pb::Request {
    fn from(request: Request) -> Self {
        Self {
            id: request.id,
            operation: request.operation.word().to_owned(),
            path: request.path,
            data: outgoing(request.data, b"{}"),
            secret: request.secret.map(Into::into),
            auth: request.auth.map(Into::into),
            headers: to_headers(request.headers),
            client_token: request.client_token,
            client_token_accessor: request.client_token_accessor,
            display_name: request.display_name,
            mount_point: request.mount_point,
            mount_type: request.mount_type,
            mount_accessor: request.mount_accessor,
            wrap_info: request.wrap.map(Into::into),
            entity_id: request.entity_id,
            unauthenticated: request.unauthenticated,
            connection: request.connection.map(Into::into),
            ..Self::default()
        }
    }
}

impl TryFrom<pb::Request> for Request {
    type Error = Error;

    /// # Errors
    /// [`Error::UnsupportedOperation`] for an operation that we have no word for: hosts rely on that answer.
    fn try_from(request: pb::Request) -> Result<Self, Error> {
        Ok(Self {
            id: request.id,
            operation: request.operation.parse().map_err(|_| Error::UnsupportedOperation)?,
            path: request.path,
            data: incoming(request.data),
            secret: request.secret.map(Into::into),
            auth: request.auth.map(Into::into),
            headers: from_headers(request.headers),
            client_token: request.client_token,
            client_token_accessor: request.client_token_accessor,
            display_name: request.display_name,
            mount_point: request.mount_point,
            mount_type: request.mount_type,
            mount_accessor: request.mount_accessor,
            wrap: request.wrap_info.map(Into::into),
            entity_id: request.entity_id,
            unauthenticated: request.unauthenticated,
            connection: request.connection.map(Into::into),
        })
    }
}

impl From<WrapRequest> for pb::RequestWrapInfo {
    fn from(wrap: WrapRequest) -> Self {
        Self { ttl: to_nanos(wrap.ttl), format: wrap.format, seal_wrap: wrap.seal_wrap }
    }
}

impl From<pb::RequestWrapInfo> for WrapRequest {
    fn from(wrap: pb::RequestWrapInfo) -> Self {
        Self { ttl: from_nanos(wrap.ttl), format: wrap.format, seal_wrap: wrap.seal_wrap }
    }
}

impl From<Connection> for pb::Connection {
    fn from(connection: Connection) -> Self {
        let certificates = connection.peer_certificates.into_iter();
        let certificates: Vec<_> = certificates.map(|asn1_data| pb::Certificate { asn1_data }).collect();
        // Without a certificate the chain has to be absent: Go fails on an empty one.
        let connection_state = (!certificates.is_empty()).then(|| pb::ConnectionState {
            version: TLS_1_3,
            handshake_complete: true,
            peer_certificates: Some(pb::CertificateChain { certificates }),
            ..pb::ConnectionState::default()
        });
        Self {
            remote_addr: connection.remote_addr,
            remote_port: connection.remote_port.into(),
            connection_state,
        }
    }
}

impl From<pb::Connection> for Connection {
    fn from(connection: pb::Connection) -> Self {
        let chain = connection.connection_state.and_then(|state| state.peer_certificates).unwrap_or_default();
        Self {
            remote_addr: connection.remote_addr,
            remote_port: connection.remote_port.try_into().unwrap_or_default(),
            peer_certificates: chain.certificates.into_iter().map(|it| it.asn1_data).collect(),
        }
    }
}

pub(super) fn to_headers(headers: HashMap<String, Vec<String>>) -> HashMap<String, pb::Header> {
    headers.into_iter().map(|(name, header)| (name, pb::Header { header })).collect()
}

pub(super) fn from_headers(headers: HashMap<String, pb::Header>) -> HashMap<String, Vec<String>> {
    headers.into_iter().map(|(name, values)| (name, values.header)).collect()
}

impl From<BackendKind> for pb::TypeReply {
    fn from(kind: BackendKind) -> Self {
        Self {
            r#type: match kind {
                BackendKind::Secret => 1,
                BackendKind::Auth => 2,
            },
        }
    }
}

impl TryFrom<pb::TypeReply> for BackendKind {
    type Error = Error;

    fn try_from(reply: pb::TypeReply) -> Result<Self, Error> {
        match reply.r#type {
            1 => Ok(Self::Secret),
            2 => Ok(Self::Auth),
            other => Err(Error::Other(format!("the plugin says that it is of the unknown type {other}"))),
        }
    }
}

/// Special paths as a plugin tells them.
pub fn paths_message(paths: SpecialPaths) -> pb::Paths {
    pb::Paths { root: paths.root, unauthenticated: paths.unauthenticated, ..pb::Paths::default() }
}

/// Special paths as a host understands them.
pub fn special_paths_of(paths: pb::Paths) -> SpecialPaths {
    SpecialPaths { root: paths.root, unauthenticated: paths.unauthenticated }
}
