use std::{path::PathBuf, time::Duration};

use super::{
    address::Address,
    key::{Block, Key, Usual},
    problem::{Place, Problems},
    setting::Bytes,
    stanza::Stanza,
    tree::Entry,
};
use crate::Service;

const BLOCK: Block =
    Block::new("listener", "`listener \"tcp\"`", "An address that answers HTTP; several are allowed.")
        .read_by(&[Service::Gateway])
        .without_effect(&[
            "cluster_address",
            "http_write_timeout",
            "tls_cipher_suites",
            "tls_prefer_server_cipher_suites",
            "tls_max_version",
            "proxy_protocol_behavior",
            "proxy_protocol_authorized_addrs",
            "x_forwarded_for_authorized_addrs",
            "x_forwarded_for_hop_skips",
            "x_forwarded_for_reject_not_authorized",
            "x_forwarded_for_reject_not_present",
            "x_forwarded_for_client_cert_header",
            "x_forwarded_for_client_cert_header_decoders",
            "profiling",
            "custom_response_headers",
            "chroot_namespace",
            "redact_addresses",
            "redact_cluster_name",
            "redact_version",
            "disable_replication_status_endpoints",
            "disable_request_limiter",
            "enable_raft_join",
        ]);

const TELEMETRY: Block =
    Block::new("telemetry", "`listener \"tcp\": telemetry`", "What this listener tells to everybody.")
        .read_by(&[Service::Gateway]);

const IN_FLIGHT: Block = Block::new(
    "inflight_requests_logging",
    "`listener \"tcp\": inflight_requests_logging`",
    "What this listener tells to everybody.",
)
.read_by(&[Service::Gateway]);

const ADDRESS: Usual<Address> =
    Key::new("address", "`HOST:PORT`; `:8200` is every address").usually(Address::default);

const READ_TIMEOUT: Usual<Duration> =
    Key::new("http_read_timeout", "how long a request may take to arrive, its body included")
        .usually(|| Duration::from_secs(30));

const IDLE_TIMEOUT: Usual<Duration> =
    Key::new("http_idle_timeout", "how long a connection may wait for its next request")
        .usually(|| Duration::from_secs(300));

const HEADER_TIMEOUT: Usual<Duration> =
    Key::new("http_read_header_timeout", "how long a request's head may take to arrive")
        .usually(|| Duration::from_secs(10));

const MAX_REQUEST_SIZE: Usual<Bytes> =
    Key::new("max_request_size", "the largest body").usually(|| Bytes(32 << 20));

const MAX_REQUEST_DURATION: Usual<Duration> =
    Key::new("max_request_duration", "how long a request may take, from its first line to its answer")
        .usually(|| Duration::from_secs(90));

const MAX_JSON_DEPTH: Usual<u64> =
    Key::new("max_json_depth", "objects and lists inside each other in a body").usually(|| 300);

const MAX_JSON_STRING: Usual<Bytes> =
    Key::new("max_json_string_value_length", "the longest text in a body").usually(|| Bytes(1 << 20));

const MAX_JSON_OBJECT: Usual<u64> =
    Key::new("max_json_object_entry_count", "members of one object in a body").usually(|| 10_000);

const MAX_JSON_ARRAY: Usual<u64> =
    Key::new("max_json_array_element_count", "elements of one list in a body").usually(|| 10_000);

const OPEN_METRICS: Key<bool> =
    Key::new("unauthenticated_metrics_access", "everybody may read `sys/metrics` here");

const OPEN_IN_FLIGHT: Key<bool> =
    Key::new("unauthenticated_in_flight_requests_access", "everybody may read `sys/in-flight-req` here");

const TLS_DISABLE: Key<bool> = Key::new("tls_disable", "HTTP without TLS");

const TLS_CERT_FILE: Key<PathBuf> =
    Key::new("tls_cert_file", "the certificate with its chain, in PEM").otherwise("needed with TLS");

const TLS_KEY_FILE: Key<PathBuf> = Key::new("tls_key_file", "its key, in PEM").otherwise("needed with TLS");

const TLS_MIN_VERSION: Usual<TlsVersion> =
    Key::new("tls_min_version", "the oldest version of TLS that is spoken").usually(TlsVersion::default);

const TLS_CLIENT_CA_FILE: Key<PathBuf> =
    Key::new("tls_client_ca_file", "who signs the certificates of clients, in PEM");

const TLS_REQUIRE_CLIENT_CERT: Key<bool> = Key::new(
    "tls_require_and_verify_client_cert",
    "clients have to show a certificate that was signed with one of those in `tls_client_ca_file`",
);

const TLS_DISABLE_CLIENT_CERTS: Key<bool> = Key::new(
    "tls_disable_client_certs",
    "clients are not asked for a certificate; else they may show any, for the auth method that logs in with it",
);

/// One address that answers HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Where.
    pub address: Address,
    /// Nothing: `tls_disable`.
    pub tls: Option<Tls>,
    /// How long a request may take to arrive, its body included.
    pub read_timeout: Duration,
    /// How long a connection may wait for its next request.
    pub idle_timeout: Duration,
    /// How long the headers of a request may take to arrive.
    pub header_timeout: Duration,
    /// The largest body, in bytes.
    pub max_request_size: u64,
    /// How long a request may take, from its first line to its answer.
    pub max_request_duration: Duration,
    /// How deeply a JSON body may nest.
    pub max_json_depth: u64,
    /// The longest text in a JSON body, in bytes.
    pub max_json_string_value_length: u64,
    /// The most members of one object in a JSON body.
    pub max_json_object_entry_count: u64,
    /// The most elements of one array in a JSON body.
    pub max_json_array_element_count: u64,
    /// Everybody may read `sys/metrics` here.
    pub open_metrics: bool,
    /// Everybody may read `sys/in-flight-req` here.
    pub open_in_flight: bool,
}

