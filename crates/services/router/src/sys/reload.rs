use std::sync::Arc;

use domain::{MountKind, Operation::Update};
use serde_json::json;

use super::Unfit;
use crate::{
    Error,
    answer::{Answer, json},
    ask::Ask,
    endpoint::{Access, Endpoint},
    error::Result,
    mounts::{Mount, Snapshot},
    plugins::Catalog,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        pattern: "plugins/reload/backend",
        access: Access::Token,
        on_top: false,
        operations: &[(Update, |ask| Box::pin(reload(ask)))],
        help: "Starts plugins anew: those of the mounts that are named, or one plugin wherever it is mounted.",
    },
    Endpoint {
        pattern: "plugins/reload/:type/*name",
        access: Access::Token,
        on_top: false,
        operations: &[(Update, |ask| Box::pin(reload_named(ask)))],
        help: "Starts a plugin anew, wherever it is mounted; the type is auth, database, secret or unknown.",
    },
];

async fn reload(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let plugin = fields.text("plugin")?.unwrap_or_default();
    let mounts = fields.list("mounts")?.unwrap_or_default();
    let snapshot = ask.active()?.mounts.snapshot();
    let chosen = match (plugin.is_empty(), mounts.is_empty()) {
        (false, false) => return Err(Unfit::PluginAndMounts.into()),
        (true, true) => return Err(Unfit::NeitherPluginNorMounts.into()),
        (false, true) => of_plugin(&snapshot, &plugin, |_| true),
        (true, false) => named(&snapshot, &mounts)?,
    };
    let scope = fields.text("scope")?.unwrap_or_default();
    restart(&ask, chosen, &scope).await
}

async fn reload_named(ask: Ask) -> Result<Answer> {
    let wanted = |kind: MountKind| match ask.capture("type") {
        "auth" => kind == MountKind::Auth,
        "secret" => kind == MountKind::Secret,
        "unknown" => true,
        _ => false,
    };
    if !matches!(ask.capture("type"), "auth" | "secret" | "database" | "unknown") {
        return Err(Error::UnsupportedPath);
    }
    let chosen = of_plugin(&ask.active()?.mounts.snapshot(), ask.capture("name"), wanted);
    let scope = ask.fields()?.text("scope")?.unwrap_or_default();
    restart(&ask, chosen, &scope).await
}

fn of_plugin(snapshot: &Snapshot, plugin: &str, wanted: impl Fn(MountKind) -> bool) -> Vec<Arc<Mount>> {
    let mounts = snapshot.iter().map(|(_, mount)| mount);
    let of_plugin = mounts.filter(|mount| mount.entry.plugin == plugin && wanted(mount.entry.kind));
    of_plugin.filter(|mount| mount.serves() && !mount.is_core()).cloned().collect()
}

/// Mounts by path; those that have no plugin are passed over.
fn named(snapshot: &Snapshot, paths: &[String]) -> Result<Vec<Arc<Mount>>, Unfit> {
    let mut chosen = Vec::new();
    for given in paths {
        let missing = || Unfit::NoMountToReload(format!("{}/", given.trim_end_matches('/')));
        let path = if given.starts_with("sys/auth/") { &given["sys/".len()..] } else { given };
        let path = path.parse().map_err(|_| missing())?;
        let mount = snapshot.get(&path).filter(|mount| mount.serves()).ok_or_else(missing)?;
        if !mount.is_core() {
            chosen.push(mount.clone());
        }
    }
    Ok(chosen)
}

async fn restart(ask: &Ask, chosen: Vec<Arc<Mount>>, scope: &str) -> Result<Answer> {
    if !matches!(scope, "" | "global") {
        return Err(Unfit::ReloadScope.into());
    }
    let catalog = Catalog(ask.core.clients.plugins.clone());
    for mount in &chosen {
        ask.active()?.mounts.reload(&catalog, mount).await?;
    }
    let data = json!({ "reload_id": ask.id });
    Ok(match (scope, chosen.is_empty()) {
        ("global", _) => Answer::Accepted { data: json(&data), warnings: Vec::new() },
        (_, true) => Answer::warned(&data, "no plugins were reloaded"),
        (_, false) => Answer::data(&data),
    })
}
