use std::{fmt, sync::Arc};

use domain::{PluginName, PluginType, PluginVersion};

use crate::Factory;

/// A plugin that is part of the host: its name, and what makes its backends.
#[derive(Clone)]
pub struct Builtin {
    /// What it is enabled by.
    pub name: PluginName,
    /// What it is for.
    pub plugin_type: PluginType,
    /// Its version; the metadata says `builtin`.
    pub version: PluginVersion,
    /// Makes one backend for each mount.
    pub factory: Arc<dyn Factory>,
}

impl fmt::Debug for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builtin")
            .field("name", &self.name)
            .field("plugin_type", &self.plugin_type)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
