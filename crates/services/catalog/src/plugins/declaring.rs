use std::collections::BTreeSet;

use bytes::Bytes;
use domain::{DeclaredPlugin, PluginType};
use wire::catalog::v1::Plugin;

use super::{
    DownloadFailed, PluginError, PluginsService, images,
    record::{Id, Record},
    records::Found,
    registration,
};
use crate::{Declared, Error};

impl PluginsService {
    /// Does what a configuration declares: downloads at once, registers as soon as the barrier is open.
    pub(crate) async fn declare(&self, declared: Declared) -> Result<(), DownloadFailed> {
        if let Some(config) = &declared.download {
            images::download(&self.directory, &declared.plugins, config).await?;
        }
        self.declared.store(declared.into());
        if !self.barrier.is_sealed() {
            self.register_declared().await;
        }
        Ok(())
    }

    /// Makes the catalog what the configuration declares. What goes wrong concerns one plugin, and keeps nothing closed.
    pub(crate) async fn register_declared(&self) {
        let declared = self.declared.load_full();
        if !declared.register {
            return;
        }
        for plugin in &declared.plugins {
            let (name, r#type, version) = (&plugin.name, plugin.plugin_type, &plugin.version);
            match self.register_one(plugin).await {
                Ok(true) => {
                    tracing::info!(plugin = %name, %r#type, %version, "a declared plugin was registered")
                }
                Ok(false) => {}
                Err(error) => tracing::error!(
                    plugin = %name, %r#type, %version, %error, "a declared plugin cannot be registered"
                ),
            }
        }
        if let Err(error) = self.forget_undeclared(&declared.plugins).await {
            tracing::error!(%error, "plugins that are no longer declared cannot be found");
        }
    }

    /// Whether there was something to do.
    async fn register_one(&self, plugin: &DeclaredPlugin) -> Result<bool, Error> {
        let wanted = registration::check(registration_of(plugin))?.declared();
        let id = wanted.id.clone();
        let _binding = self.binding.lock().await;
        match self.records.get(id).await? {
            Some(Found::Whole(Record { id: Id { plugin_type, name, .. }, declared: false, .. })) => {
                return Err(PluginError::NotDeclared { name, plugin_type }.into());
            }
            // What is as it was declared has been looked at, and is looked at again before it runs.
            Some(Found::Whole(found)) if found == wanted.clone().with(plugin.sha256) => return Ok(false),
            _ => {}
        }
        let record = self.completed(wanted).await?;
        self.records.put(record).await?;
        Ok(true)
    }

    /// Deregisters what an earlier configuration declared.
    async fn forget_undeclared(&self, plugins: &[DeclaredPlugin]) -> Result<(), Error> {
        let declared: BTreeSet<Id> = plugins.iter().map(id_of).collect();
        let _binding = self.binding.lock().await;
        for plugin_type in PluginType::ALL {
            for found in self.records.list(plugin_type).await? {
                let Found::Whole(Record { id, declared: true, .. }) = found else { continue };
                if declared.contains(&id) {
                    continue;
                }
                let forgotten = match self.check_not_pinned(&id).await {
                    Ok(()) => self.records.delete(&id).await,
                    pinned => pinned,
                };
                let (name, r#type, version) = (&id.name, id.plugin_type, &id.version);
                match forgotten {
                    Ok(()) => tracing::info!(
                        plugin = %name, %r#type, %version, "a plugin that is no longer declared was deregistered"
                    ),
                    Err(error) => tracing::error!(
                        plugin = %name, %r#type, %version, %error, "a plugin that is no longer declared stays"
                    ),
                }
            }
        }
        Ok(())
    }
}

fn id_of(plugin: &DeclaredPlugin) -> Id {
    Id { plugin_type: plugin.plugin_type, name: plugin.name.clone(), version: plugin.version.clone() }
}

/// As an operator would ask for it.
fn registration_of(plugin: &DeclaredPlugin) -> Plugin {
    Plugin {
        sha256: Bytes::copy_from_slice(plugin.sha256.as_bytes()),
        command: plugin.command(),
        args: plugin.args.clone(),
        env: plugin.env.clone(),
        ..id_of(plugin).into()
    }
}
