use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::timeout;
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};
use wire::launcher::v1::MountReply;

use crate::{
    builtin::BuiltIn,
    external::External,
    meters::{Inside, PluginMeters},
};

/// A mount that is set up, with the requests that are inside of it.
pub struct Instance {
    /// What serves it.
    pub served_by: ServedBy,
    calls: TaskTracker,
    meters: Arc<PluginMeters>,
}

/// A request inside of a mount, until dropped.
#[derive(Debug)]
pub struct Visit {
    _inside: Inside,
    _token: TaskTrackerToken,
}

/// What serves a mount.
pub enum ServedBy {
    /// A part of the host.
    BuiltIn(BuiltIn),
    /// A process.
    External(External),
}

impl Instance {
    /// A mount that is set up.
    pub fn new(served_by: ServedBy, meters: Arc<PluginMeters>) -> Arc<Self> {
        Arc::new(Self { served_by, calls: TaskTracker::new(), meters })
    }

    /// Whether its process has ended.
    pub fn is_gone(&self) -> bool {
        match &self.served_by {
            ServedBy::BuiltIn(_) => false,
            ServedBy::External(external) => external.line.live.is_gone(),
        }
    }

    /// A request is inside for as long as this is held.
    pub fn enter(&self) -> Visit {
        Visit { _inside: self.meters.call(), _token: self.calls.token() }
    }

    /// Lets the requests that are inside end.
    pub async fn drain(&self, limit: Duration) {
        self.calls.close();
        let _ = timeout(limit, self.calls.wait()).await;
    }

    /// Lets the requests that are inside end, and then cleans up.
    pub async fn retire(&self, limit: Duration) {
        self.drain(limit).await;
        match &self.served_by {
            ServedBy::BuiltIn(builtin) => builtin.cleanup(limit).await,
            ServedBy::External(external) if external.line.live.is_gone() => {}
            ServedBy::External(external) => external.cleanup(limit).await,
        }
    }

    /// What the router is told of it.
    pub fn describe(&self) -> MountReply {
        match &self.served_by {
            ServedBy::BuiltIn(builtin) => MountReply {
                special_paths: Some(builtin.special_paths.clone()),
                builtin: true,
                running_version: builtin.version.clone(),
                running_sha256: Bytes::new(),
            },
            ServedBy::External(external) => MountReply {
                special_paths: Some(external.special_paths.clone()),
                builtin: false,
                running_version: running_version(external),
                running_sha256: Bytes::copy_from_slice(external.line.entry.sha256.as_bytes()),
            },
        }
    }
}

/// What is registered; else what the plugin says of itself.
fn running_version(external: &External) -> String {
    let registered = &external.line.entry.version;
    if registered.is_empty() { external.version.clone() } else { registered.clone() }
}
