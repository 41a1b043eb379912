//! The plugin catalog, as this service asks for it.

use domain::{Kind, PluginType, PluginVersion};
use wire::catalog::v1::{Plugin, PluginRequest, PluginsSeam};

use crate::{Error, error::Result, mounts::Refusal};

/// The plugin catalog.
#[derive(Clone, Debug)]
pub(crate) struct Catalog(pub(crate) PluginsSeam);

impl Catalog {
    /// Looks at the file of the entry that a mount runs.
    pub(crate) async fn inspect(
        &self,
        name: &str,
        plugin_type: PluginType,
        version: &PluginVersion,
    ) -> Result<()> {
        self.0.inspect(request(name, plugin_type, version)).await?;
        Ok(())
    }

    /// The version that all mounts of a plugin are bound to.
    pub(crate) async fn pinned(&self, name: &str, plugin_type: PluginType) -> Result<Option<PluginVersion>> {
        let reply = self.0.get_pin(request(name, plugin_type, &PluginVersion::NONE)).await?.into_inner();
        let pinned: PluginVersion = reply.version.parse().unwrap_or_default();
        Ok(Some(pinned).filter(|pinned| !pinned.is_none()))
    }

    /// The entry that a mount runs.
    pub(crate) async fn resolve(
        &self,
        name: &str,
        plugin_type: PluginType,
        version: &PluginVersion,
    ) -> Result<Plugin> {
        let request = request(name, plugin_type, version);
        match self.0.resolve(request).await.map_err(Error::from) {
            Ok(reply) => Ok(reply.into_inner()),
            Err(Error::Below(failure)) if failure.kind == Kind::NotFound => Err(if version.is_none() {
                Refusal::NoPlugin(name.to_owned()).into()
            } else {
                Refusal::NoPluginVersion(name.to_owned(), version.to_string()).into()
            }),
            Err(error) => Err(error),
        }
    }
}

fn request(name: &str, plugin_type: PluginType, version: &PluginVersion) -> PluginRequest {
    PluginRequest {
        name: name.to_owned(),
        r#type: plugin_type.word().to_owned(),
        version: version.to_string(),
        mounted: true,
    }
}

/// The version of an entry; the catalog keeps none but semantic ones.
pub(crate) fn version_of(plugin: &Plugin) -> PluginVersion {
    plugin.version.parse().unwrap_or_default()
}
