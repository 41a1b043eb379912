use domain::Operation::Read;
use jiff::Timestamp;
use serde_json::{Value, json};
use wire::launcher::v1::{Process, ProcessesRequest};

use crate::{
    answer::Answer,
    ask::Ask,
    endpoint::{Access, Endpoint},
    error::Result,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[Endpoint {
    pattern: "plugins/processes",
    access: Access::Token,
    on_top: false,
    operations: &[(Read, |ask| Box::pin(list(ask)))],
    help: "Lists the processes of external plugins.",
}];

async fn list(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    let reply = ask.core.clients.launcher.processes(ProcessesRequest {}).await?.into_inner();
    let snapshot = active.mounts.snapshot();
    let path_of = |uuid: &str| {
        let mut mounts = snapshot.iter();
        mounts.find(|(_, mount)| mount.entry.uuid == uuid).map(|(path, _)| path.to_string())
    };
    let processes: Vec<Value> = reply.processes.into_iter().map(|process| view(process, path_of)).collect();
    Ok(Answer::data(&json!({ "processes": processes })))
}

/// The launcher knows mounts by their identity, people by their path.
fn view(process: Process, path_of: impl Fn(&str) -> Option<String>) -> Value {
    let started = Timestamp::from_nanosecond(process.started_at.into()).unwrap_or(Timestamp::UNIX_EPOCH);
    let uptime = (Timestamp::now().as_second() - started.as_second()).max(0);
    let mounts = process.mounts.into_iter().map(|mount| path_of(&mount).unwrap_or(mount));
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
