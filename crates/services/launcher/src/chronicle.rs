//! Where a process stands, for everybody to see, and how it came there.

use std::{sync::Arc, time::SystemTime};

use domain::{Life, Moment, News};
use tokio::{sync::watch, time::Instant};
use uuid::Uuid;

use crate::{entry::Entry, host::Host, meters::PluginMeters};

/// What there is to see of a process.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Where it stands.
    pub life: Life,
    /// Its number, while it has one.
    pub pid: u32,
    /// Since when it has one.
    pub started: Option<SystemTime>,
    /// The same by the clock that is never set.
    pub spawned: Option<Instant>,
    /// How often it was started after the first time.
    pub restarts: u32,
    /// Whether it serves several mounts.
    pub multiplexed: bool,
}

/// Moves a life on, shows it, and records every move.
pub struct Chronicle {
    host: Arc<Host>,
    entry: Arc<Entry>,
    show: watch::Sender<Shown>,
    meters: Arc<PluginMeters>,
}

impl Chronicle {
    /// Of a process that was never started; and where it can be seen.
    pub fn begin(host: Arc<Host>, entry: Arc<Entry>) -> (Self, watch::Receiver<Shown>) {
        let (show, shown) = watch::channel(Shown::default());
        let meters = host.meters.of(&entry.name, entry.plugin_type.word(), &entry.version);
        (Self { host, entry, show, meters }, shown)
    }

    /// Whose.
    pub const fn entry(&self) -> &Arc<Entry> {
        &self.entry
    }

    /// Where it stands.
    pub fn life(&self) -> Life {
        self.show.borrow().life
    }

    /// It has a process.
    pub fn began(&self, pid: u32) {
        self.meters.started(self.show.borrow().started.is_some());
        self.show.send_modify(|shown| {
            shown.restarts += u32::from(shown.started.is_some());
            shown.started = Some(SystemTime::now());
            shown.spawned = Some(Instant::now());
            shown.pid = pid;
        });
    }

    /// It has said whether it serves several mounts.
    pub fn greeted(&self, multiplexed: bool) {
        self.show.send_modify(|shown| shown.multiplexed = multiplexed);
        let spawned = self.show.borrow().spawned;
        self.meters.greeted(spawned.map(|spawned| spawned.elapsed()).unwrap_or_default());
        self.enter(News::Ready, "");
    }

    /// Moves the life on; every move is an event.
    pub fn enter(&self, news: News, detail: &str) {
        let before = self.life();
        let at = Moment { now: Instant::now().into_std(), luck: luck() };
        let after = before.after(news, at, &self.host.config.pauses);
        if after == before {
            return;
        }
        let pid = self.show.borrow().pid;
        self.show.send_modify(|shown| {
            shown.life = after;
            if matches!(after, Life::Exited { .. } | Life::Backoff { .. }) {
                shown.pid = 0;
            }
        });
        if let Life::Exited { reason, .. } | Life::Backoff { reason, .. } = after {
            self.meters.ended(reason.word(), pid != 0);
        }
        self.host.journal.record(&self.entry, pid, &after, detail);
    }
}

/// Of 0 to 1, each number as likely as the next.
fn luck() -> f64 {
    f64::from(Uuid::new_v4().as_fields().0) / f64::from(u32::MAX)
}
