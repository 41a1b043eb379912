use std::{collections::HashMap, sync::Arc};

use domain::{PluginType, PluginVersion};

use super::{Mount, Mounts};
use crate::{core::is_passing, plugins::Catalog};

/// What decides which file a mount runs.
type Program = (PluginType, String, PluginVersion);

impl Mounts {
    /// Looks at the files of external plugins, so that a mount whose plugin could not start is listed as degraded before
    /// somebody needs it. Nothing is started, and nothing waits for this.
    pub(crate) fn inspect_in_background(self: Arc<Self>, catalog: Catalog) {
        let programs = self.external_programs();
        if programs.is_empty() {
            return;
        }
        tokio::spawn(async move {
            for ((plugin_type, name, version), mounts) in programs {
                let Err(error) = catalog.inspect(&name, plugin_type, &version).await else { continue };
                if is_passing(error.kind()) {
                    return;
                }
                tracing::warn!(plugin = name, %version, %error, mounts = mounts.len(), "mounts are degraded");
                let reason = error.to_string();
                mounts.iter().for_each(|mount| mount.would_fail(&reason));
            }
        });
    }

    fn external_programs(&self) -> HashMap<Program, Vec<Arc<Mount>>> {
        let mut programs: HashMap<Program, Vec<Arc<Mount>>> = HashMap::new();
        for (_, mount) in self.snapshot().iter() {
            if mount.is_core() || mount.damage.is_some() || !mount.serves() || mount.facts().builtin {
                continue;
            }
            let entry = &mount.entry;
            let program = (entry.kind.plugin_type(), entry.plugin.clone(), entry.plugin_version.clone());
            programs.entry(program).or_default().push(mount.clone());
        }
        programs
    }
}
