use std::path::PathBuf;

use domain::{PluginName, PluginType, PluginVersion};

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
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

impl StorageConfig {
    /// The word for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Inmem => "inmem",
            Self::Sqlite { .. } => "sqlite",
            Self::File { .. } => "file",
        }
    }

    /// The database's file, if there is one.
    pub(crate) fn database(&self) -> Option<PathBuf> {
        match self {
            Self::Inmem => None,
            Self::Sqlite { path } => Some(path.clone()),
            Self::File { path } => Some(path.join(DATABASE)),
        }
    }
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
