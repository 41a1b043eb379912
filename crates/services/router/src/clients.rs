use wire::{
    PLUGIN_MESSAGE_LIMIT, Seam,
    catalog::v1::{
        barrier_client::BarrierClient, plugins_client::PluginsClient, storage_client::StorageClient,
    },
    launcher::v1::launcher_client::LauncherClient,
};

/// The services below this one.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The seal around everything stored.
    pub barrier: BarrierClient<Seam>,
    /// Everything stored.
    pub storage: StorageClient<Seam>,
    /// Which plugins exist.
    pub plugins: PluginsClient<Seam>,
    /// Running plugins.
    pub launcher: LauncherClient<Seam>,
}

impl Clients {
    /// The same clients, taking messages as large as plugins may send.
    pub(crate) fn for_plugin_messages(self) -> Self {
        Self {
            barrier: self.barrier,
            storage: self
                .storage
                .max_decoding_message_size(PLUGIN_MESSAGE_LIMIT)
                .max_encoding_message_size(PLUGIN_MESSAGE_LIMIT),
            plugins: self.plugins,
            launcher: self
                .launcher
                .max_decoding_message_size(PLUGIN_MESSAGE_LIMIT)
                .max_encoding_message_size(PLUGIN_MESSAGE_LIMIT),
        }
    }
}
