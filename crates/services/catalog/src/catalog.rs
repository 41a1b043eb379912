use std::sync::Arc;

use ::storage::{Barrier, Cached};
use wire::{
    PLUGIN_MESSAGE_LIMIT,
    catalog::v1::{
        BarrierSeam, PluginsSeam, StorageSeam, barrier_server::BarrierServer, plugins_server::PluginsServer,
        storage_server::StorageServer,
    },
};

use crate::{
    BarrierService, Config, Declared, DownloadFailed, Error, PluginsService, StorageService,
    migration::refuse_unfinished,
};

/// The three services over one barrier. Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    barrier: Arc<BarrierService>,
    storage: Arc<StorageService>,
    plugins: Arc<PluginsService>,
}

impl Catalog {
    /// Opens the storage; the barrier around it is sealed.
    pub async fn open(config: Config) -> Result<Self, Error> {
        // Looked at before it is taken over: a migration that runs is not to be disturbed.
        if let Some(seen) = config.storage.look().await? {
            refuse_unfinished(&*seen).await?;
        }
        let below = config.storage.open().await?;
        refuse_unfinished(&*below).await?;
        let barrier = Arc::new(Barrier::new(Arc::new(Cached::new(below, config.cache_bytes))));
        let plugins = Arc::new(PluginsService::new(
            barrier.clone(),
            config.plugin_directory,
            config.largest_upload,
            config.builtins,
        ));
        let word = config.storage.word();
        let service = BarrierService::new(barrier.clone(), word, config.cluster_name, plugins.clone());
        Ok(Self { barrier: Arc::new(service), storage: Arc::new(StorageService::new(barrier)), plugins })
    }

    /// Does what a configuration declares about plugins: downloads them at once, and registers them as soon as the
    /// barrier is open.
    ///
    /// # Errors
    /// One that has to be there cannot be downloaded. All is as it was, then.
    pub async fn declare(&self, declared: Declared) -> Result<(), DownloadFailed> {
        self.plugins.declare(declared).await
    }

    /// The barrier's server.
    pub fn barrier_server(&self) -> BarrierServer<BarrierService> {
        BarrierServer::from_arc(self.barrier.clone())
            .max_decoding_message_size(PLUGIN_MESSAGE_LIMIT)
            .max_encoding_message_size(PLUGIN_MESSAGE_LIMIT)
    }

    /// The storage's server.
    pub fn storage_server(&self) -> StorageServer<StorageService> {
        StorageServer::from_arc(self.storage.clone())
            .max_decoding_message_size(PLUGIN_MESSAGE_LIMIT)
            .max_encoding_message_size(PLUGIN_MESSAGE_LIMIT)
    }

    /// The plugin catalog's server.
    pub fn plugins_server(&self) -> PluginsServer<PluginsService> {
        PluginsServer::from_arc(self.plugins.clone())
            .max_decoding_message_size(PLUGIN_MESSAGE_LIMIT)
            .max_encoding_message_size(PLUGIN_MESSAGE_LIMIT)
    }

    /// The barrier, for a neighbour in this process.
    pub fn barrier_client(&self) -> BarrierSeam {
        BarrierSeam::local(self.barrier.clone())
    }

    /// The storage, for a neighbour in this process.
    pub fn storage_client(&self) -> StorageSeam {
        StorageSeam::local(self.storage.clone())
    }

    /// The plugin catalog, for a neighbour in this process.
    pub fn plugins_client(&self) -> PluginsSeam {
        PluginsSeam::local(self.plugins.clone())
    }
}
