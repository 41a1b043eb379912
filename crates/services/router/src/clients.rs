use wire::{
    catalog::v1::{BarrierSeam, PluginsSeam, StorageSeam},
    launcher::v1::LauncherSeam,
};

/// The services below this one.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The seal around everything stored.
    pub barrier: BarrierSeam,
    /// Everything stored.
    pub storage: StorageSeam,
    /// Which plugins exist.
    pub plugins: PluginsSeam,
    /// Running plugins.
    pub launcher: LauncherSeam,
}
