//! The encrypted storage, which plugins exist, and their checksums.

mod barrier;
mod catalog;
mod config;
mod error;
mod migration;
mod plugins;
mod storage;

pub use ::storage::PostgreSqlConfig;
pub use barrier::{BarrierService, CeremonyError};
pub use catalog::Catalog;
pub use config::{BuiltinInfo, Config, Declared, DownloadConfig, StorageConfig};
pub use error::Error;
pub use migration::{Migrated, Migration, MigrationError};
pub use plugins::{ArtifactError, DownloadError, DownloadFailed, PluginError, PluginsService, UploadError};
pub use storage::StorageService;
