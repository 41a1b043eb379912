//! About once a minute every mount is asked to do what is due: to remove what has expired, to undo what was left half
//! done. Only those whose plugin runs anyway, or which have written down something that they did not get to the end of:
//! nothing else is started for it, and no request waits for it.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use domain::Operation;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use wire::{launcher::v1::MountSpec, pb};

use crate::{Error, Result, calls, instance::Instance, mount::Mount, mounts::Mounts};

/// Goes round for as long as there are mounts to be asked for. Each round takes a period, over which the mounts are
/// spread; the next one waits for those that take longer.
pub async fn go_round(mounts: Weak<Mounts>, period: Duration, limit: Duration) {
    loop {
        let Some(visited) = mounts.upgrade().map(|mounts| mounts.to_be_visited()) else { return };
        let pause = period / u32::try_from(visited.len() + 1).unwrap_or(u32::MAX);
        let mut asked = JoinSet::new();
        for mount in visited {
            sleep(pause).await;
            asked.spawn(async move { visit(&mount, limit).await });
        }
        sleep(pause).await;
        while asked.join_next().await.is_some() {}
    }
}

async fn visit(mount: &Arc<Mount>, limit: Duration) {
    let spec = mount.system.spec();
    let owes = mount.still_owes().await;
    let work = async {
        let instance = match mount.ready() {
            None if !owes => return None,
            None => match mount.instance().await {
                Ok(instance) => instance,
                Err(error) => return Some(Err(Error::Degraded(error))),
            },
            Some(ready) => ready,
        };
        let _inside = instance.enter();
        Some(calls::handle_once(&instance, request(&spec, "{}")).await)
    };
    let late = |_| Some(Err(Error::Timeout { plugin: spec.plugin.clone(), limit }));
    if let Some(answer) = timeout(limit, work).await.unwrap_or_else(late) {
        note(&spec, answer);
    }
}

/// Has what is left half done undone, however new it is: the mount goes, and nobody is inside any more.
pub async fn undo(instance: &Instance, spec: &MountSpec, limit: Duration) {
    let asked = calls::handle_once(instance, request(spec, r#"{"immediate":true}"#));
    let late = |_| Err(Error::Timeout { plugin: spec.plugin.clone(), limit });
    note(spec, timeout(limit, asked).await.unwrap_or_else(late));
}

fn request(spec: &MountSpec, data: &'static str) -> Box<pb::Request> {
    Box::new(pb::Request {
        operation: Operation::Rollback.word().to_owned(),
        data: data.into(),
        mount_point: spec.path.clone(),
        mount_type: spec.plugin.clone(),
        mount_accessor: spec.accessor.clone(),
        ..pb::Request::default()
    })
}

fn note(spec: &MountSpec, answer: Result<pb::HandleRequestReply>) {
    match answer {
        Ok(pb::HandleRequestReply { err: Some(error), .. }) if !is_nothing_to_do(&error) => {
            tracing::warn!(mount = spec.path, error = error.err_msg, "a plugin has failed at what is due");
        }
        Err(error) => {
            tracing::warn!(mount = spec.path, %error, "a plugin could not be asked to do what is due");
        }
        Ok(_) => {}
    }
}

/// Plugins that keep nothing to be done later do not know the operation.
fn is_nothing_to_do(error: &pb::ProtoError) -> bool {
    const UNSUPPORTED_OPERATION: u32 = 5;
    const UNSUPPORTED_PATH: u32 = 6;
    matches!(error.err_type, UNSUPPORTED_OPERATION | UNSUPPORTED_PATH)
        || matches!(error.err_msg.as_str(), "unsupported operation" | "unsupported path")
}
