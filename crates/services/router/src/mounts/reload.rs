use domain::Kind;

use super::{Mount, Mounts};
use crate::{Error, error::Result, plugins::Catalog};

impl Mounts {
    /// Whether a reload leaves a mount at the version that it runs. One that cannot be looked up changes nothing.
    pub(crate) async fn keeps_version(&self, catalog: &Catalog, mount: &Mount) -> bool {
        let entry = &mount.entry;
        let found = catalog.resolve(&entry.plugin, entry.kind.plugin_type(), &entry.plugin_version).await;
        found.is_ok_and(|plugin| plugin.version == mount.facts().running_version)
    }

    /// Starts the plugin of a mount anew, in the version that the mount asks for. If that fails, the old one serves on.
    pub(crate) async fn reload(&self, catalog: &Catalog, mount: &Mount) -> Result<()> {
        self.start_anew(catalog, mount).await.map_err(|error| match error {
            error @ (Error::Sealed | Error::SteppedDown) => error,
            error => Error::Value {
                kind: Kind::Internal,
                message: format!("cannot reload plugin on {:?}: {error}", mount.entry.path.as_str()),
                code: None,
            },
        })
    }

    async fn start_anew(&self, catalog: &Catalog, mount: &Mount) -> Result<()> {
        let entry = &mount.entry;
        let _stays = self.starting(mount).await?;
        catalog.resolve(&entry.plugin, entry.kind.plugin_type(), &entry.plugin_version).await?;
        let facts = match self.launch.reload(entry).await {
            // The launcher does not know the mount, so nothing of it runs.
            Err(Error::Below(failure)) if failure.kind == Kind::Precondition => {
                self.launch.again(entry).await?
            }
            facts => facts?,
        };
        self.note_start(mount, &entry.plugin_version, Ok(facts)).await
    }
}
