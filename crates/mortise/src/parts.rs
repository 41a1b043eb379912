//! Each service as the configuration wants it, over seams to those below it. What a seam is made of, nobody here knows.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Context;
use catalog::{BuiltinInfo, Catalog, PostgreSqlConfig, StorageConfig};
use domain::{LockoutConfig, Token};
use kit::{
    config::{Config, Storage},
    metrics::Metrics,
    variable,
};
use launcher::{CacheConfig, Launcher};
use router::Router;
use tonic::transport::Channel;
use wire::{
    PLUGIN_MESSAGE_LIMIT as LIMIT,
    catalog::v1::{BarrierSeam, PluginsSeam, StorageSeam},
    launcher::v1::{LauncherSeam, launcher_server::LauncherServer},
    router::v1::router_server::RouterServer,
};

use crate::{banner::VAULT_VERSION, declared, loggers::Loggers, meters::Meters, shown::shown};

/// The three services of a catalog.
#[derive(Clone, Debug)]
pub struct CatalogSeams {
    barrier: BarrierSeam,
    storage: StorageSeam,
    plugins: PluginsSeam,
}

impl CatalogSeams {
    /// A catalog in this process.
    pub fn local(catalog: &Catalog) -> Self {
        Self {
            barrier: catalog.barrier_client(),
            storage: catalog.storage_client(),
            plugins: catalog.plugins_client(),
        }
    }

    /// A catalog elsewhere, with one connection for all that it serves.
    pub fn remote(channel: Channel) -> Self {
        Self {
            barrier: BarrierSeam::remote(channel.clone()),
            storage: StorageSeam::remote(channel.clone()),
            plugins: PluginsSeam::remote(channel),
        }
    }
}

/// Opens the catalog, with the plugins that are declared.
pub async fn catalog(config: &Config) -> anyhow::Result<Catalog> {
    let storage = storage(config.needs_storage()?);
    let builtins = engines::builtins().into_iter().map(|builtin| BuiltinInfo {
        plugin_type: builtin.plugin_type,
        name: builtin.name,
        version: builtin.version,
    });
    let declared = declared::of(config);
    let config = catalog::Config {
        storage,
        cluster_name: config.cluster_name.clone(),
        plugin_directory: config.plugin_directory.clone(),
        largest_upload: config.plugin_upload.then_some(config.plugin_upload_max_size),
        builtins: builtins.collect(),
        ..catalog::Config::default()
    };
    let catalog = Catalog::open(config).await.context("cannot open the storage")?;
    catalog.declare(declared).await?;
    Ok(catalog)
}

/// The storage, as the catalog is told it.
pub fn storage(storage: &Storage) -> StorageConfig {
    match storage.clone() {
        Storage::Inmem => StorageConfig::Inmem,
        Storage::Sqlite { path } => StorageConfig::Sqlite { path },
        Storage::File { path } => StorageConfig::File { path },
        Storage::PostgreSql(database) => StorageConfig::PostgreSql(PostgreSqlConfig {
            connection_url: database.connection_url.0,
            password_file: database.password_file,
            table: database.table,
            max_parallel: database.max_parallel,
            max_idle_connections: database.max_idle_connections,
            max_connect_retries: database.max_connect_retries,
            skip_create_table: database.skip_create_table,
        }),
    }
}

/// Makes ready to run plugins. One in a process of its own is given what that counts.
pub fn launcher(
    config: &Config,
    below: &CatalogSeams,
    own_process: Option<Metrics>,
) -> anyhow::Result<Arc<Launcher>> {
    let clients = launcher::Catalog {
        barrier: below.barrier.clone(),
        storage: below.storage.clone(),
        plugins: below.plugins.clone(),
    };
    let config = launcher::Config {
        host_version: VAULT_VERSION.to_owned(),
        runtime_dir: config.plugin_tmpdir.clone(),
        cache: config
            .plugin_cache_directory
            .clone()
            .map(|folder| CacheConfig { folder, bytes: config.plugin_cache_size }),
        mlock: !config.disable_mlock,
        pauses: config.plugin_restart,
        never_shared: launcher::never_shared(variable::PLUGIN_MULTIPLEXING_OPT_OUT.text().as_deref()),
        meters: own_process.map(|metrics| Arc::new(Meters(metrics)) as _),
        ..launcher::Config::default()
    };
    Ok(Arc::new(Launcher::new(config, clients, engines::builtins())?))
}

/// The launcher's server.
pub fn launcher_server(launcher: &Arc<Launcher>) -> LauncherServer<Launcher> {
    let server = LauncherServer::from_arc(launcher.clone());
    server.max_decoding_message_size(LIMIT).max_encoding_message_size(LIMIT)
}

/// What a router is told beside its configuration.
#[derive(Debug)]
pub struct RouterSettings {
    /// Where clients reach this server.
    pub api_addr: String,
    /// The root token of a development server.
    pub first_token: Option<Token>,
    /// What this process counts.
    pub metrics: Metrics,
}

/// Makes a router over the services below it.
pub fn router(config: &Config, more: RouterSettings, below: &CatalogSeams, launcher: LauncherSeam) -> Router {
    let clients = router::Clients {
        barrier: below.barrier.clone(),
        storage: below.storage.clone(),
        plugins: below.plugins.clone(),
        launcher,
    };
    let config = router::Config {
        loggers: Arc::new(Loggers),
        meters: Arc::new(Meters(more.metrics)),
        raw_storage: config.raw_storage_endpoint,
        lockouts: lockouts(config),
        shown: shown(config, &more.api_addr),
        api_addr: more.api_addr,
        first_token: more.first_token,
        default_lease_ttl: config.default_lease_ttl,
        max_lease_ttl: config.max_lease_ttl,
        version: VAULT_VERSION.to_owned(),
        audit: router::Surroundings {
            plugin_directory: config.plugin_directory.clone(),
            prefix_allowed: config.allow_audit_log_prefixing,
            ..router::Surroundings::default()
        },
        ..router::Config::default()
    };
    Router::new(clients, config)
}

/// How those are locked out who guess. Whoever starts the server can switch it off as a whole.
fn lockouts(config: &Config) -> BTreeMap<String, LockoutConfig> {
    let switched_off = variable::DISABLE_USER_LOCKOUT.text().is_some_and(|value| value == "true");
    if !switched_off {
        return config.user_lockout.clone();
    }
    let off = LockoutConfig { disable: true, ..LockoutConfig::default() };
    ["approle", "ldap", "userpass"].map(|name| (name.to_owned(), off.clone())).into()
}

/// The router's server.
pub fn router_server(router: Router) -> RouterServer<Router> {
    RouterServer::new(router).max_decoding_message_size(LIMIT).max_encoding_message_size(LIMIT)
}
