use std::{path::PathBuf, time::Duration};

use super::{
    key::{Block, Key, Usual},
    setting::{Bytes, Url},
};
use crate::{
    Service,
    Service::{Catalog, Launcher, Router},
    logs, variable,
};

/// Vault's default for both lease times: 32 days.
const LEASE_TTL: Duration = Duration::from_secs(768 * 3600);

pub(super) const TOP: Block = Block::new("top", "At the top", "Outside of any block.").without_effect(&[
    "administrative_namespace_path",
    "cache_size",
    "cluster_addr",
    "cluster_cipher_suites",
    "default_max_request_duration",
    "detect_deadlocks",
    "disable_cache",
    "disable_clustering",
    "disable_indexing",
    "disable_performance_standby",
    "disable_printable_check",
    "disable_sealwrap",
    "disable_sentinel_trace",
    "enable_post_unseal_trace",
    "enable_response_header_hostname",
    "enable_response_header_raft_node_id",
    "entropy",
    "experiments",
    "feature_flags",
    "ha_storage",
    "hsm_lib",
    "imprecise_lease_role_tracking",
    "introspection_endpoint",
    "kms_library",
    "license_path",
    "log_file",
    "log_requests_level",
    "log_rotate_bytes",
    "log_rotate_duration",
    "log_rotate_max_files",
    "observations",
    "plugin_file_permissions",
    "plugin_file_uid",
    "post_unseal_trace_directory",
    "remove_irrevocable_lease_after",
    "replication",
    "reporting",
    "seal",
    "sentinel",
    "service_registration",
    "ui",
    "unsafe_allow_api_audit_creation",
]);

pub(super) const API_ADDR: Key<Url> = Key::new("api_addr", "what clients are told to come back to")
    .otherwise("the first listener's address; needed by a router of its own")
    .variable(&variable::API_ADDR)
    .read_by(&[Router]);

pub(super) const CLUSTER_NAME: Key<String> =
    Key::new("cluster_name", "what the cluster is called, from its initialisation on")
        .otherwise("`vault-cluster-` and eight digits")
        .read_by(&[Catalog]);

pub(super) const PLUGIN_DIRECTORY: Key<PathBuf> =
    Key::new("plugin_directory", "plugins are registered from here; no audit device writes here")
        .otherwise("none can be registered")
        .read_by(&[Catalog, Router]);

pub(super) const PLUGIN_TMPDIR: Key<PathBuf> = Key::new("plugin_tmpdir", "plugins' sockets are made here")
    .otherwise("`$XDG_RUNTIME_DIR`, or `/tmp`")
    .read_by(&[Launcher]);

pub(super) const PLUGIN_UPLOAD: Key<bool> = Key::new(
    "plugin_upload",
    "operators with sudo may bring programs along (`plugin register -upload`, `plugin apply`)",
)
.read_by(&[Catalog]);

pub(super) const PLUGIN_UPLOAD_MAX_SIZE: Usual<Bytes> =
    Key::new("plugin_upload_max_size", "the largest program that may be brought along")
        .read_by(&[Catalog])
        .usually(|| Bytes(512 << 20));

pub(super) const PLUGIN_CACHE_DIRECTORY: Key<PathBuf> =
    Key::new("plugin_cache_directory", "programs are kept here, by checksum")
        .otherwise("each start fetches its own")
        .read_by(&[Launcher]);

pub(super) const PLUGIN_CACHE_SIZE: Usual<Bytes> =
    Key::new("plugin_cache_size", "how much of them is kept").read_by(&[Launcher]).usually(|| Bytes(2 << 30));

pub(super) const ALLOW_AUDIT_LOG_PREFIXING: Key<bool> = Key::new(
    "allow_audit_log_prefixing",
    "audit devices may be enabled with a `prefix`, which is put before each record",
)
.read_by(&[Router]);

pub(super) const DISABLE_MLOCK: Key<bool> =
    Key::new("disable_mlock", "memory may be swapped out").read_by(&Service::ALL);

pub(super) const LOG_LEVEL: Usual<logs::Level> =
    Key::new("log_level", "the least severe messages that are logged; `-log-level` wins over all")
        .variable(&variable::LOG_LEVEL)
        .read_by(&Service::ALL)
        .usually(logs::Level::default);

pub(super) const LOG_FORMAT: Usual<logs::Format> =
    Key::new("log_format", "how messages look; `-log-format` wins over all")
        .variable(&variable::LOG_FORMAT)
        .read_by(&Service::ALL)
        .usually(logs::Format::default);

pub(super) const DEFAULT_LEASE_TTL: Usual<Duration> =
    Key::new("default_lease_ttl", "how long a lease lasts by default")
        .read_by(&[Router])
        .usually(|| LEASE_TTL);

pub(super) const MAX_LEASE_TTL: Usual<Duration> =
    Key::new("max_lease_ttl", "how long a lease lasts at most").read_by(&[Router]).usually(|| LEASE_TTL);

pub(super) const RAW_STORAGE_ENDPOINT: Key<bool> = Key::new(
    "raw_storage_endpoint",
    "`sys/raw` reads and changes what is stored, past everything, for those who may",
)
.read_by(&[Router]);

pub(super) const PID_FILE: Key<PathBuf> =
    Key::new("pid_file", "the process writes its id here").read_by(&Service::ALL);
