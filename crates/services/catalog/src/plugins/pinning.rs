use domain::PluginVersion;
use wire::catalog::v1::{ListPinsReply, PinnedVersion, PluginRequest};

use super::{PluginError, PluginsService, id_of, lookup::Entry, record::Id};
use crate::Error;

impl PluginsService {
    /// The entry that is asked for; a mount's pin goes before.
    pub(super) async fn chosen(&self, request: PluginRequest) -> Result<Entry, Error> {
        let asked = id_of(request.name, &request.r#type, &request.version)?;
        let pinned = match request.mounted {
            true => self.pins.get(asked.plugin_type, &asked.name).await?,
            false => None,
        };
        let chosen = match pinned {
            Some(version) => Id { version, ..asked },
            None => asked,
        };
        self.choose(chosen, request.highest).await
    }

    /// Only what is registered can be pinned.
    pub(super) async fn set_pin(&self, request: PluginRequest) -> Result<(), Error> {
        self.check_unsealed()?;
        let id = id_of(request.name, &request.r#type, &request.version)?;
        if id.version.is_none() {
            return Err(PluginError::NoPinVersion.into());
        }
        if id.version.is_builtin() {
            return Err(PluginError::PinBuiltin(id.version).into());
        }
        let missing = |id: Id| PluginError::PinMissing {
            name: id.name,
            plugin_type: id.plugin_type,
            version: id.version,
        };
        let _binding = self.binding.lock().await;
        self.records.get(id.clone()).await?.ok_or_else(|| missing(id.clone()))?.whole()?;
        self.pins.put(id.clone()).await?;
        tracing::info!(plugin = %id.name, r#type = %id.plugin_type, version = %id.version, "plugin pinned");
        Ok(())
    }

    pub(super) async fn remove_pin(&self, request: PluginRequest) -> Result<(), Error> {
        self.check_unsealed()?;
        let id = id_of(request.name, &request.r#type, "")?;
        self.pins.delete(id.plugin_type, &id.name).await?;
        tracing::info!(plugin = %id.name, r#type = %id.plugin_type, "plugin no longer pinned");
        Ok(())
    }

    pub(super) async fn read_pin(&self, request: PluginRequest) -> Result<Option<PluginVersion>, Error> {
        self.check_unsealed()?;
        let id = id_of(request.name, &request.r#type, "")?;
        self.pins.get(id.plugin_type, &id.name).await
    }

    pub(super) async fn listed_pins(&self) -> Result<ListPinsReply, Error> {
        self.check_unsealed()?;
        let pins = self.pins.list().await?.into_iter().map(|pin| PinnedVersion {
            name: pin.name.into(),
            r#type: pin.plugin_type.word().to_owned(),
            version: pin.version.into(),
        });
        Ok(ListPinsReply { pins: pins.collect() })
    }

    /// An entry that mounts are bound to stays. A pin that cannot be read binds nothing.
    pub(super) async fn check_not_pinned(&self, id: &Id) -> Result<(), Error> {
        match self.pins.get(id.plugin_type, &id.name).await {
            Ok(Some(pinned)) if pinned == id.version => Err(PluginError::DeletePinned.into()),
            Ok(_) | Err(Error::Plugin(PluginError::DamagedPin { .. })) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
