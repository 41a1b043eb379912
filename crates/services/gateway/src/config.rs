use std::time::Duration;

use crate::{Slots, json};

/// What a gateway allows its clients.
#[derive(Clone, Debug)]
pub struct Config {
    /// What health checks say that they talk to: a semantic version, because clients compare it.
    pub version: String,
    /// How long a request may take, from its last header line to its answer.
    pub deadline: Duration,
    /// How long requests in flight may take to end once the gateway is told to stop.
    pub drain: Duration,
    /// Connections at a time; more wait to be accepted.
    pub slots: Slots,
    /// How long the head of a request may take, and a TLS handshake.
    pub header_timeout: Duration,
    /// How long a request may take to arrive, its body included.
    pub read_timeout: Duration,
    /// How long a connection may stay open with no request on it.
    pub idle_timeout: Duration,
    /// Header lines of a request.
    pub max_headers: usize,
    /// Bytes of a request's head.
    pub max_header_bytes: usize,
    /// Bytes of a request's body.
    pub max_body_bytes: usize,
    /// Everybody may read `sys/metrics`.
    pub open_metrics: bool,
    /// Everybody may read `sys/in-flight-req`.
    pub open_in_flight: bool,
    /// What a JSON body may hold.
    pub json: json::Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: "1.21.4".to_owned(),
            deadline: Duration::from_secs(90),
            drain: Duration::from_secs(30),
            slots: Slots::default(),
            header_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(300),
            max_headers: 100,
            max_header_bytes: 64 << 10,
            max_body_bytes: 32 << 20,
            open_metrics: false,
            open_in_flight: false,
            json: json::Limits::default(),
        }
    }
}