/// How a listener speaks TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate and those that it was signed with, in PEM.
    pub cert_file: PathBuf,
    /// Its key, in PEM.
    pub key_file: PathBuf,
    /// The oldest version that is spoken.
    pub min_version: TlsVersion,
    /// Whether clients are asked for a certificate.
    pub clients: Clients,
}

/// Whether clients are asked for a certificate, and which one will do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Clients {
    /// They are not asked.
    Unasked,
    /// They may show any.
    #[default]
    Asked,
    /// They have to show one that was signed with one of these, in PEM.
    Required(PathBuf),
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsVersion {
    /// 1.2
    #[default]
    Tls12,
    /// 1.3
    Tls13,
}

impl Listener {
    /// A listener without TLS and with default limits.
    pub fn plain(address: Address) -> Self {
        Self {
            address,
            tls: None,
            read_timeout: READ_TIMEOUT.usual(),
            idle_timeout: IDLE_TIMEOUT.usual(),
            header_timeout: HEADER_TIMEOUT.usual(),
            max_request_size: MAX_REQUEST_SIZE.usual().0,
            max_request_duration: MAX_REQUEST_DURATION.usual(),
            max_json_depth: MAX_JSON_DEPTH.usual(),
            max_json_string_value_length: MAX_JSON_STRING.usual().0,
            max_json_object_entry_count: MAX_JSON_OBJECT.usual(),
            max_json_array_element_count: MAX_JSON_ARRAY.usual(),
            open_metrics: false,
            open_in_flight: false,
        }
    }

    pub(crate) fn read(entry: Entry, problems: &mut Problems) -> Option<Self> {
        let place = entry.node.place.clone();
        if entry.key != "tcp" {
            problems.error(&place, format!("there is no listener {:?}; allowed: \"tcp\"", entry.key));
            return None;
        }
        let mut stanza = Stanza::of(&BLOCK, entry.node, problems)?;
        let mut listener = Self::plain(stanza.get(&ADDRESS));
        let tls = Tls::read(&mut stanza, &place);
        listener.limits(&mut stanza);
        listener.open_metrics = opens(&mut stanza, &TELEMETRY, &OPEN_METRICS);
        listener.open_in_flight = opens(&mut stanza, &IN_FLIGHT, &OPEN_IN_FLIGHT);
        stanza.finish();
        Some(Self { tls: tls?, ..listener })
    }

    fn limits(&mut self, stanza: &mut Stanza<'_>) {
        self.read_timeout = stanza.get(&READ_TIMEOUT);
        self.idle_timeout = stanza.get(&IDLE_TIMEOUT);
        self.header_timeout = stanza.get(&HEADER_TIMEOUT);
        self.max_request_size = stanza.get(&MAX_REQUEST_SIZE).0;
        self.max_request_duration = stanza.get(&MAX_REQUEST_DURATION);
        self.max_json_depth = stanza.get(&MAX_JSON_DEPTH);
        self.max_json_string_value_length = stanza.get(&MAX_JSON_STRING).0;
        self.max_json_object_entry_count = stanza.get(&MAX_JSON_OBJECT);
        self.max_json_array_element_count = stanza.get(&MAX_JSON_ARRAY);
    }
}

/// Whether a block of a listener opens something to everybody.
fn opens(stanza: &mut Stanza<'_>, block: &'static Block, key: &Key<bool>) -> bool {
    let nodes = stanza.blocks(block.name).into_iter();
    nodes.fold(false, |open, node| {
        let Some(mut block) = Stanza::of(block, node, stanza.problems) else { return open };
        let opens = block.any(key);
        block.finish();
        open || opens
    })
}

impl Tls {
    /// Outer `None`: there is an error; inner: TLS is switched off.
    fn read(stanza: &mut Stanza<'_>, place: &Place) -> Option<Option<Self>> {
        let disabled = stanza.any(&TLS_DISABLE);
        let cert_file = stanza.last(&TLS_CERT_FILE);
        let key_file = stanza.last(&TLS_KEY_FILE);
        let min_version = stanza.get(&TLS_MIN_VERSION);
        let clients = Clients::read(stanza, place);
        if disabled {
            return Some(None);
        }
        let (Some(cert_file), Some(key_file)) = (cert_file, key_file) else {
            let text = "`listener` needs `tls_cert_file` and `tls_key_file`, or `tls_disable = true`";
            stanza.problems.error(place, text);
            return None;
        };
        Some(Some(Self { cert_file, key_file, min_version, clients: clients? }))
    }
}

impl Clients {
    fn read(stanza: &mut Stanza<'_>, place: &Place) -> Option<Self> {
        let authority = stanza.last(&TLS_CLIENT_CA_FILE);
        let required = stanza.any(&TLS_REQUIRE_CLIENT_CERT);
        let wrong = match (required, stanza.any(&TLS_DISABLE_CLIENT_CERTS), authority) {
            (false, true, _) => return Some(Self::Unasked),
            (false, false, _) => return Some(Self::Asked),
            (true, false, Some(authority)) => return Some(Self::Required(authority)),
            (true, false, None) => {
                "`tls_require_and_verify_client_cert` needs `tls_client_ca_file`: who signs them"
            }
            (true, true, _) => {
                "`tls_disable_client_certs` and `tls_require_and_verify_client_cert` exclude each other"
            }
        };
        stanza.problems.error(place, wrong);
        None
    }
}
