use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use domain::Operation;

use crate::{Auth, Secret};

/// What a backend is asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// Unique; empty when the host itself asks.
    pub id: String,
    /// What is wanted.
    pub operation: Operation,
    /// Inside the mount; lists end in `/`.
    pub path: String,
    /// A JSON object as text; empty: none.
    pub data: Bytes,
    /// The lease to renew or revoke.
    pub secret: Option<Secret>,
    /// The login to renew.
    pub auth: Option<Auth>,
    /// Only those that the mount lets through.
    pub headers: HashMap<String, Vec<String>>,
    /// Salted, so that it cannot be used, but is the same for the same token.
    pub client_token: String,
    /// The token's accessor.
    pub client_token_accessor: String,
    /// The token's display name.
    pub display_name: String,
    /// With namespace and trailing slash.
    pub mount_point: String,
    /// The type of the mount.
    pub mount_type: String,
    /// The accessor of the mount.
    pub mount_accessor: String,
    /// The caller wants the answer wrapped.
    pub wrap: Option<WrapRequest>,
    /// The identity behind the token.
    pub entity_id: String,
    /// No token was asked for.
    pub unauthenticated: bool,
    /// Where the request came from.
    pub connection: Option<Connection>,
}

/// How the caller wants the answer wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrapRequest {
    /// How long the wrapped answer is kept.
    pub ttl: Duration,
    /// Empty, or `jwt`.
    pub format: String,
    /// Wrapped for storage too.
    pub seal_wrap: bool,
}

/// Where a request came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// The caller's address, without port.
    pub remote_addr: String,
    /// The caller's port.
    pub remote_port: u16,
    /// The caller's TLS certificates in DER, the leaf first.
    pub peer_certificates: Vec<Bytes>,
}
