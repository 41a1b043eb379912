//! What is printed before log lines begin: for people, and for programs that wait for its last line.
#![expect(clippy::print_stdout, reason = "what is printed here is what the user asked for")]

use std::fmt::Display;

use kit::{
    Service,
    config::{Config, Listener},
};

/// The release of Vault whose API is spoken; clients and plugins ask for it to know what they can use.
pub const VAULT_VERSION: &str = "1.21.4";

/// Our own version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Answers `mortise version`. Scripts take the second word of what `vault` says for the version of the API.
pub fn version() {
    println!("{}", versions(cli::is_called(VAULT)));
}

/// What Vault's own program is called.
const VAULT: &str = "vault";

fn versions(for_vault: bool) -> String {
    if for_vault {
        format!("Vault v{VAULT_VERSION} (Mortise v{VERSION})")
    } else {
        format!("Mortise v{VERSION}, with the API of Vault v{VAULT_VERSION}")
    }
}

/// Prints how the server is configured, and that it runs.
pub fn print(config: &Config, api_addr: &str) {
    println!("==> Mortise server configuration:\n");
    for (name, value) in lines(config, api_addr) {
        println!("{name:>24}: {value}");
    }
    println!("\n==> Mortise server started! Log data will stream in below:\n");
}

/// Prints what a development server was opened with.
pub fn dev(api_addr: &str, unseal_key: &str, root_token: &str, plugins: &[String]) {
    println!(
        "WARNING! This is a development server: it keeps everything in memory, forgets it when it ends, and"
    );
    println!("has been unsealed with a single key. Do not entrust it with anything real.\n");
    println!("Clients find it by this variable:\n");
    println!("    $ export VAULT_ADDR='{api_addr}'\n");
    println!("Unseal Key: {unseal_key}");
    println!("Root Token: {root_token}\n");
    if !plugins.is_empty() {
        println!("These plugins are registered in the catalog:");
        for plugin in plugins {
            println!("    - {plugin}");
        }
        println!();
    }
}

/// Prints that a service of its own runs.
pub fn started(service: Service) {
    println!("==> Mortise {service} started! Log data will stream in below:\n");
}

fn lines(config: &Config, api_addr: &str) -> Vec<(String, String)> {
    let mut lines = vec![("Api Address".to_owned(), api_addr.to_owned())];
    for (number, listener) in (1..).zip(&config.listeners) {
        lines.push((format!("Listener {number}"), describe(listener)));
    }
    let mut line = |name: &str, value: &dyn Display| lines.push((name.to_owned(), value.to_string()));
    line("Log Level", &config.log_level.word());
    line("Mlock", &format_args!("supported: true, enabled: {}", !config.disable_mlock));
    if let Some(folder) = &config.plugin_directory {
        line("Plugin Directory", &folder.display());
    }
    if let Some(storage) = &config.storage {
        line("Storage", &storage.kind());
    }
    line("Version", &format_args!("Mortise v{VERSION} (API of Vault v{VAULT_VERSION})"));
    lines
}

fn describe(listener: &Listener) -> String {
    format!(
        "tcp (addr: \"{}\", max_request_duration: \"{}\", max_request_size: \"{}\", tls: \"{}\")",
        listener.address,
        domain::format_go_duration(listener.max_request_duration),
        listener.max_request_size,
        if listener.tls.is_some() { "enabled" } else { "disabled" },
    )
}
