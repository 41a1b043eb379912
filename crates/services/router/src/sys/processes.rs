use std::collections::HashMap;

use domain::{MountPath, Operation::Read};
use jiff::Timestamp;
use serde_json::{Value, json};
use wire::launcher::v1::{Process, ProcessesRequest};

use crate::{answer::Answer, ask::Ask, endpoint::Endpoint, error::Result};

pub(super) const ENDPOINTS: &[Endpoint] = &[Endpoint::token(
    "plugins/processes",
    &[(Read, |ask| Box::pin(list(ask)))],
    "Lists the processes of external plugins.",
)];

async fn list(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    let reply = ask.core.clients.launcher.processes(ProcessesRequest {}).await?.into_inner();
    let mut paths: HashMap<String, String> = HashMap::new();
    for active in active.shared.namespaces.all() {
        let snapshot = active.mounts.snapshot();
        let whole = |path: &MountPath| format!("{}{path}", active.namespace.path);
        paths.extend(snapshot.iter().map(|(path, mount)| (mount.entry.uuid.clone(), whole(path))));
    }
    let views = reply.processes.into_iter().map(|process| view(process, &paths));
    let processes: Vec<Value> = views.collect();
    Ok(Answer::data(&json!({ "processes": processes })))
}

/// The launcher knows mounts by their identity, people by their path.
fn view(process: Process, paths: &HashMap<String, String>) -> Value {
    let started = Timestamp::from_nanosecond(process.started_at.into()).unwrap_or(Timestamp::UNIX_EPOCH);
    let uptime = (Timestamp::now().as_second() - started.as_second()).max(0);
    let mounts = process.mounts.into_iter().map(|mount| paths.get(&mount).cloned().unwrap_or(mount));
    json!({
        "pid": process.pid,
        "name": process.name,
        "type": process.r#type,
        "version": process.version,
        "sha256": hex::encode(process.sha256),
        "multiplexed": process.multiplexed,
        "mounts": mounts.collect::<Vec<String>>(),
        "state": process.state,
        "started_at": started.to_string(),
        "uptime_seconds": uptime,
        "restarts": process.restarts,
        "rss_bytes": process.rss_bytes,
        "cpu_seconds": process.cpu_time / 1_000_000_000,
    })
}
