//! About once a minute every mount is asked to do what is due: to remove what has expired, to undo what was left half
//! done. Only those whose plugin runs anyway; nothing is started for it, and no request waits for it.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use domain::Operation;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use wire::pb;

use crate::{Error, calls, mount::Mount, mounts::Mounts};

/// Goes round for as long as there are mounts to be asked for. Each round takes a period, over which the mounts are
/// spread; the next one waits for those that take longer.
pub async fn go_round(mounts: Weak<Mounts>, period: Duration, limit: Duration) {
    loop {
        let Some(running) = mounts.upgrade().map(|mounts| mounts.running()) else { return };
        let pause = period / u32::try_from(running.len() + 1).unwrap_or(u32::MAX);
        let mut asked = JoinSet::new();
        for mount in running {
            sleep(pause).await;
            asked.spawn(async move { ask(&mount, limit).await });
        }
        sleep(pause).await;
        while asked.join_next().await.is_some() {}
    }
}

async fn ask(mount: &Arc<Mount>, limit: Duration) {
    let spec = mount.system.spec();
    let request = Box::new(pb::Request {
        operation: Operation::Rollback.word().to_owned(),
        data: "{}".into(),
        mount_point: spec.path.clone(),
        mount_type: spec.plugin.clone(),
        mount_accessor: spec.accessor.clone(),
        ..pb::Request::default()
    });
    let late = |_| Err(Error::Timeout { plugin: spec.plugin.clone(), limit });
    let answer = timeout(limit, calls::handle_if_running(mount, request)).await;
    match answer.unwrap_or_else(|elapsed| Some(late(elapsed))) {
        Some(Ok(pb::HandleRequestReply { err: Some(error), .. })) if !is_nothing_to_do(&error) => {
            tracing::warn!(mount = spec.path, error = error.err_msg, "a plugin has failed at what is due");
        }
        Some(Err(error)) => {
            tracing::warn!(mount = spec.path, %error, "a plugin could not be asked to do what is due");
        }
        _ => {}
    }
}

/// Plugins that keep nothing to be done later do not know the operation.
fn is_nothing_to_do(error: &pb::ProtoError) -> bool {
    const UNSUPPORTED_OPERATION: u32 = 5;
    const UNSUPPORTED_PATH: u32 = 6;
    matches!(error.err_type, UNSUPPORTED_OPERATION | UNSUPPORTED_PATH)
        || matches!(error.err_msg.as_str(), "unsupported operation" | "unsupported path")
}
