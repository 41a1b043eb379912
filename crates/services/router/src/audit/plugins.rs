use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ::audit::{PluginNews, Record};
use futures::TryStreamExt;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use wire::launcher::v1::{Event, EventsRequest, LauncherSeam, Reason};

use super::{Audit, table::now};
use crate::error::Result;

/// How long to wait before the launcher, or a device, is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Up to where the launcher's events have been recorded. It outlives the opening of the barrier, so that what happens
/// while that is closed is recorded when it is opened again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Followed(Arc<AtomicU64>);

impl Followed {
    /// Records what happens to plugins until the handle is dropped. An event that no device takes is tried again.
    pub(crate) fn record(&self, audit: Arc<Audit>, launcher: LauncherSeam) -> AbortOnDropHandle<()> {
        let followed = self.clone();
        AbortOnDropHandle::new(tokio::spawn(async move {
            loop {
                if let Err(error) = followed.read(&audit, launcher.clone()).await {
                    tracing::debug!(%error, "events of plugins are not recorded at the moment");
                }
                sleep(PAUSE).await;
            }
        }))
    }

    async fn read(&self, audit: &Audit, launcher: LauncherSeam) -> Result<()> {
        let request = EventsRequest { after: self.0.load(Ordering::Relaxed) };
        let mut events = launcher.events(request).await?.into_inner();
        while let Some(event) = events.try_next().await? {
            if audit.tell(&record(&event)).await.is_err() {
                break;
            }
            self.0.store(event.id, Ordering::Relaxed);
            count(event);
        }
        Ok(())
    }
}

fn count(event: Event) {
    let reason = word_of_reason(event.reason());
    let Event { plugin, state, .. } = event;
    metrics::counter!("vault.plugin.transitions", "plugin" => plugin, "state" => state, "reason" => reason)
        .increment(1);
}

fn record(event: &Event) -> Record<'_> {
    let reason = Reason::try_from(event.reason).unwrap_or_default();
    let plugin = PluginNews {
        event: event.id,
        name: &event.plugin,
        pid: event.pid,
        reason: word_of_reason(reason),
        sha256: hex::encode(&event.sha256),
        state: &event.state,
        r#type: &event.r#type,
        version: &event.version,
    };
    Record { plugin: Some(plugin), time: now(), r#type: "plugin", ..Record::default() }
}

/// The word for a reason.
pub(crate) const fn word_of_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Unspecified => "",
        Reason::Disabled => "disabled",
        Reason::Sealed => "sealed",
        Reason::SteppedDown => "stepped-down",
        Reason::Shutdown => "shutdown",
        Reason::Reloaded => "reloaded",
        Reason::ConnectionChanged => "connection-changed",
        Reason::ConnectionReset => "connection-reset",
        Reason::ConnectionDeleted => "connection-deleted",
        Reason::RootRotated => "root-rotated",
        Reason::WalRolledBack => "wal-rolled-back",
        Reason::Crashed => "crashed",
        Reason::Killed => "killed",
        Reason::ChecksumMismatch => "checksum-mismatch",
        Reason::HandshakeFailed => "handshake-failed",
        Reason::Probed => "probed",
    }
}
