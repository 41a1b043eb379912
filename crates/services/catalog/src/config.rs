use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ::storage::{InMemory, PostgreSql, PostgreSqlConfig, Sqlite, Storage};
use domain::{DeclaredPlugin, Outbound, PluginName, PluginType, PluginVersion};

use crate::MigrationError;

/// The database's name, when only its folder is given.
const DATABASE: &str = "mortise.db";

/// What a catalog is opened with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where everything is kept.
    pub storage: StorageConfig,
    /// What the cluster is called from its initialisation on; none: a name of its own.
    pub cluster_name: Option<String>,
    /// Where the files of external plugins are; without it none can be registered.
    pub plugin_directory: Option<PathBuf>,
    /// The largest plugin, in bytes, that may be uploaded into it; none: nothing may.
    pub largest_upload: Option<u64>,
    /// The plugins that are part of the host.
    pub builtins: Vec<BuiltinInfo>,
    /// How many bytes of ciphertext are kept in memory.
    pub cache_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            storage: StorageConfig::Inmem,
            cluster_name: None,
            plugin_directory: None,
            largest_upload: None,
            builtins: Vec::new(),
            cache_bytes: 8 << 20,
        }
    }
}

/// Where everything is kept.
#[derive(Clone, Debug)]
pub enum StorageConfig {
    /// In memory, until the process ends.
    Inmem,
    /// In an SQLite database.
    Sqlite {
        /// Its file.
        path: PathBuf,
    },
    /// In an SQLite database in a folder.
    File {
        /// The folder.
        path: PathBuf,
    },
    /// In a PostgreSQL database.
    PostgreSql(PostgreSqlConfig),
}

impl StorageConfig {
    /// The word for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Inmem => "inmem",
            Self::Sqlite { .. } => "sqlite",
            Self::File { .. } => "file",
            Self::PostgreSql(_) => "postgresql",
        }
    }

    /// Which one it is, for people and for comparisons.
    pub(crate) fn place(&self) -> Result<String, MigrationError> {
        let file = |path: &Path| {
            let path = path.canonicalize().or_else(|_| std::path::absolute(path));
            path.map(|path| format!("the file {}", path.display())).unwrap_or_default()
        };
        match self {
            Self::Inmem => Err(MigrationError::Memory),
            Self::Sqlite { path } => Ok(file(path)),
            Self::File { path } => Ok(file(&path.join(DATABASE))),
            Self::PostgreSql(config) => config.place().map_err(MigrationError::Source),
        }
    }

    /// Opens it to be read, and leaves it to whoever writes to it. `None`: nothing is there.
    pub(crate) async fn look(&self) -> ::storage::Result<Option<Arc<dyn Storage>>> {
        fn shared<S: Storage>(seen: Option<S>) -> Option<Arc<dyn Storage>> {
            seen.map(|seen| Arc::new(seen) as _)
        }
        Ok(match self {
            Self::Inmem => None,
            Self::Sqlite { path } => shared(Sqlite::look(path).await?),
            Self::File { path } => shared(Sqlite::look(&path.join(DATABASE)).await?),
            Self::PostgreSql(config) => shared(PostgreSql::look(config).await?),
        })
    }

    /// Opens it.
    pub(crate) async fn open(&self) -> ::storage::Result<Arc<dyn Storage>> {
        Ok(match self {
            Self::Inmem => Arc::new(InMemory::new()),
            Self::Sqlite { path } => Arc::new(Sqlite::open(path).await?),
            Self::File { path } => Arc::new(Sqlite::open(&path.join(DATABASE)).await?),
            Self::PostgreSql(config) => Arc::new(PostgreSql::open(config).await?),
        })
    }
}

/// The plugins that a configuration declares, and what is done about them.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// Which.
    pub plugins: Vec<DeclaredPlugin>,
    /// They are registered whenever the barrier is opened, and those that are no longer declared are deregistered.
    pub register: bool,
    /// How those from images are downloaded; none: they are not.
    pub download: Option<DownloadConfig>,
}

/// How plugins are downloaded.
#[derive(Clone, Debug, Default)]
pub struct DownloadConfig {
    /// The largest program that is taken, in bytes.
    pub largest: u64,
    /// Where connections may lead.
    pub outbound: Outbound,
    /// Registries that are spoken to without TLS.
    pub plain_http: Vec<String>,
    /// Files of Docker's or Podman's that say how to log in.
    pub logins: Vec<PathBuf>,
    /// One that cannot be downloaded is a warning.
    pub may_be_missing: bool,
}

/// A plugin that is part of the host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BuiltinInfo {
    /// What it is for.
    pub plugin_type: PluginType,
    /// What it is enabled by.
    pub name: PluginName,
    /// Its version; the metadata says `builtin`.
    pub version: PluginVersion,
}
