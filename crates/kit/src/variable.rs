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
