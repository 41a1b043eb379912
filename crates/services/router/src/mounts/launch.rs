use std::time::Duration;

use domain::{LeaseLimits, MountEntry, MountFacts, SpecialPaths};
use wire::launcher::v1::{LauncherSeam, MountReply, MountRequest, MountSpec, Reason, UnmountRequest};

use super::Mount;
use crate::{error::Result, namespaces::Namespace};

/// How mounts are told to the launcher.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) launcher: LauncherSeam,
    pub(crate) default_lease_ttl: Duration,
    pub(crate) max_lease_ttl: Duration,
    /// Which the mounts are in.
    pub(crate) namespace: Namespace,
}

impl Launch {
    /// How long leases of a mount last, with the system's times where it has none of its own.
    pub(crate) fn ttl(&self, entry: &MountEntry) -> LeaseLimits {
        let or = |own: Duration, system| if own.is_zero() { system } else { own };
        let max = or(entry.config.max_lease_ttl, self.max_lease_ttl);
        LeaseLimits { default: or(entry.config.default_lease_ttl, self.default_lease_ttl).min(max), max }
    }

    /// Starts the plugin of a mount that has just been asked for.
    pub(super) async fn first(&self, entry: &MountEntry) -> Result<MountFacts> {
        let request = MountRequest { spec: Some(self.spec(entry)), fresh: true };
        Ok(facts(self.launcher.mount(request).await?.into_inner()))
    }

    /// Starts the plugin of a mount, or joins it; repeating it is harmless.
    pub(super) async fn again(&self, entry: &MountEntry) -> Result<MountFacts> {
        let request = MountRequest { spec: Some(self.spec(entry)), fresh: false };
        Ok(facts(self.launcher.mount(request).await?.into_inner()))
    }

    /// Tells a running plugin about new settings; its version stays.
    pub(super) async fn tune(&self, mount: &Mount) -> Result<MountFacts> {
        let version = mount.launched().to_string();
        let spec = MountSpec { version, ..self.spec(&mount.entry) };
        let request = MountRequest { spec: Some(spec), fresh: false };
        Ok(facts(self.launcher.tune(request).await?.into_inner()))
    }

    /// Starts the plugin that the mount asks for, and lets it take over.
    pub(super) async fn reload(&self, entry: &MountEntry) -> Result<MountFacts> {
        let request = MountRequest { spec: Some(self.spec(entry)), fresh: true };
        Ok(facts(self.launcher.tune(request).await?.into_inner()))
    }

    pub(super) async fn unmount(&self, mount: &Mount) -> Result<()> {
        let request = UnmountRequest { uuid: mount.entry.uuid.clone(), reason: Reason::Disabled.into() };
        self.launcher.unmount(request).await?;
        Ok(())
    }

    fn spec(&self, entry: &MountEntry) -> MountSpec {
        let ttl = self.ttl(entry);
        MountSpec {
            uuid: entry.uuid.clone(),
            backend_uuid: entry.backend_uuid.clone(),
            path: format!("{}{}", self.namespace.path, entry.path),
            namespace: self.namespace.uuid_below_root(),
            accessor: entry.accessor.clone(),
            r#type: entry.kind.plugin_type().word().to_owned(),
            plugin: entry.plugin.clone(),
            version: entry.plugin_version.to_string(),
            options: entry.options.clone().unwrap_or_default(),
            default_lease_ttl: nanos(ttl.default),
            max_lease_ttl: nanos(ttl.max),
            local: entry.local,
            force_no_cache: entry.config.force_no_cache,
        }
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

fn facts(reply: MountReply) -> MountFacts {
    let paths = reply.special_paths.unwrap_or_default();
    MountFacts {
        special_paths: SpecialPaths { root: paths.root, unauthenticated: paths.unauthenticated },
        builtin: reply.builtin,
        running_version: reply.running_version,
        running_sha256: hex::encode(reply.running_sha256),
    }
}
