use std::sync::Arc;

use ::storage::{Barrier, Error as StorageError, Key, Storage as _};
use bytes::Bytes;
use domain::{PluginName, PluginType, PluginVersion};
use serde::{Deserialize, Serialize};

use super::{PluginError, record::Id, records::named_leaves};
use crate::Error;

/// Everything about pins lies below this: `TYPE/NAME/version`. Names may contain slashes, so each has a folder.
const ROOT: &str = "core/plugin-pins";

/// The one key in the folder of a plugin.
const LEAF: &str = "version";

/// The stored pins. One that is damaged is an error of its own plugin, and of nothing else.
pub(super) struct Pins(Arc<Barrier>);

/// The form in storage. It repeats the name, so that a record is of one piece.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(rename = "type")]
    plugin_type: PluginType,
    name: PluginName,
    version: PluginVersion,
}

impl Pins {
    pub(super) const fn new(barrier: Arc<Barrier>) -> Self {
        Self(barrier)
    }

    pub(super) async fn put(&self, pin: Id) -> Result<(), Error> {
        let key = key_of(pin.plugin_type, &pin.name)?;
        let Id { plugin_type, name, version } = pin;
        let bytes =
            serde_json::to_vec(&Stored { plugin_type, name, version }).map_err(StorageError::backend)?;
        Ok(self.0.put(key, bytes.into()).await?)
    }

    pub(super) async fn delete(&self, plugin_type: PluginType, name: &PluginName) -> Result<(), Error> {
        Ok(self.0.delete(key_of(plugin_type, name)?).await?)
    }

    /// The pinned version of a plugin.
    pub(super) async fn get(
        &self,
        plugin_type: PluginType,
        name: &PluginName,
    ) -> Result<Option<PluginVersion>, Error> {
        let damaged = || PluginError::DamagedPin { name: name.clone(), plugin_type };
        let stored = match self.0.get(&key_of(plugin_type, name)?).await {
            Ok(None) => return Ok(None),
            Ok(Some(bytes)) => decode(plugin_type, name, &bytes),
            Err(StorageError::Damaged(_)) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Some(stored.ok_or_else(damaged)?))
    }

    /// All pins that can be read, by type and name.
    pub(super) async fn list(&self) -> Result<Vec<Id>, Error> {
        let mut pins = Vec::new();
        for plugin_type in PluginType::ALL {
            let root = format!("{ROOT}/{plugin_type}/").parse()?;
            for (name, _) in named_leaves(&self.0, root).await? {
                match self.get(plugin_type, &name).await {
                    Ok(Some(version)) => pins.push(Id { plugin_type, name, version }),
                    Ok(None) => {}
                    Err(Error::Plugin(error @ PluginError::DamagedPin { .. })) => {
                        tracing::error!(%error, "a pin is left out of the list");
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        pins.sort_unstable();
        Ok(pins)
    }
}

/// `None` when these bytes are no pin of that plugin.
fn decode(plugin_type: PluginType, name: &PluginName, bytes: &Bytes) -> Option<PluginVersion> {
    let stored: Stored = serde_json::from_slice(bytes).ok()?;
    (stored.plugin_type == plugin_type && stored.name == *name).then_some(stored.version)
}

fn key_of(plugin_type: PluginType, name: &PluginName) -> Result<Key, ::storage::InvalidKey> {
    format!("{ROOT}/{plugin_type}/{name}/{LEAF}").parse()
}

#[cfg(test)]
mod tests {
    use ::storage::{InMemory, barrier::SealConfig};

    use super::*;

    async fn pins() -> (Arc<InMemory>, Pins) {
        let below = Arc::new(InMemory::new());
        let barrier = Barrier::new(below.clone());
        let shares = barrier.init(SealConfig::new(1, 1).unwrap(), Vec::new()).await.unwrap();
        barrier.unseal(&shares).await.unwrap();
        (below, Pins::new(Arc::new(barrier)))
    }

    fn pin(name: &str, version: &str) -> Id {
        Id { plugin_type: PluginType::Secret, name: name.parse().unwrap(), version: version.parse().unwrap() }
    }

    #[tokio::test]
    async fn pins_are_one_a_plugin_whatever_its_name() {
        let (_, pins) = pins().await;
        for (name, version) in [("a", "1.0.0"), ("a/b", "2.0.0"), ("a/version", "3.0.0"), ("a", "1.1.0")] {
            pins.put(pin(name, version)).await.unwrap();
        }
        let all = [pin("a", "1.1.0"), pin("a/b", "2.0.0"), pin("a/version", "3.0.0")];
        assert_eq!(pins.list().await.unwrap(), all);
        for Id { plugin_type, name, version } in all {
            assert_eq!(pins.get(plugin_type, &name).await.unwrap(), Some(version));
            pins.delete(plugin_type, &name).await.unwrap();
            assert_eq!(pins.get(plugin_type, &name).await.unwrap(), None);
        }
        assert!(pins.list().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn c1_a_pin_that_does_not_open_harms_only_its_plugin() {
        let (below, pins) = pins().await;
        for name in ["cut", "whole"] {
            pins.put(pin(name, "1.0.0")).await.unwrap();
        }
        let at = "data/core/plugin-pins/secret/cut/version".parse::<Key>().unwrap();
        let whole = below.get(&at).await.unwrap().unwrap();
        below.put(at, whole.slice(..20)).await.unwrap();
        let cut = pin("cut", "1.0.0");
        let refused = pins.get(cut.plugin_type, &cut.name).await;
        assert!(matches!(refused, Err(Error::Plugin(PluginError::DamagedPin { .. }))), "{refused:?}");
        assert_eq!(pins.list().await.unwrap(), [pin("whole", "1.0.0")]);
        pins.put(cut.clone()).await.unwrap();
        assert_eq!(pins.get(cut.plugin_type, &cut.name).await.unwrap(), Some(cut.version));
    }
}
