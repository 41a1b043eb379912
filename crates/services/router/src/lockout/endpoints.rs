use domain::{
    Lockout,
    Operation::{Read, Update},
};
use serde::Serialize;

use super::{attempt::now, table::User};
use crate::{answer::Answer, ask::Ask, endpoint::Endpoint, error::Result};

/// What lies under `sys/locked-users`.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "locked-users",
        &[(Read, |ask| Box::pin(list(ask)))],
        "Tells who is locked out after too many failed logins.",
    ),
    Endpoint::token(
        "locked-users/:accessor/unlock/*alias",
        &[(Update, |ask| Box::pin(unlock(ask)))],
        "Lets somebody log in again who is locked out.",
    ),
];

#[derive(Serialize)]
struct View<'a> {
    by_namespace: Vec<NamespaceView<'a>>,
    total: usize,
}

#[derive(Serialize)]
struct NamespaceView<'a> {
    namespace_id: &'a str,
    namespace_path: &'a str,
    counts: usize,
    mount_accessors: Vec<MountView>,
}

#[derive(Serialize)]
struct MountView {
    mount_accessor: String,
    counts: usize,
    alias_identifiers: Vec<String>,
}

async fn list(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    let only = ask.fields()?.text("mount_accessor")?.filter(|accessor| !accessor.is_empty());
    let mut all = active.lockouts.all(&active.mounts.snapshot(), now());
    all.retain(|accessor, _| only.as_ref().is_none_or(|only| only == accessor));
    let mounts = all.into_iter().map(|(mount_accessor, alias_identifiers)| MountView {
        mount_accessor,
        counts: alias_identifiers.len(),
        alias_identifiers,
    });
    let mount_accessors: Vec<MountView> = mounts.collect();
    let total = mount_accessors.iter().map(|mount| mount.counts).sum();
    let (namespace_id, namespace_path) = (&*active.namespace.id, active.namespace.path.as_str());
    let here = NamespaceView { namespace_id, namespace_path, counts: total, mount_accessors };
    let by_namespace = if total == 0 { Vec::new() } else { vec![here] };
    Ok(Answer::data(&View { by_namespace, total }))
}

/// Frees a user, however their name is written. Whoever is not locked out stays free, wherever that would be.
async fn unlock(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    let (accessor, alias) = (ask.capture("accessor"), ask.capture("alias"));
    let snapshot = active.mounts.snapshot();
    let mount = snapshot.iter().find(|(_, mount)| mount.entry.accessor == accessor);
    let plugin = mount.map_or("", |(_, mount)| mount.entry.plugin.as_str());
    let user = User::new(accessor, &Lockout::counted_name(plugin, alias));
    active.lockouts.forget(&user).await?;
    Ok(Answer::Nothing)
}
