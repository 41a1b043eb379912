use std::{collections::HashMap, fmt, time::Duration};

use bytes::Bytes;
use domain::Operation;

use crate::{Auth, Secret};

/// What a backend is asked.
#[derive(Clone, PartialEq)]
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

impl Request {
    /// A request for one path, with nothing else said.
    pub fn new(operation: Operation, path: impl Into<String>) -> Self {
        Self {
            id: String::new(),
            operation,
            path: path.into(),
            data: Bytes::new(),
            secret: None,
            auth: None,
            headers: HashMap::new(),
            client_token: String::new(),
            client_token_accessor: String::new(),
            display_name: String::new(),
            mount_point: String::new(),
            mount_type: String::new(),
            mount_accessor: String::new(),
            wrap: None,
            entity_id: String::new(),
            unauthenticated: false,
            connection: None,
        }
    }
}

/// Bodies and tokens stay out of logs.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("id", &self.id)
            .field("operation", &self.operation)
            .field("mount_point", &self.mount_point)
            .field("path", &self.path)
            .field("data_bytes", &self.data.len())
            .finish_non_exhaustive()
    }
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
