//! The plugins that the configuration declares, as the catalog wants to be told of them.

use std::{env, path::PathBuf};

use catalog::{Catalog, Declared, DownloadConfig};
use kit::{
    config::{Config, Plugins},
    shutdown::Shutdown,
    variable::{self, Variable},
};

use crate::{cli::ServiceFlags, start};

/// What a configuration declares.
pub fn of(config: &Config) -> Declared {
    let Plugins { declared, auto_register, auto_download, may_be_missing, downloads } =
        config.plugins.clone();
    let download = DownloadConfig {
        largest: downloads.largest,
        outbound: downloads.outbound,
        plain_http: downloads.plain_http,
        logins: logins(),
        may_be_missing,
    };
    let download = (auto_download && config.plugin_directory.is_some()).then_some(download);
    Declared { plugins: declared, register: auto_register, download }
}

/// Where Docker and Podman keep how to log in to registries, in OpenBao's order.
fn logins() -> Vec<PathBuf> {
    let folder = |variable: &Variable| variable.value().map(PathBuf::from);
    let files = [
        env::home_dir().map(|home| home.join(".docker/config.json")),
        folder(&variable::DOCKER_CONFIG).map(|folder| folder.join("config.json")),
        folder(&variable::REGISTRY_AUTH_FILE),
        folder(&variable::XDG_RUNTIME_DIR).map(|folder| folder.join("containers/auth.json")),
    ];
    files.into_iter().flatten().collect()
}

/// Declares again what the configuration says by then, whenever the process is asked to.
pub fn renew_on_request(shutdown: &Shutdown, flags: ServiceFlags, catalog: Catalog) {
    let mut reloads = shutdown.reloads();
    tokio::spawn(async move {
        while reloads.changed().await.is_ok() {
            // What is wrong with a configuration is said where log level and certificates are read from it.
            let Ok((config, _)) = start::configuration(&flags) else { continue };
            if let Err(error) = catalog.declare(of(&config)).await {
                tracing::error!("plugins stay as they were declared before: {error}");
            }
        }
    });
}
