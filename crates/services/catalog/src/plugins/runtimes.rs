use std::sync::Arc;

use ::storage::{Barrier, Error as StorageError, Key, Storage as _};
use domain::{PluginName, Sandbox};
use serde::{Deserialize, Serialize};

use super::PluginError;
use crate::Error;

/// Every sandbox lies below this, under its name.
const ROOT: &str = "core/plugin-runtimes/sandbox/";

/// The stored sandboxes. One that is damaged is an error of the plugins that are registered with it, and of nothing else.
pub(super) struct Runtimes(Arc<Barrier>);

/// The form in storage. It repeats the name, so that a record is of one piece.
#[derive(Serialize, Deserialize)]
struct Stored {
    name: PluginName,
    sandbox: Sandbox,
}

impl Runtimes {
    pub(super) const fn new(barrier: Arc<Barrier>) -> Self {
        Self(barrier)
    }

    pub(super) async fn put(&self, name: PluginName, sandbox: Sandbox) -> Result<(), Error> {
        let key = key_of(&name)?;
        let bytes = serde_json::to_vec(&Stored { name, sandbox }).map_err(StorageError::backend)?;
        Ok(self.0.put(key, bytes.into()).await?)
    }

    pub(super) async fn delete(&self, name: &PluginName) -> Result<(), Error> {
        Ok(self.0.delete(key_of(name)?).await?)
    }

    /// Whether there is one, be it damaged.
    pub(super) async fn is_there(&self, name: &PluginName) -> Result<bool, Error> {
        match self.0.get(&key_of(name)?).await {
            Ok(found) => Ok(found.is_some()),
            Err(StorageError::Damaged(_)) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn get(&self, name: &PluginName) -> Result<Option<Sandbox>, Error> {
        let stored = match self.0.get(&key_of(name)?).await {
            Ok(None) => return Ok(None),
            Ok(Some(bytes)) => serde_json::from_slice::<Stored>(&bytes).ok(),
            Err(StorageError::Damaged(_)) => None,
            Err(error) => return Err(error.into()),
        };
        match stored.filter(|stored| stored.name == *name) {
            Some(stored) => Ok(Some(stored.sandbox)),
            None => Err(PluginError::DamagedRuntime(name.clone()).into()),
        }
    }

    /// All that can be read, by name.
    pub(super) async fn list(&self) -> Result<Vec<(PluginName, Sandbox)>, Error> {
        let mut found = Vec::new();
        for child in self.0.list(&ROOT.parse()?).await? {
            let Ok(name) = child.parse::<PluginName>() else { continue };
            match self.get(&name).await {
                Ok(sandbox) => found.extend(sandbox.map(|sandbox| (name, sandbox))),
                Err(Error::Plugin(error @ PluginError::DamagedRuntime(_))) => {
                    tracing::error!(%error, "a sandbox is left out of the list");
                }
                Err(error) => return Err(error),
            }
        }
        found.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(found)
    }
}

fn key_of(name: &PluginName) -> Result<Key, ::storage::InvalidKey> {
    format!("{ROOT}{name}").parse()
}

#[cfg(test)]
mod tests {
    use ::storage::{InMemory, barrier::SealConfig};

    use super::*;

    #[tokio::test]
    async fn c1_a_sandbox_that_does_not_open_harms_only_its_plugins() {
        let below = Arc::new(InMemory::new());
        let barrier = Barrier::new(below.clone());
        let shares = barrier.init(SealConfig::new(1, 1).unwrap(), Vec::new()).await.unwrap();
        barrier.unseal(&shares).await.unwrap();
        let runtimes = Runtimes::new(Arc::new(barrier));
        let [cut, whole] = ["cut", "whole"].map(|name| name.parse::<PluginName>().unwrap());
        for name in [&cut, &whole] {
            runtimes.put(name.clone(), Sandbox::default()).await.unwrap();
        }
        let at = |name: &str| format!("data/{ROOT}{name}").parse::<Key>().unwrap();
        let sealed = below.get(&at("whole")).await.unwrap().unwrap();
        for damaged in [sealed.slice(..20), sealed] {
            below.put(at("cut"), damaged).await.unwrap();
            let refused = runtimes.get(&cut).await;
            assert!(matches!(refused, Err(Error::Plugin(PluginError::DamagedRuntime(_)))), "{refused:?}");
            assert!(runtimes.is_there(&cut).await.unwrap());
            assert_eq!(runtimes.list().await.unwrap(), [(whole.clone(), Sandbox::default())]);
        }
        runtimes.delete(&cut).await.unwrap();
        assert_eq!(runtimes.get(&cut).await.unwrap(), None);
    }
}
