//! The configuration as requests may see it.

use kit::config::{Config, Listener};
use serde_json::{Map, Value, json};

/// What is configured, under Vault's names. Named one by one, so that a new setting is not shown before somebody has
/// thought about whether it is a secret; what an access key or a password could be in is left out whole.
pub fn shown(config: &Config, api_addr: &str) -> Map<String, Value> {
    let Config { default_lease_ttl, max_lease_ttl, plugin_directory, pid_file, .. } = config;
    let storage = config.storage.as_ref().map(|storage| json!({ "type": storage.kind() }));
    let listeners: Vec<Value> = config.listeners.iter().map(listener).collect();
    let all = json!({
        "allow_audit_log_prefixing": config.allow_audit_log_prefixing,
        "api_addr": api_addr,
        "cluster_name": config.cluster_name,
        "default_lease_ttl": default_lease_ttl.as_secs(),
        "disable_mlock": config.disable_mlock,
        "listeners": listeners,
        "log_level": config.log_level.word(),
        "max_lease_ttl": max_lease_ttl.as_secs(),
        "pid_file": pid_file,
        "plugin_directory": plugin_directory,
        "plugin_tmpdir": config.plugin_tmpdir,
        "storage": storage,
    });
    match all {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn listener(listener: &Listener) -> Value {
    let mut config = Map::new();
    config.insert("address".to_owned(), listener.address.as_str().into());
    match &listener.tls {
        None => drop(config.insert("tls_disable".to_owned(), true.into())),
        Some(tls) => {
            config.insert("tls_cert_file".to_owned(), json!(tls.cert_file));
            config.insert("tls_key_file".to_owned(), json!(tls.key_file));
        }
    }
    json!({ "config": config, "type": "tcp" })
}
