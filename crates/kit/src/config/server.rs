use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use domain::{LockoutConfig, Pauses};

use super::{
    internal::Internal,
    listener::Listener,
    lockout,
    plugins::{self, Plugins},
    problem::{Error, Place, Problems},
    restart,
    setting::Url,
    stanza::Stanza,
    storage::Storage,
    telemetry, top,
    tree::{Entry, Node, Value},
};
use crate::{logs, metrics::Telemetry, traces};

/// All that a server can be configured with.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where everything is stored.
    pub storage: Option<Storage>,
    /// The addresses that answer HTTP.
    pub listeners: Vec<Listener>,
    /// What clients are told to come back to.
    pub api_addr: Option<String>,
    /// What the cluster is called; given once, when it is initialised.
    pub cluster_name: Option<String>,
    /// Plugins are registered from here.
    pub plugin_directory: Option<PathBuf>,
    /// Plugins keep sockets and temporary files here.
    pub plugin_tmpdir: Option<PathBuf>,
    /// When and how plugins that ended are started again.
    pub plugin_restart: Pauses,
    /// Plugins may be uploaded into the plugin directory by whoever may do everything to the catalog.
    pub plugin_upload: bool,
    /// The largest that may be.
    pub plugin_upload_max_size: u64,
    /// A launcher keeps the programs of plugins here.
    pub plugin_cache_directory: Option<PathBuf>,
    /// It keeps as many bytes of them.
    pub plugin_cache_size: u64,
    /// The plugins that are declared here.
    pub plugins: Plugins,
    /// Audit records may begin with a text that whoever enables a device chooses.
    pub allow_audit_log_prefixing: bool,
    /// Memory may be swapped out.
    pub disable_mlock: bool,
    /// The least severe messages that are logged.
    pub log_level: logs::Level,
    /// How they look.
    pub log_format: logs::Format,
    /// How long a lease lasts by default.
    pub default_lease_ttl: Duration,
    /// How long a lease lasts at most.
    pub max_lease_ttl: Duration,
    /// Whoever may can read and change what is stored, past everything.
    pub raw_storage_endpoint: bool,
    /// How the server tells what it counts.
    pub telemetry: Telemetry,
    /// Where the spans of traces go.
    pub traces: traces::Settings,
    /// How those are locked out who guess, by the type of the auth method.
    pub user_lockout: BTreeMap<String, LockoutConfig>,
    /// The process writes its id here.
    pub pid_file: Option<PathBuf>,
    /// How services in processes of their own meet.
    pub internal: Option<Internal>,
}

/// A setting from outside of the files: a flag or a variable. It wins over them.
#[derive(Clone, Debug)]
pub struct Given {
    /// The key that it sets.
    pub key: &'static str,
    /// What it is called outside.
    pub name: &'static str,
    /// Its value.
    pub value: String,
}

impl From<Given> for Entry {
    fn from(given: Given) -> Self {
        let node = Node { place: Place::Given(given.name), value: Value::Text(given.value) };
        Self { key: given.key.to_owned(), node }
    }
}

impl Config {
    /// Reads everything that is configured, in order: what comes later wins, and listeners add up.
    pub(crate) fn read(entries: Vec<Entry>, problems: &mut Problems) -> Self {
        let mut top = Stanza::new(&top::TOP, entries, problems);
        let (telemetry, traces) = telemetry::read(&mut top);
        let config = Self {
            storage: storage(&mut top),
            listeners: listeners(&mut top),
            api_addr: top.last(&top::API_ADDR).map(|Url(text)| text),
            cluster_name: top.last(&top::CLUSTER_NAME).filter(|name: &String| !name.is_empty()),
            plugin_directory: top.last(&top::PLUGIN_DIRECTORY),
            plugin_tmpdir: top.last(&top::PLUGIN_TMPDIR),
            plugin_restart: restart::read(&mut top),
            plugin_upload: top.any(&top::PLUGIN_UPLOAD),
            plugin_upload_max_size: top.get(&top::PLUGIN_UPLOAD_MAX_SIZE).0,
            plugin_cache_directory: top.last(&top::PLUGIN_CACHE_DIRECTORY),
            plugin_cache_size: top.get(&top::PLUGIN_CACHE_SIZE).0,
            plugins: plugins::read(&mut top),
            allow_audit_log_prefixing: top.any(&top::ALLOW_AUDIT_LOG_PREFIXING),
            disable_mlock: top.any(&top::DISABLE_MLOCK),
            log_level: top.get(&top::LOG_LEVEL),
            log_format: top.get(&top::LOG_FORMAT),
            default_lease_ttl: top.greatest(&top::DEFAULT_LEASE_TTL),
            max_lease_ttl: top.greatest(&top::MAX_LEASE_TTL),
            raw_storage_endpoint: top.any(&top::RAW_STORAGE_ENDPOINT),
            telemetry,
            traces,
            user_lockout: lockout::read(&mut top),
            pid_file: top.last(&top::PID_FILE),
            internal: internal(&mut top),
        };
        top.finish();
        config
    }

    /// The storage, of a service that has to have one.
    ///
    /// # Errors
    /// There is none.
    pub fn needs_storage(&self) -> Result<&Storage, Error> {
        let example = "storage \"sqlite\" { path = \"mortise.db\" }";
        self.storage.as_ref().ok_or(Error::Missing { what: "storage", example })
    }

    /// The listeners, of a service that has to have one.
    ///
    /// # Errors
    /// There is none.
    pub fn needs_listeners(&self) -> Result<&[Listener], Error> {
        let example = "listener \"tcp\" { address = \"127.0.0.1:8200\" }";
        match self.listeners.as_slice() {
            [] => Err(Error::Missing { what: "listener", example }),
            listeners => Ok(listeners),
        }
    }

    /// How the neighbours are met, by a service in a process of its own.
    ///
    /// # Errors
    /// It is not configured.
    pub fn needs_internal(&self) -> Result<&Internal, Error> {
        let example = "internal { address = …, ca_file = …, cert_file = …, key_file = … }";
        self.internal.as_ref().ok_or(Error::Missing { what: "internal block", example })
    }
}

/// The last storage counts; the older spelling is `backend`.
fn storage(top: &mut Stanza<'_>) -> Option<Storage> {
    let url = top.given("connection_url");
    let mut all = top.labelled("backend");
    all.extend(top.labelled("storage"));
    for pair in all.windows(2) {
        if pair[0].node.place.beside(&pair[1].node.place) {
            top.problems.error(&pair[1].node.place, "there is a second storage; keep one of them");
        }
    }
    all.into_iter().filter_map(|entry| Storage::read(entry, url.as_ref(), top.problems)).next_back()
}

fn listeners(top: &mut Stanza<'_>) -> Vec<Listener> {
    let all = top.labelled("listener").into_iter().flat_map(spread);
    all.filter_map(|entry| Listener::read(entry, top.problems)).collect()
}

/// JSON writes several listeners of one type as a list below the type.
fn spread(entry: Entry) -> Vec<Entry> {
    match entry.node.value {
        Value::List(nodes) => nodes.into_iter().map(|node| Entry { key: entry.key.clone(), node }).collect(),
        _ => vec![entry],
    }
}

fn internal(top: &mut Stanza<'_>) -> Option<Internal> {
    let all = top.blocks("internal").into_iter();
    all.filter_map(|node| Internal::read(node, top.problems)).next_back()
}
