use std::{collections::HashMap, sync::Arc};

use domain::{Kind, MountConfig, MountEntry, MountFacts, MountKind, MountPath, MountState, PluginVersion};
use uuid::Uuid;

use super::{Mount, Mounts, Refusal, defaults::accessor};
use crate::{
    Error,
    core::is_passing,
    error::Result,
    plugins::{self, Catalog},
};

/// A mount that somebody would like to have.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) path: MountPath,
    pub(crate) kind: MountKind,
    pub(crate) plugin: String,
    pub(crate) version: PluginVersion,
    pub(crate) description: String,
    pub(crate) options: HashMap<String, String>,
    pub(crate) local: bool,
    pub(crate) seal_wrap: bool,
    pub(crate) external_entropy_access: bool,
    pub(crate) config: MountConfig,
}

/// The first segments of paths where nothing can be mounted.
const RESERVED: [&str; 5] = ["audit/", "auth/", "sys/", "cubbyhole/", "identity/"];
/// Types of which there is one mount, and it is always there.
const SINGLETONS: [&str; 4] = ["cubbyhole", "system", "token", "identity"];

/// Whether secrets engines have no business at a path.
pub(super) fn is_reserved(path: &MountPath) -> bool {
    RESERVED.iter().any(|reserved| path.as_str().starts_with(reserved))
}

impl Mounts {
    /// Mounts a plugin: its place is taken first, then its plugin started, then the mount becomes visible. What a kill
    /// interrupts is undone at the next start.
    pub(crate) async fn enable(&self, catalog: &Catalog, mut wish: Wish) -> Result<()> {
        check_place(&wish)?;
        if wish.plugin == "kv" || wish.plugin == "generic" {
            check_version_option(&wish)?;
        }
        let plugin_type = wish.kind.plugin_type();
        if !wish.version.is_none()
            && let Some(pinned) = catalog.pinned(&wish.plugin, plugin_type).await?
        {
            return Err(Refusal::PinnedElsewhere { plugin_type, plugin: wish.plugin, pinned }.into());
        }
        let plugin = catalog.choose(&wish.plugin, plugin_type, &wish.version).await?;
        if plugin.builtin && wish.plugin != "kv" && wish.options.contains_key("version") {
            return Err(match wish.kind {
                MountKind::Secret => Refusal::SecretVersion(wish.plugin).into(),
                MountKind::Auth => Refusal::AuthVersion(wish.plugin).into(),
            });
        }
        if !plugin.builtin {
            wish.version = plugins::version_of(&plugin);
        }
        let mount = self.take_place(wish).await?;
        let visible = match self.launch.first(&mount.entry).await {
            Ok(facts) => self.become_visible(&mount, facts).await,
            Err(error) => Err(as_refusal(error)),
        };
        if visible.is_err() {
            self.give_up(&mount).await;
        }
        visible
    }

    async fn take_place(&self, wish: Wish) -> Result<Arc<Mount>> {
        let entry = MountEntry {
            uuid: Uuid::new_v4().to_string(),
            backend_uuid: Uuid::new_v4().to_string(),
            accessor: accessor(wish.kind, &wish.plugin)?,
            path: wish.path,
            kind: wish.kind,
            plugin: wish.plugin,
            plugin_version: wish.version,
            description: wish.description,
            options: Some(wish.options),
            local: wish.local,
            seal_wrap: wish.seal_wrap,
            external_entropy_access: wish.external_entropy_access,
            config: wish.config,
            state: MountState::Enabling,
        };
        let mount = Arc::new(Mount::new(entry, MountFacts::default()));
        let _turn = self.turn.lock().await;
        self.refuse_place(&mount.entry.path)?;
        if let Some(taken) = self.snapshot().overlap(&mount.entry.path) {
            return Err(Refusal::InUse(domain::PathInUse(shown(taken))).into());
        }
        self.persist(&mount).await?;
        self.publish(|table| table.insert(mount.entry.path.clone(), mount.clone()))
            .map_err(Refusal::InUse)?;
        Ok(mount)
    }

    /// Undoes what was begun. What cannot be undone now is undone by a deletion, or at the next start.
    async fn give_up(&self, mount: &Mount) {
        let path = &mount.entry.path;
        let tainted = mount.with(MountEntry { state: MountState::Removing, ..mount.entry.clone() });
        let turn = self.turn.lock().await;
        self.publish(|table| table.replace(path, Arc::new(tainted)));
        drop(turn);
        if let Err(error) = self.remove(mount).await {
            tracing::warn!(mount = %path, error = %error, "a mount that did not start is not removed yet");
        }
    }

    async fn become_visible(&self, mount: &Mount, facts: MountFacts) -> Result<()> {
        let _turn = self.turn.lock().await;
        mount.started(facts, mount.entry.plugin_version.clone());
        let mounted = mount.with(MountEntry { state: MountState::Mounted, ..mount.entry.clone() });
        self.persist(&mounted).await?;
        let path = mounted.entry.path.clone();
        tracing::info!(mount = %path, plugin = mounted.entry.plugin, "mounted");
        self.publish(|table| table.replace(&path, Arc::new(mounted)));
        Ok(())
    }
}

/// As clients know it: auth methods without the `auth/` in front.
fn shown(path: &MountPath) -> MountPath {
    let short = path.as_str().strip_prefix("auth/").and_then(|rest| rest.parse().ok());
    short.unwrap_or_else(|| path.clone())
}

fn check_place(wish: &Wish) -> Result<(), Refusal> {
    let singleton = SINGLETONS.contains(&wish.plugin.as_str());
    match wish.kind {
        MountKind::Secret if is_reserved(&wish.path) => Err(Refusal::Reserved(wish.path.clone())),
        MountKind::Secret if singleton => Err(Refusal::Singleton(wish.plugin.clone())),
        MountKind::Auth if wish.plugin == "token" => Err(Refusal::TokenSingleton),
        _ => Ok(()),
    }
}

fn check_version_option(wish: &Wish) -> Result<(), Refusal> {
    match wish.options.get("version").map(String::as_str) {
        None | Some("" | "1" | "2") => Ok(()),
        Some(other) => Err(Refusal::OptionVersion(other.to_owned())),
    }
}

/// A plugin that does not start is the caller's to mend, and asking again does not help.
fn as_refusal(error: Error) -> Error {
    match error {
        Error::Below(mut failure) if !is_passing(failure.kind) => {
            failure.kind = Kind::Invalid;
            Error::Below(failure)
        }
        other => other,
    }
}
