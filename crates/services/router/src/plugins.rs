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

    /// The entry that a new mount runs; without a version, the catalog chooses one.
    pub(crate) async fn choose(
        &self,
        name: &str,
        plugin_type: PluginType,
        version: &PluginVersion,
    ) -> Result<Plugin> {
        let request = PluginRequest { highest: true, ..request(name, plugin_type, version) };
        self.find(request).await
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
        self.find(request(name, plugin_type, version)).await
    }

    async fn find(&self, request: PluginRequest) -> Result<Plugin> {
        let (name, version) = (request.name.clone(), request.version.clone());
        match self.0.resolve(request).await.map_err(Error::from) {
            Ok(reply) => Ok(reply.into_inner()),
            Err(Error::Below(failure)) if failure.kind == Kind::NotFound => Err(if version.is_empty() {
                Refusal::NoPlugin(name).into()
            } else {
                Refusal::NoPluginVersion(name, version).into()
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
        highest: false,
    }
}

/// The version of an entry; the catalog keeps none but semantic ones.
pub(crate) fn version_of(plugin: &Plugin) -> PluginVersion {
    plugin.version.parse().unwrap_or_default()
}
