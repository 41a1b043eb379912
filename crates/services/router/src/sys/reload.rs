use std::sync::Arc;

use domain::{
    Kind, MountKind,
    Operation::{Read, Update},
};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::json;

use super::{
    Unfit,
    reconnect::{is_engine, reconnect},
};
use crate::{
    Error,
    answer::{Answer, json},
    ask::Ask,
    core::Active,
    endpoint::Endpoint,
    error::Result,
    mounts::Mount,
    plugins::Catalog,
    reloads::Reload,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "plugins/reload/backend",
        &[(Update, |ask| Box::pin(reload(ask)))],
        "Starts plugins anew: those of the mounts that are named, or one plugin wherever it is mounted.",
    ),
    Endpoint::token(
        "plugins/reload/backend/status",
        &[(Read, |ask| Box::pin(status(ask)))],
        "Tells what became of a reload, by its id, on each node.",
    ),
    Endpoint::token(
        "plugins/reload/:type/*name",
        &[(Update, |ask| Box::pin(reload_named(ask))), (Read, |ask| Box::pin(status_named(ask)))],
        "Starts a plugin anew, wherever it is mounted; the type is auth, database, secret or unknown. Below it, status \
         tells what became of that.",
    ),
];

/// As many mounts are reloaded side by side.
const AT_ONCE: usize = 16;

/// A mount, and the namespace that it is in.
pub(super) type Chosen = (Arc<Active>, Arc<Mount>);

/// What is to be started anew.
struct Wish<'w> {
    mounts: Vec<Chosen>,
    /// The database plugin whose connections are opened anew.
    connections: Option<&'w str>,
}

async fn reload(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let plugin = fields.text("plugin")?.unwrap_or_default();
    let mounts = fields.list("mounts")?.unwrap_or_default();
    let chosen = match (plugin.is_empty(), mounts.is_empty()) {
        (false, false) => return Err(Unfit::PluginAndMounts.into()),
        (true, true) => return Err(Unfit::NeitherPluginNorMounts.into()),
        (false, true) => Wish { mounts: of_plugin(&ask, &plugin, |_| true)?, connections: Some(&plugin) },
        (true, false) => Wish { mounts: named(ask.active()?, &mounts)?, connections: None },
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
    let connections = matches!(ask.capture("type"), "database" | "unknown").then(|| ask.capture("name"));
    let chosen = Wish { mounts: of_plugin(&ask, ask.capture("name"), wanted)?, connections };
    let scope = ask.fields()?.text("scope")?.unwrap_or_default();
    restart(&ask, chosen, &scope).await
}

/// The mounts of a plugin, here and in the namespaces below.
fn of_plugin(ask: &Ask, plugin: &str, wanted: impl Fn(MountKind) -> bool) -> Result<Vec<Chosen>> {
    serving(ask, |mount| mount.entry.plugin == plugin && wanted(mount.entry.kind))
}

/// The mounts that serve, here and in the namespaces below.
fn serving(ask: &Ask, wanted: impl Fn(&Mount) -> bool) -> Result<Vec<Chosen>> {
    let active = ask.active()?;
    let mut chosen = Vec::new();
    let below = active.shared.namespaces.in_use_below(&active.namespace.path)?;
    for active in [active.clone()].into_iter().chain(below) {
        let snapshot = active.mounts.snapshot();
        let mounts = snapshot.iter().map(|(_, mount)| mount);
        let serving = mounts.filter(|mount| mount.serves() && !mount.is_core() && wanted(mount));
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

async fn restart(ask: &Ask, chosen: Wish<'_>, scope: &str) -> Result<Answer> {
    if !matches!(scope, "" | "global") {
        return Err(Unfit::ReloadScope.into());
    }
    let outcome = restart_all(ask, chosen).await;
    let error = outcome.as_ref().err().map(ToString::to_string).unwrap_or_default();
    ask.core.reloads.ended(Reload { id: ask.id.clone(), ended: Timestamp::now(), error });
    let nothing = outcome? == 0;
    let data = json!({ "reload_id": ask.id });
    Ok(match (scope, nothing) {
        ("global", _) => Answer::Accepted { data: json(&data), warnings: Vec::new() },
        (_, true) => Answer::warned(&data, "no plugins were reloaded"),
        (_, false) => Answer::data(&data),
    })
}

/// One that cannot be reloaded keeps none of the others from it. Returns how many were.
async fn restart_all(ask: &Ask, chosen: Wish<'_>) -> Result<usize> {
    let catalog = &Catalog(ask.core.clients.plugins.clone());
    let looked = chosen.mounts.into_iter().map(async |(active, mount)| {
        let same = active.mounts.keeps_version(catalog, &mount).await;
        (active, mount, same)
    });
    let looked: Vec<_> = stream::iter(looked).buffered(AT_ONCE).collect().await;
    // Those that keep their version go first: who comes from another one joins their new process, not the old one.
    let (staying, coming): (Vec<_>, Vec<_>) = looked.into_iter().partition(|(.., same)| *same);
    let mut outcomes: Vec<Result<usize>> = Vec::new();
    for mounts in [staying, coming] {
        let reloads = mounts
            .into_iter()
            .map(async |(active, mount, _)| active.mounts.reload(catalog, &mount).await.map(|()| 1));
        outcomes.extend(stream::iter(reloads).buffered(AT_ONCE).collect::<Vec<_>>().await);
    }
    if let Some(plugin) = chosen.connections {
        let engines = serving(ask, is_engine)?.into_iter();
        let reopened = engines.map(|engine| reconnect(ask, engine, plugin));
        outcomes.extend(stream::iter(reopened).buffered(AT_ONCE).collect::<Vec<_>>().await);
    }
    let (mut count, mut messages) = (0, Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(some) => count += some,
            Err(error @ (Error::Sealed | Error::SteppedDown)) => return Err(error),
            Err(error) => messages.push(error.to_string()),
        }
    }
    if messages.is_empty() { Ok(count) } else { Err(Error::Several { kind: Kind::Internal, messages }) }
}

async fn status(ask: Ask) -> Result<Answer> {
    let id = ask.fields()?.text("reload_id")?.unwrap_or_default();
    if id.is_empty() {
        return Err(Unfit::NoReloadId.into());
    }
    let reload = ask.core.reloads.get(&id).ok_or_else(|| Unfit::NoReload(id.clone()))?;
    let result = json!({
        "timestamp": reload.ended.to_string(),
        "success": reload.error.is_empty(),
        "error": reload.error,
    });
    let node = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Ok(Answer::data(&json!({ "reload_id": id, "results": { node: result } })))
}

async fn status_named(ask: Ask) -> Result<Answer> {
    let known = matches!(ask.capture("type"), "auth" | "secret" | "database" | "unknown");
    if known && ask.capture("name").ends_with("/status") {
        return status(ask).await;
    }
    Err(Error::UnsupportedOperation)
}
