//! What lies under `sys/`, one file a family.

mod audit;
mod capabilities;
mod ceremony;
mod cloud_event;
mod cors;
mod counters;
mod help;
mod host;
mod in_flight;
mod init;
mod internal;
mod keys;
mod lease_quotas;
mod leases;
mod loggers;
mod metrics;
mod monitor;
mod mounts;
mod namespaces;
mod notices;
mod openapi;
mod passwords;
mod pins;
mod plugin_events;
mod plugin_logs;
mod plugins;
mod policies;
mod processes;
mod quotas;
mod raw;
mod reconnect;
mod register;
mod rekey;
mod reload;
mod remount;
mod root;
mod runtimes;
mod seal;
mod server;
mod settings;
mod sse;
mod tools;
mod tune;
mod ui_headers;
mod unfit;
mod uploads;
mod view;
mod watch;

use domain::Operation;

use crate::{
    asked::Asked,
    endpoint::{Access, Captures, Endpoint, find},
    lockout, wrapping,
};

pub(crate) use help::help;
pub use raw::RawRefusal;
pub use tools::ToolRefusal;
pub use unfit::Unfit;
pub(crate) use watch::watch;

/// All families; the first endpoint that has a path answers for it.
pub(crate) const ENDPOINTS: &[&[Endpoint]] = &[
    init::ENDPOINTS,
    seal::ENDPOINTS,
    keys::ENDPOINTS,
    tune::ENDPOINTS,
    mounts::ENDPOINTS,
    leases::ENDPOINTS,
    remount::ENDPOINTS,
    internal::ENDPOINTS,
    openapi::ENDPOINTS,
    server::ENDPOINTS,
    plugins::ENDPOINTS,
    pins::ENDPOINTS,
    runtimes::ENDPOINTS,
    uploads::ENDPOINTS,
    processes::ENDPOINTS,
    plugin_events::ENDPOINTS,
    plugin_logs::ENDPOINTS,
    notices::ENDPOINTS,
    reload::ENDPOINTS,
    policies::ENDPOINTS,
    passwords::ENDPOINTS,
    capabilities::ENDPOINTS,
    root::ENDPOINTS,
    rekey::ENDPOINTS,
    wrapping::ENDPOINTS,
    audit::ENDPOINTS,
    lockout::ENDPOINTS,
    cors::ENDPOINTS,
    ui_headers::ENDPOINTS,
    loggers::ENDPOINTS,
    quotas::ENDPOINTS,
    tools::ENDPOINTS,
    namespaces::ENDPOINTS,
    lease_quotas::ENDPOINTS,
    counters::ENDPOINTS,
    host::ENDPOINTS,
    in_flight::ENDPOINTS,
    metrics::ENDPOINTS,
    monitor::ENDPOINTS,
    raw::ENDPOINTS,
];

/// An endpoint that answers whether sealed or not.
pub(crate) fn direct(path: &str) -> Option<(&'static Endpoint, Captures)> {
    find(ENDPOINTS, path).filter(|(endpoint, _)| endpoint.access == Access::Direct)
}

/// Sealing what is sealed is no mistake.
pub(crate) fn is_done_while_sealed(asked: &Asked) -> bool {
    asked.path() == "sys/seal" && asked.operation == Operation::Update
}

/// What is of the whole server, and can be asked of the root namespace only: each with all that lies below it.
const OF_ROOT: [&str; 34] = [
    "audit",
    "audit-hash",
    "config",
    "decode-token",
    "generate-recovery-token",
    "generate-root",
    "health",
    "host-info",
    "in-flight-req",
    "init",
    "internal/counters/activity",
    "internal/counters/config",
    "internal/inspect",
    "key-status",
    "loggers",
    "metrics",
    "monitor",
    "plugins/catalog",
    "plugins/events",
    "plugins/logs",
    "plugins/pins",
    "plugins/processes",
    "plugins/runtimes",
    "plugins/upload",
    "pprof",
    "quotas",
    "raw",
    "rekey",
    "rekey-recovery-key",
    "replication",
    "rotate",
    "seal",
    "step-down",
    "unseal",
];

/// Whether a path below `sys/` is for the root namespace only.
pub(crate) fn is_of_root(path: &str) -> bool {
    let is_below = |rest: &str| rest.is_empty() || rest.starts_with('/');
    OF_ROOT.iter().any(|above| path.strip_prefix(above).is_some_and(is_below))
}

/// Who may ask what a listener can be told to open to everybody who comes by it; none: it was not.
pub(crate) fn opened(asked: &Asked) -> Option<Access> {
    let open = match asked.path() {
        "sys/metrics" => asked.request.open_metrics,
        "sys/in-flight-req" => asked.request.open_in_flight,
        _ => false,
    };
    (open && asked.operation == Operation::Read).then_some(Access::Open)
}

/// These tell everybody how the server stands, or open it; all others are recorded by audit devices.
const UNRECORDED: [&str; 5] = ["init", "leader", "seal-backend-status", "seal-status", "unseal"];

/// Whether audit devices record what is asked of an endpoint that answers everybody.
pub(crate) fn is_recorded(endpoint: &Endpoint) -> bool {
    !UNRECORDED.contains(&endpoint.pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g5_everybody_may_use_these_and_nothing_else() {
        let open: Vec<&str> = ENDPOINTS
            .iter()
            .flat_map(|family| family.iter())
            .filter(|endpoint| matches!(endpoint.access, Access::Direct | Access::Open | Access::Optional))
            .map(|endpoint| endpoint.pattern)
            .collect();
        assert_eq!(
            open,
            [
                "init",
                "seal-status",
                "unseal",
                "leader",
                "seal-backend-status",
                "internal/ui/mounts",
                "internal/ui/mounts/*path",
                "internal/ui/feature-flags",
                "internal/ui/unauthenticated-messages",
                "internal/ui/authenticated-messages",
                "internal/ui/namespaces",
                "internal/specs/openapi",
                "replication/status",
                "generate-root/attempt",
                "generate-root/update",
                "decode-token",
                "rekey/init",
                "rekey/update",
                "rekey/verify",
                "rekey-recovery-key/:step",
                "wrapping/lookup"
            ]
        );
    }

    #[test]
    fn these_need_sudo() {
        for path in [
            "auth/userpass",
            "auth/userpass/tune",
            "remount",
            "rotate",
            "rotate/keyring",
            "seal",
            "plugins/catalog/secret/",
            "plugins/catalog/secret/kv",
            "plugins/catalog/kv",
            "plugins/logs/secret/kv",
            "plugins/upload/abc",
            "audit",
            "audit/file",
            "config/auditing/request-headers",
            "config/auditing/request-headers/x-a",
            "config/cors",
            "config/ui/headers/",
            "config/ui/headers/x-a",
            "step-down",
            "internal/inspect/router/accessor",
            "leases",
            "leases/lookup/",
            "leases/lookup/pki/",
            "leases/revoke-prefix/pki",
            "leases/revoke-force/pki",
            "revoke-prefix/pki",
            "revoke-force/pki",
            "raw",
            "raw/",
            "raw/core/mounts",
        ] {
            let (endpoint, _) = find(ENDPOINTS, path).unwrap();
            assert_eq!(endpoint.access, Access::Sudo, "{path}");
        }
        for path in ["mounts", "mounts/kv", "mounts/kv/tune", "mounts/auth/userpass/tune", "plugins/catalog"]
        {
            let (endpoint, _) = find(ENDPOINTS, path).unwrap();
            assert_eq!(endpoint.access, Access::Token, "{path}");
        }
    }
}
