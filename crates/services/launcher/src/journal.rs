use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use domain::{Life, Reason};
use futures::{Stream, stream};
use tokio::sync::watch;
use wire::launcher::v1::{self, Event};

use crate::entry::Entry;

/// What happened to plugins, in order. Bounded: a reader that is too slow misses the oldest events, never the order.
#[derive(Debug)]
pub struct Journal {
    kept: usize,
    events: Mutex<VecDeque<Event>>,
    last: watch::Sender<u64>,
}

impl Journal {
    /// An empty journal. Ids go on where those of an earlier run of the host certainly ended: at the clock.
    pub fn new(kept: usize) -> Self {
        let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let start = u64::try_from(start).unwrap_or_default();
        Self { kept: kept.max(1), events: Mutex::default(), last: watch::Sender::new(start) }
    }

    /// A process has entered a state.
    pub fn record(&self, entry: &Entry, pid: u32, life: &Life, detail: &str) {
        let reason = life.reason();
        tracing::info!(
            plugin = %entry.name,
            version = %entry.version,
            pid,
            state = life.word(),
            reason = ?reason,
            detail,
            "plugin process"
        );
        let mut event = Event {
            id: 0,
            time: nanos_now(),
            plugin: entry.name.clone(),
            r#type: entry.plugin_type.word().to_owned(),
            version: entry.version.clone(),
            sha256: bytes::Bytes::copy_from_slice(entry.sha256.as_bytes()),
            pid,
            state: life.word().to_owned(),
            reason: reason.map_or(v1::Reason::Unspecified, reason_message).into(),
            detail: detail.to_owned(),
        };
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        event.id = *self.last.borrow() + 1;
        let id = event.id;
        if events.len() == self.kept {
            events.pop_front();
        }
        events.push_back(event);
        self.last.send_replace(id);
    }

    fn since(&self, after: u64) -> VecDeque<Event> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let first = events.partition_point(|event| event.id <= after);
        events.range(first..).cloned().collect()
    }

    /// The events after an id, then those to come.
    pub fn follow(self: std::sync::Arc<Self>, after: u64) -> impl Stream<Item = Event> + Send + 'static {
        let last = self.last.subscribe();
        stream::unfold(
            (self, last, after, VecDeque::new()),
            async |(journal, mut last, mut after, mut ready)| {
                loop {
                    if let Some(event) = ready.pop_front() {
                        let event: Event = event;
                        after = event.id;
                        return Some((event, (journal, last, after, ready)));
                    }
                    last.borrow_and_update();
                    ready = journal.since(after);
                    if ready.is_empty() && last.changed().await.is_err() {
                        return None;
                    }
                }
            },
        )
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::StreamExt;

    use super::*;

    #[tokio::test]
    async fn a_reader_gets_what_is_kept_and_then_what_happens() {
        let journal = Arc::new(Journal::new(2));
        let entry = Entry::named("kv");
        for _ in 0..3 {
            journal.record(&entry, 1, &Life::Absent, "");
        }
        let mut events = std::pin::pin!(Arc::clone(&journal).follow(0));
        let first = events.next().await.unwrap();
        let second = events.next().await.unwrap();
        assert_eq!(second.id, first.id + 1);
        journal.record(&entry, 7, &Life::Absent, "");
        let third = events.next().await.unwrap();
        assert_eq!((third.id, third.pid), (second.id + 1, 7));
        let mut resumed = std::pin::pin!(journal.follow(second.id));
        assert_eq!(resumed.next().await.unwrap().id, third.id);
    }
}
