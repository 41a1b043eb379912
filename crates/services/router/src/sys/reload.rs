use std::sync::Arc;

use domain::{MountKind, Operation::Update};
use serde_json::json;

use super::Unfit;
use crate::{
    Error,
    answer::{Answer, json},
    ask::Ask,
    core::Active,
    endpoint::Endpoint,
    error::Result,
    mounts::Mount,
    plugins::Catalog,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "plugins/reload/backend",
        &[(Update, |ask| Box::pin(reload(ask)))],
        "Starts plugins anew: those of the mounts that are named, or one plugin wherever it is mounted.",
    ),
    Endpoint::token(
        "plugins/reload/:type/*name",
        &[(Update, |ask| Box::pin(reload_named(ask)))],
        "Starts a plugin anew, wherever it is mounted; the type is auth, database, secret or unknown.",
    ),
];

/// A mount, and the namespace that it is in.
type Chosen = (Arc<Active>, Arc<Mount>);

async fn reload(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let plugin = fields.text("plugin")?.unwrap_or_default();
    let mounts = fields.list("mounts")?.unwrap_or_default();
    let chosen = match (plugin.is_empty(), mounts.is_empty()) {
        (false, false) => return Err(Unfit::PluginAndMounts.into()),
        (true, true) => return Err(Unfit::NeitherPluginNorMounts.into()),
        (false, true) => of_plugin(&ask, &plugin, |_| true)?,
        (true, false) => named(ask.active()?, &mounts)?,
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
    let chosen = of_plugin(&ask, ask.capture("name"), wanted)?;
    let scope = ask.fields()?.text("scope")?.unwrap_or_default();
    restart(&ask, chosen, &scope).await
}

/// The mounts of a plugin, here and in the namespaces below.
fn of_plugin(ask: &Ask, plugin: &str, wanted: impl Fn(MountKind) -> bool) -> Result<Vec<Chosen>> {
    let active = ask.active()?;
    let mut chosen = Vec::new();
    for active in
        [active.clone()].into_iter().chain(active.shared.namespaces.in_use_below(&active.namespace.path))
    {
        let snapshot = active.mounts.snapshot();
        let mounts = snapshot.iter().map(|(_, mount)| mount);
        let of_plugin = mounts.filter(|mount| mount.entry.plugin == plugin && wanted(mount.entry.kind));
        let serving = of_plugin.filter(|mount| mount.serves() && !mount.is_core());
        chosen.extend(serving.map(|mount| (active.clone(), mount.clone())));
    }
    Ok(chosen)
}

/// Mounts by path; those that have no plugin are passed over.
fn named(active: &Arc<Active>, paths: &[String]) -> Result<Vec<Chosen>, Unfit> {
    let snapshot = active.mounts.snapshot();
    let mut chosen = Vec::new();
    for given in paths {
        let missing = || Unfit::NoMountToReload(format!("{}/", given.trim_end_matches('/')));
        let path = if given.starts_with("sys/auth/") { &given["sys/".len()..] } else { given };
        let path = path.parse().map_err(|_| missing())?;
        let mount = snapshot.get(&path).filter(|mount| mount.serves()).ok_or_else(missing)?;
        if !mount.is_core() {
            chosen.push((active.clone(), mount.clone()));
        }
    }
    Ok(chosen)
}

async fn restart(ask: &Ask, chosen: Vec<Chosen>, scope: &str) -> Result<Answer> {
    if !matches!(scope, "" | "global") {
        return Err(Unfit::ReloadScope.into());
    }
    let catalog = Catalog(ask.core.clients.plugins.clone());
    for (active, mount) in &chosen {
        active.mounts.reload(&catalog, mount).await?;
    }
    let data = json!({ "reload_id": ask.id });
    Ok(match (scope, chosen.is_empty()) {
        ("global", _) => Answer::Accepted { data: json(&data), warnings: Vec::new() },
        (_, true) => Answer::warned(&data, "no plugins were reloaded"),
        (_, false) => Answer::data(&data),
    })
}
