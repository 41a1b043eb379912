//! The gateways of this process: one for each listener, because each listener has limits of its own.

use std::time::Duration;

use anyhow::Context;
use gateway::{Clients, Gateway, JsonLimits, Listener, Reload, Slots, TlsFiles, TlsVersion};
use kit::config;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use wire::router::v1::RouterSeam;

use crate::banner::VAULT_VERSION;

/// How long requests may take to end once the server is to end; containers are given ten seconds in all.
const DRAIN: Duration = Duration::from_secs(6);

/// Every address that answers HTTP, open already.
pub struct Edge(Vec<(config::Listener, Listener)>);

impl Edge {
    /// Listens at every address that is configured.
    pub async fn open(listeners: &[config::Listener]) -> anyhow::Result<Self> {
        let mut open = Vec::with_capacity(listeners.len());
        for configured in listeners {
            let address = configured.address.as_str();
            let socket =
                TcpListener::bind(address).await.with_context(|| format!("cannot listen at {address}"))?;
            open.push((configured.clone(), Listener::on(socket, configured.tls.as_ref().map(files))?));
        }
        Ok(Self(open))
    }

    /// What reads the certificates of all listeners again.
    pub fn reload(&self) -> Reload {
        Listener::reload(self.0.iter().map(|(_, listener)| listener))
    }

    /// The address that clients are told when none is configured: that of the first listener.
    pub fn api_addr(&self) -> String {
        let Some((configured, listener)) = self.0.first() else { return String::new() };
        let scheme = if configured.tls.is_some() { "https" } else { "http" };
        let address =
            listener.address().map_or_else(|| configured.address.to_string(), |address| address.to_string());
        format!("{scheme}://{}", crate::health::reachable(&address))
    }

    /// Serves until the token is cancelled and what was asked before is answered.
    pub async fn serve(self, router: RouterSeam, shutdown: CancellationToken) {
        // They share the limit of connections: what it protects is the process.
        let slots = Slots::default();
        let mut gateways = JoinSet::new();
        for (configured, listener) in self.0 {
            let gateway = Gateway::new(router.clone(), limits(&configured, slots.clone()));
            gateways.spawn(gateway.serve(vec![listener], shutdown.clone()));
        }
        gateways.join_all().await;
    }
}

fn files(tls: &config::Tls) -> TlsFiles {
    TlsFiles {
        certificate: tls.cert_file.clone(),
        key: tls.key_file.clone(),
        min_version: match tls.min_version {
            config::TlsVersion::Tls12 => TlsVersion::Tls12,
            config::TlsVersion::Tls13 => TlsVersion::Tls13,
        },
        clients: match &tls.clients {
            config::Clients::Unasked => Clients::Unasked,
            config::Clients::Asked => Clients::Asked,
            config::Clients::Required(authority) => Clients::Required(authority.clone()),
        },
    }
}

fn limits(listener: &config::Listener, slots: Slots) -> gateway::Config {
    gateway::Config {
        version: VAULT_VERSION.to_owned(),
        deadline: listener.max_request_duration,
        drain: DRAIN,
        slots,
        header_timeout: listener.header_timeout,
        read_timeout: listener.read_timeout,
        idle_timeout: listener.idle_timeout,
        max_body_bytes: size(listener.max_request_size),
        json: JsonLimits {
            depth: size(listener.max_json_depth),
            string: size(listener.max_json_string_value_length),
            entries: size(listener.max_json_object_entry_count),
            elements: size(listener.max_json_array_element_count),
            ..JsonLimits::default()
        },
        open_metrics: listener.open_metrics,
        open_in_flight: listener.open_in_flight,
        ..gateway::Config::default()
    }
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
