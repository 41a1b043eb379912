use std::{path::PathBuf, time::Duration};

use super::{
    address::Address,
    problem::{Place, Problems},
    stanza::Stanza,
    tree::Entry,
};

/// Settings of Vault's listener that change nothing here.
const WITHOUT_EFFECT: &[&str] = &[
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
];

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
            read_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(300),
            header_timeout: Duration::from_secs(10),
            max_request_size: 32 << 20,
            max_request_duration: Duration::from_secs(90),
            max_json_depth: 300,
            max_json_string_value_length: 1 << 20,
            max_json_object_entry_count: 10_000,
            max_json_array_element_count: 10_000,
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
        let mut stanza = Stanza::of("listener", entry.node, problems)?;
        let address = stanza.last("address").or_else(|| "127.0.0.1:8200".parse().ok())?;
        let mut listener = Self::plain(address);
        listener.limits(&mut stanza);
        listener.open_metrics = opens(&mut stanza, "telemetry", "unauthenticated_metrics_access");
        listener.open_in_flight =
            opens(&mut stanza, "inflight_requests_logging", "unauthenticated_in_flight_requests_access");
        let tls = Tls::read(&mut stanza, &place);
        stanza.finish(WITHOUT_EFFECT);
        Some(Self { tls: tls?, ..listener })
    }

    fn limits(&mut self, stanza: &mut Stanza<'_>) {
        set(&mut self.read_timeout, stanza.last("http_read_timeout"));
        set(&mut self.idle_timeout, stanza.last("http_idle_timeout"));
        set(&mut self.header_timeout, stanza.last("http_read_header_timeout"));
        set(&mut self.max_request_size, stanza.last("max_request_size"));
        set(&mut self.max_request_duration, stanza.last("max_request_duration"));
        set(&mut self.max_json_depth, stanza.last("max_json_depth"));
        set(&mut self.max_json_string_value_length, stanza.last("max_json_string_value_length"));
        set(&mut self.max_json_object_entry_count, stanza.last("max_json_object_entry_count"));
        set(&mut self.max_json_array_element_count, stanza.last("max_json_array_element_count"));
    }
}

/// Whether a block of a listener opens something to everybody.
fn opens(stanza: &mut Stanza<'_>, block: &str, key: &str) -> bool {
    let nodes = stanza.all(block).into_iter();
    nodes.fold(false, |open, node| {
        let Some(mut block) = Stanza::of(block, node, stanza.problems) else { return open };
        let opens = block.any(key);
        block.finish(&[]);
        open || opens
    })
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

impl Tls {
    /// Outer `None`: there is an error; inner: TLS is switched off.
    fn read(stanza: &mut Stanza<'_>, place: &Place) -> Option<Option<Self>> {
        let disabled = stanza.any("tls_disable");
        let cert_file = stanza.last("tls_cert_file");
        let key_file = stanza.last("tls_key_file");
        let min_version = stanza.last("tls_min_version").unwrap_or_default();
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
        let authority = stanza.last("tls_client_ca_file");
        let required = stanza.any("tls_require_and_verify_client_cert");
        let wrong = match (required, stanza.any("tls_disable_client_certs"), authority) {
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
