use domain::{PluginName, PluginType, Sandbox};
use wire::catalog::v1::{ListRuntimesReply, Plugin, Runtime, RuntimeRequest};

use super::{PluginError, PluginsService, records::Found};
use crate::Error;

impl PluginsService {
    /// Only with a sandbox that there is a plugin is registered. To be called under the lock that keeps it there.
    pub(super) async fn check_runtime(&self, name: Option<&PluginName>) -> Result<(), Error> {
        match name {
            Some(name) if !self.runtimes.is_there(name).await? => {
                Err(PluginError::Runtime(name.to_string()).into())
            }
            _ => Ok(()),
        }
    }

    /// An entry with all that its process is confined by.
    pub(super) async fn with_sandbox(&self, plugin: Plugin) -> Result<Plugin, Error> {
        if plugin.runtime.is_empty() {
            return Ok(plugin);
        }
        let name: PluginName = plugin.runtime.parse().map_err(PluginError::from)?;
        let sandbox = self.runtimes.get(&name).await?;
        let sandbox = sandbox.ok_or_else(|| PluginError::Runtime(name.to_string()))?;
        Ok(Plugin { sandbox: Some(sandbox.into()), ..plugin })
    }

    pub(super) async fn put_sandbox(&self, runtime: Runtime) -> Result<(), Error> {
        self.check_unsealed()?;
        let name: PluginName = runtime.name.parse().map_err(PluginError::from)?;
        let sandbox = Sandbox::try_from(runtime.sandbox.unwrap_or_default()).map_err(PluginError::from)?;
        let _binding = self.binding.lock().await;
        self.runtimes.put(name.clone(), sandbox).await?;
        tracing::info!(runtime = %name, "sandbox for plugins stored");
        Ok(())
    }

    pub(super) async fn read_sandbox(&self, request: RuntimeRequest) -> Result<Runtime, Error> {
        self.check_unsealed()?;
        let name: PluginName = request.name.parse().map_err(PluginError::from)?;
        let sandbox = self.runtimes.get(&name).await?.ok_or(PluginError::NoEntry)?;
        Ok(Runtime { name: name.into(), sandbox: Some(sandbox.into()) })
    }

    pub(super) async fn listed_sandboxes(&self) -> Result<ListRuntimesReply, Error> {
        self.check_unsealed()?;
        let all = self.runtimes.list().await?.into_iter();
        let runtimes =
            all.map(|(name, sandbox)| Runtime { name: name.into(), sandbox: Some(sandbox.into()) }).collect();
        Ok(ListRuntimesReply { runtimes })
    }

    pub(super) async fn delete_sandbox(&self, request: RuntimeRequest) -> Result<(), Error> {
        self.check_unsealed()?;
        let name: PluginName = request.name.parse().map_err(PluginError::from)?;
        let _binding = self.binding.lock().await;
        if !self.runtimes.is_there(&name).await? {
            return Err(PluginError::NoEntry.into());
        }
        let plugins = self.plugins_with(&name).await?;
        if !plugins.is_empty() {
            return Err(PluginError::RuntimeInUse { name, plugins }.into());
        }
        self.runtimes.delete(&name).await?;
        tracing::info!(runtime = %name, "sandbox for plugins deleted");
        Ok(())
    }

    /// The plugins that are registered with a sandbox.
    async fn plugins_with(&self, runtime: &PluginName) -> Result<Vec<PluginName>, Error> {
        let mut names = Vec::new();
        for plugin_type in PluginType::ALL {
            names.extend(self.records.list(plugin_type).await?.into_iter().filter_map(|found| match found {
                Found::Whole(record) if record.runtime.as_ref() == Some(runtime) => Some(record.id.name),
                _ => None,
            }));
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }
}
