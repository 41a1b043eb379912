use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use storage::Storage;
use tenon::Builtin;
use wire::catalog::v1::{BarrierSeam, Plugin, PluginRequest, PluginsSeam, StatusRequest, StorageSeam};

use crate::{
    Error, Result, artifacts::Cache, config::Config, error::from_catalog, greeting::OldPlugins,
    image::Images, journal::Journal, logs::Logs, meters, notices::Notices, offspring, questions::Questions,
    ring::Limits, runtime_dir::RuntimeDir, sandbox::Offers, spawn::Spawner,
};

/// The services of the catalog.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// Asked for the cluster's name, once.
    pub barrier: BarrierSeam,
    /// Where plugins store.
    pub storage: StorageSeam,
    /// Which plugins there are, and their programs.
    pub plugins: PluginsSeam,
}

/// What identifies the cluster; known once the barrier is open.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
}

/// What every part of the launcher works with.
pub struct Host {
    /// How plugins are run.
    pub config: Config,
    /// The services below.
    pub catalog: Catalog,
    /// All that is stored; plugins get views of it.
    pub storage: Arc<dyn Storage>,
    /// The plugins that are part of the host.
    pub builtins: Vec<Builtin>,
    /// Programs in memory.
    pub images: Images,
    /// Programs on disk.
    pub artifacts: Option<Cache>,
    /// What happened.
    pub journal: Journal,
    /// What plugins have written lately.
    pub logs: Logs,
    /// What plugins announce.
    pub notices: Notices,
    /// What is counted of plugins.
    pub meters: meters::Book,
    /// What plugins ask that only the router can answer.
    pub questions: Questions,
    /// The plugins that have to be greeted in the older manner.
    pub old_plugins: OldPlugins,
    /// Where the folders of processes are.
    pub runtime: Arc<RuntimeDir>,
    /// What this machine can confine a process by.
    pub offers: Offers,
    /// The thread that starts children.
    pub spawner: Spawner,
    /// What identifies the cluster.
    pub cluster: OnceLock<Cluster>,
}

impl Host {
    /// Makes ready to run plugins. Must be called within the runtime.
    pub fn new(
        config: Config,
        catalog: Catalog,
        storage: Arc<dyn Storage>,
        builtins: Vec<Builtin>,
    ) -> Result<Self> {
        offspring::adopt_strays().map_err(Error::host("become the reaper of plugins' descendants"))?;
        let runtime = RuntimeDir::create(config.runtime_dir.as_deref())
            .map_err(Error::host("make a folder for plugins' sockets"))?;
        let artifacts = config.cache.as_ref().map(Cache::take).transpose();
        let artifacts = artifacts.map_err(Error::host("use the folder that plugins are kept in"))?;
        let spawner = Spawner::start().map_err(Error::host("start the thread that starts plugins"))?;
        Ok(Self {
            images: Images::default(),
            journal: Journal::new(config.events_kept),
            logs: Logs::new(Limits { count: config.log_lines_kept, bytes: config.log_bytes_kept }),
            artifacts,
            notices: Notices::default(),
            meters: meters::Book::default(),
            questions: Questions::default(),
            old_plugins: OldPlugins::default(),
            runtime: Arc::new(runtime),
            offers: config.offers.clone().unwrap_or_else(Offers::detect),
            cluster: OnceLock::new(),
            spawner,
            config,
            catalog,
            storage,
            builtins,
        })
    }

    /// Which plugin runs when this one is asked for.
    pub async fn resolve(&self, request: PluginRequest) -> Result<Plugin> {
        let plugin = self.catalog.plugins.resolve(request).await.map_err(from_catalog)?;
        Ok(plugin.into_inner())
    }

    /// The engine that the catalog means by a built-in plugin.
    pub fn builtin(&self, plugin: &Plugin) -> Result<&Builtin> {
        let found = self.builtins.iter().find(|builtin| {
            builtin.name.as_str() == plugin.name && builtin.plugin_type.word() == plugin.r#type
        });
        found.ok_or_else(|| Error::NoBuiltin { kind: plugin.r#type.clone(), name: plugin.name.clone() })
    }

    /// Learns what identifies the cluster, unless it is known. Not to know it harms nobody.
    pub async fn learn_cluster(&self) {
        if self.cluster.get().is_some() {
            return;
        }
        let Ok(status) = self.catalog.barrier.status(StatusRequest {}).await else { return };
        let status = status.into_inner();
        if !status.cluster_id.is_empty() {
            let _ = self.cluster.set(Cluster { name: status.cluster_name, id: status.cluster_id });
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("config", &self.config).finish_non_exhaustive()
    }
}
