use std::{fmt, sync::Arc};

use domain::{PluginName, PluginType, PluginVersion};

use crate::{Factory, database::DatabaseFactory};

/// A plugin that is part of the host: its name, and what it makes.
#[derive(Clone)]
pub struct Builtin {
    /// What it is enabled by.
    pub name: PluginName,
    /// What it is for.
    pub plugin_type: PluginType,
    /// Its version; the metadata says `builtin`.
    pub version: PluginVersion,
    /// What it makes.
    pub makes: Makes,
}

/// What a built-in plugin makes.
#[derive(Clone)]
pub enum Makes {
    /// A backend for each mount: it is a secrets engine or an auth method.
    Backends(Arc<dyn Factory>),
    /// Connections to databases, for a database engine.
    Databases(Arc<dyn DatabaseFactory>),
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
