//! The variables of the environment that services look at.

use std::{env, ffi::OsString};

/// A variable, under one name or two.
#[derive(Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its names; the first that is set wins.
    pub names: &'static [&'static str],
    /// What it says.
    pub says: &'static str,
}

/// What clients are told to come back to.
pub const API_ADDR: Variable =
    Variable::new(&["MORTISE_API_ADDR", "VAULT_API_ADDR"], "what clients are told to come back to");

/// Which messages are logged.
pub const LOG_LEVEL: Variable =
    Variable::new(&["MORTISE_LOG_LEVEL", "VAULT_LOG_LEVEL"], "the least severe messages that are logged");

/// How they look.
pub const LOG_FORMAT: Variable =
    Variable::new(&["MORTISE_LOG_FORMAT", "VAULT_LOG_FORMAT"], "how messages look");

/// Where a database is, which keeps everything: it holds a password, so it need not stand in a file.
pub const PG_CONNECTION_URL: Variable = Variable::new(
    &["MORTISE_PG_CONNECTION_URL", "VAULT_PG_CONNECTION_URL"],
    "where the database is, with a password that then is in no file",
);

/// Which plugins never share a process.
pub const PLUGIN_MULTIPLEXING_OPT_OUT: Variable = Variable::new(
    &["MORTISE_PLUGIN_MULTIPLEXING_OPT_OUT", "VAULT_PLUGIN_MULTIPLEXING_OPT_OUT"],
    "plugins, with commas between them, that get a process for each mount (launcher)",
);

/// Whether those who guess are locked out.
pub const DISABLE_USER_LOCKOUT: Variable = Variable::new(
    &["MORTISE_DISABLE_USER_LOCKOUT", "VAULT_DISABLE_USER_LOCKOUT"],
    "`true`: nobody is locked out, whatever `user_lockout` says (router)",
);

/// The root token of a development server.
pub const DEV_ROOT_TOKEN_ID: Variable = Variable::new(
    &["MORTISE_DEV_ROOT_TOKEN_ID", "VAULT_DEV_ROOT_TOKEN_ID"],
    "the first token of `server -dev`, unless the flag says it",
);

/// Where a development server listens.
pub const DEV_LISTEN_ADDRESS: Variable = Variable::new(
    &["MORTISE_DEV_LISTEN_ADDRESS", "VAULT_DEV_LISTEN_ADDRESS"],
    "where `server -dev` listens, unless the flag says it",
);

/// Where the user's sockets are, and how the user logs in to registries.
pub const XDG_RUNTIME_DIR: Variable = Variable::new(
    &["XDG_RUNTIME_DIR"],
    "plugins' sockets are made here without `plugin_tmpdir` (launcher); `containers/auth.json` in it says how to log \
     in to registries (catalog)",
);

/// How Docker logs in to registries.
pub const DOCKER_CONFIG: Variable = Variable::new(
    &["DOCKER_CONFIG"],
    "`config.json` in this folder says how to log in to registries (catalog)",
);

/// How Podman logs in to registries.
pub const REGISTRY_AUTH_FILE: Variable =
    Variable::new(&["REGISTRY_AUTH_FILE"], "this file says how to log in to registries (catalog)");

/// Where spans go.
pub const OTLP_ENDPOINT: Variable = Variable::new(
    &["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"],
    "the collector that spans of traces are sent to; it wins over `otlp_endpoint`",
);

/// What its certificate is checked with.
pub const OTLP_CERTIFICATE: Variable = Variable::new(
    &["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"],
    "who signed the collector's certificate, a file in PEM; it wins over `otlp_ca_file`",
);

/// What it wants to see.
pub const OTLP_HEADERS: Variable = Variable::new(
    &["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"],
    "headers for the collector, as `name=value,name=value`, beside those in `otlp_headers_file`",
);

/// How it is spoken to.
pub const OTLP_PROTOCOL: Variable = Variable::new(
    &["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"],
    "how the collector is spoken to; only `grpc` is allowed",
);

/// Which traces are recorded.
pub const TRACES_SAMPLER: Variable = Variable::new(
    &["OTEL_TRACES_SAMPLER"],
    "which traces are recorded, such as `parentbased_traceidratio`; it wins over `trace_sample_ratio`",
);

/// How many of them.
pub const TRACES_SAMPLER_ARG: Variable =
    Variable::new(&["OTEL_TRACES_SAMPLER_ARG"], "the share of traces that such a sampler records");

/// Whether there are any.
pub const TRACES_EXPORTER: Variable =
    Variable::new(&["OTEL_TRACES_EXPORTER"], "`none`: nothing is traced, whatever else says so");

/// The same.
pub const OTEL_SDK_DISABLED: Variable =
    Variable::new(&["OTEL_SDK_DISABLED"], "`true`: nothing is traced, whatever else says so");

/// What the process is called in traces.
pub const OTEL_SERVICE_NAME: Variable = Variable::new(
    &["OTEL_SERVICE_NAME"],
    "what the process is called in traces, instead of `mortise` or `mortise-SERVICE`",
);

/// What else is said of it there.
pub const OTEL_RESOURCE_ATTRIBUTES: Variable = Variable::new(
    &["OTEL_RESOURCE_ATTRIBUTES"],
    "what else is said of the process in traces, as `key=value,key=value`",
);

/// All of them, for the reference.
pub const ALL: &[&Variable] = &[
    &API_ADDR,
    &LOG_LEVEL,
    &LOG_FORMAT,
    &PG_CONNECTION_URL,
    &PLUGIN_MULTIPLEXING_OPT_OUT,
    &DISABLE_USER_LOCKOUT,
    &DEV_ROOT_TOKEN_ID,
    &DEV_LISTEN_ADDRESS,
    &XDG_RUNTIME_DIR,
    &DOCKER_CONFIG,
    &REGISTRY_AUTH_FILE,
    &OTLP_ENDPOINT,
    &OTLP_CERTIFICATE,
    &OTLP_HEADERS,
    &OTLP_PROTOCOL,
    &TRACES_SAMPLER,
    &TRACES_SAMPLER_ARG,
    &TRACES_EXPORTER,
    &OTEL_SDK_DISABLED,
    &OTEL_SERVICE_NAME,
    &OTEL_RESOURCE_ATTRIBUTES,
];

impl Variable {
    const fn new(names: &'static [&'static str], says: &'static str) -> Self {
        Self { names, says }
    }

    /// Its name that is set, and its value; one that is empty is not set.
    pub fn found(&self) -> Option<(&'static str, OsString)> {
        let set = |name: &&'static str| env::var_os(name).filter(|value| !value.is_empty());
        self.names.iter().find_map(|name| Some((*name, set(name)?)))
    }

    /// Its value.
    pub fn value(&self) -> Option<OsString> {
        self.found().map(|(_, value)| value)
    }

    /// Its value, if it is a text.
    pub fn text(&self) -> Option<String> {
        self.value()?.into_string().ok()
    }
}
