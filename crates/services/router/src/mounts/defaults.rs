use domain::{MountConfig, MountEntry, MountFacts, MountKind, MountState, PluginVersion};
use uuid::Uuid;
use wire::catalog::v1::Write;

use super::record::{Record, key};
use crate::{error::Result, random, store::put};

/// A mount that is always there.
struct Default {
    path: &'static str,
    kind: MountKind,
    plugin: &'static str,
    description: &'static str,
    local: bool,
    seal_wrap: bool,
    passthrough: &'static [&'static str],
}

const DEFAULTS: [Default; 4] = [
    Default {
        path: "sys/",
        kind: MountKind::Secret,
        plugin: "system",
        description: "system endpoints used for control, policy and debugging",
        local: false,
        seal_wrap: true,
        passthrough: &["Accept"],
    },
    Default {
        path: "identity/",
        kind: MountKind::Secret,
        plugin: "identity",
        description: "identity store",
        local: false,
        seal_wrap: false,
        passthrough: &["Authorization"],
    },
    Default {
        path: "auth/token/",
        kind: MountKind::Auth,
        plugin: "token",
        description: "token based credentials",
        local: false,
        seal_wrap: false,
        passthrough: &[],
    },
    Default {
        path: "cubbyhole/",
        kind: MountKind::Secret,
        plugin: "cubbyhole",
        description: "per-token private secret storage",
        local: true,
        seal_wrap: false,
        passthrough: &[],
    },
];

/// The records of the mounts that are always there.
pub(crate) fn first_writes() -> Result<Vec<Write>> {
    let entries = entries()?.into_iter();
    let write = |entry: MountEntry| put(key(&entry.uuid), &Record { entry, facts: MountFacts::default() });
    Ok(entries.map(write).collect())
}

/// The mounts that are always there, with new identities.
pub(super) fn entries() -> Result<Vec<MountEntry>> {
    DEFAULTS.iter().map(Default::entry).collect()
}

impl Default {
    fn entry(&self) -> Result<MountEntry> {
        let passthrough = self.passthrough.iter().map(|&name| name.to_owned()).collect();
        Ok(MountEntry {
            uuid: Uuid::new_v4().to_string(),
            backend_uuid: Uuid::new_v4().to_string(),
            path: self.path.parse().expect("the paths above are paths"),
            kind: self.kind,
            plugin: self.plugin.to_owned(),
            plugin_version: PluginVersion::NONE,
            accessor: accessor(self.kind, self.plugin)?,
            description: self.description.to_owned(),
            options: None,
            local: self.local,
            seal_wrap: self.seal_wrap,
            external_entropy_access: false,
            config: MountConfig { passthrough_request_headers: passthrough, ..MountConfig::default() },
            state: MountState::Mounted,
        })
    }
}

/// A new accessor: `kv_3a1b2c4d`, `auth_userpass_3a1b2c4d`.
pub(super) fn accessor(kind: MountKind, plugin: &str) -> Result<String> {
    let prefix = if kind == MountKind::Auth { "auth_" } else { "" };
    Ok(format!("{prefix}{plugin}_{}", hex::encode(random::bytes::<4>()?)))
}
