use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use domain::{Life, Reason};
use futures::Stream;
use wire::launcher::v1::{self, Event};

use crate::{
    entry::Entry,
    ring::{Limits, Ring},
};

/// What happened to plugins, in order.
#[derive(Debug)]
pub struct Journal(Arc<Ring<Event>>);

impl Journal {
    /// An empty journal that keeps so many events.
    pub fn new(kept: usize) -> Self {
        Self(Arc::new(Ring::new(Limits { count: kept, bytes: usize::MAX })))
    }

    /// A process has entered a state.
    pub fn record(&self, entry: &Entry, pid: u32, life: &Life, detail: &str) {
        let reason = life.reason();
        tracing::info!(
            plugin = %entry.name,
            version = %entry.version,
            pid = (pid > 0).then_some(pid),
            state = life.word(),
            reason = reason.map(Reason::word),
            detail = (!detail.is_empty()).then_some(detail),
            "plugin process"
        );
        self.0.push(0, |id| Event {
            id,
            time: nanos_now(),
            plugin: entry.name.clone(),
            r#type: entry.plugin_type.word().to_owned(),
            version: entry.version.clone(),
            sha256: bytes::Bytes::copy_from_slice(entry.sha256.as_bytes()),
            pid,
            state: life.word().to_owned(),
            reason: reason.map_or(v1::Reason::Unspecified, reason_message).into(),
            detail: detail.to_owned(),
        });
    }

    /// The events after an id, then those to come.
    pub fn follow(&self, after: u64) -> impl Stream<Item = Event> + Send + use<> {
        Arc::clone(&self.0).follow(after)
    }
}

/// Nanoseconds since 1970.
pub fn nanos_now() -> i64 {
    nanos_of(SystemTime::now())
}

/// Nanoseconds since 1970.
pub fn nanos_of(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// A reason as it is told to other services.
pub const fn reason_message(reason: Reason) -> v1::Reason {
    match reason {
        Reason::Disabled => v1::Reason::Disabled,
        Reason::Sealed => v1::Reason::Sealed,
        Reason::SteppedDown => v1::Reason::SteppedDown,
        Reason::Shutdown => v1::Reason::Shutdown,
        Reason::Reloaded => v1::Reason::Reloaded,
        Reason::ConnectionChanged => v1::Reason::ConnectionChanged,
        Reason::ConnectionReset => v1::Reason::ConnectionReset,
        Reason::ConnectionDeleted => v1::Reason::ConnectionDeleted,
        Reason::RootRotated => v1::Reason::RootRotated,
        Reason::WalRolledBack => v1::Reason::WalRolledBack,
        Reason::Crashed => v1::Reason::Crashed,
        Reason::Killed => v1::Reason::Killed,
        Reason::ChecksumMismatch => v1::Reason::ChecksumMismatch,
        Reason::HandshakeFailed => v1::Reason::HandshakeFailed,
        Reason::Probed => v1::Reason::Probed,
    }
}

/// A reason as another service told it.
pub const fn reason_of(reason: v1::Reason) -> Reason {
    match reason {
        v1::Reason::Unspecified | v1::Reason::Disabled => Reason::Disabled,
        v1::Reason::Sealed => Reason::Sealed,
        v1::Reason::SteppedDown => Reason::SteppedDown,
        v1::Reason::Shutdown => Reason::Shutdown,
        v1::Reason::Reloaded => Reason::Reloaded,
        v1::Reason::ConnectionChanged => Reason::ConnectionChanged,
        v1::Reason::ConnectionReset => Reason::ConnectionReset,
        v1::Reason::ConnectionDeleted => Reason::ConnectionDeleted,
        v1::Reason::RootRotated => Reason::RootRotated,
        v1::Reason::WalRolledBack => Reason::WalRolledBack,
        v1::Reason::Crashed => Reason::Crashed,
        v1::Reason::Killed => Reason::Killed,
        v1::Reason::ChecksumMismatch => Reason::ChecksumMismatch,
        v1::Reason::HandshakeFailed => Reason::HandshakeFailed,
        v1::Reason::Probed => Reason::Probed,
    }
}
