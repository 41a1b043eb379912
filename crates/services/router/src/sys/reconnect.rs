use domain::Operation;
use serde::Deserialize;
use wire::pb;

use super::reload::Chosen;
use crate::{Error, ask::Ask, error::Result, mounts::Mount, plugin::ask_issuer};

/// The engine whose mounts use database plugins.
const ENGINE: &str = "database";

/// What an engine says of the connections that it has opened anew.
#[derive(Default, Deserialize)]
struct Reopened {
    #[serde(default)]
    count: usize,
}

/// The mounts of database engines that run: others have no connection open.
pub(super) fn is_engine(mount: &Mount) -> bool {
    mount.entry.plugin == ENGINE && mount.is_ready()
}

/// Has an engine open its connections of a database plugin anew; returns how many there are.
pub(super) async fn reconnect(ask: &Ask, (active, mount): Chosen, plugin: &str) -> Result<usize> {
    let request = pb::Request { path: format!("reload/{plugin}"), ..pb::Request::default() };
    let launcher = &ask.core.clients.launcher;
    let answer = ask_issuer(launcher, &active.mounts, &mount, Operation::Update, request).await?;
    let Some(answer) = answer else { return Ok(0) };
    if !answer.warnings.is_empty() {
        return Err(Error::BadAnswer(answer.warnings.join("; ")));
    }
    let reopened: Reopened = serde_json::from_slice(&answer.data).unwrap_or_default();
    Ok(reopened.count)
}
