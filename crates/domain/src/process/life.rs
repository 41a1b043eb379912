use std::time::Instant;

use super::{Pauses, Reason};

/// Where a process stands. Each state holds only what belongs to it.
///
/// `strikes` counts the ends in a row that came too early; a healthy run wipes them out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Life {
    /// Never started.
    #[default]
    Absent,
    /// Its bytes are being read and hashed.
    Verifying {
        /// Early ends in a row so far.
        strikes: u32,
    },
    /// It runs, but has not said who it is.
    Starting {
        /// Early ends in a row so far.
        strikes: u32,
    },
    /// It answers.
    Running {
        /// Since when.
        since: Instant,
        /// Early ends in a row before this run.
        strikes: u32,
    },
    /// It has been asked to end.
    Draining {
        /// Why.
        reason: Reason,
        /// Then it is killed.
        kill_at: Instant,
    },
    /// It ended, and may be started at any time.
    Exited {
        /// Why.
        reason: Reason,
        /// Early ends in a row so far.
        strikes: u32,
    },
    /// It ended too early too often, and is left alone for a while.
    Backoff {
        /// Why it ended last.
        reason: Reason,
        /// Early ends in a row so far.
        strikes: u32,
        /// When it may be started again.
        until: Instant,
    },
}

/// What moves a life on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Somebody needs the process.
    Wanted,
    /// The bytes are those that were registered.
    Verified,
    /// It has said who it is, and answers.
    Ready,
    /// It speaks as older plugins do, and has ended, to be started again as these are.
    Misgreeted,
    /// It has ended, or could not be started.
    Ended(Reason),
    /// It shall end.
    StopAsked(Reason),
}

/// When news come in, and what chance adds to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// The time.
    pub now: Instant,
    /// Of 0 to 1: how much of what chance may take off a pause it takes off.
    pub luck: f64,
}

impl Life {
    /// The state that follows; news that come too late change nothing.
    #[must_use]
    pub fn after(self, news: News, at: Moment, pauses: &Pauses) -> Self {
        let now = at.now;
        match (self, news) {
            (Self::Absent, News::Wanted) => Self::Verifying { strikes: 0 },
            (Self::Exited { strikes, .. }, News::Wanted) => Self::Verifying { strikes },
            (Self::Backoff { strikes, until, .. }, News::Wanted) if until <= now => {
                Self::Verifying { strikes }
            }
            (Self::Verifying { strikes }, News::Verified) => Self::Starting { strikes },
            (Self::Starting { strikes }, News::Ready) => Self::Running { since: now, strikes },
            // That is nobody's fault, and is remembered: it happens once.
            (Self::Starting { strikes }, News::Misgreeted) => {
                Self::Exited { reason: Reason::HandshakeFailed, strikes }
            }
            (Self::Verifying { strikes }, News::Ended(reason)) => {
                pauses.ended(strikes.saturating_add(1), reason, pauses.longest_blameless, at)
            }
            (Self::Starting { strikes }, News::Ended(reason)) => {
                pauses.ended(strikes.saturating_add(1), reason, pauses.longest_after(reason), at)
            }
            (Self::Running { since, strikes }, News::Ended(reason)) => {
                let healthy = now.duration_since(since) >= pauses.healthy;
                let strikes = if healthy { 0 } else { strikes.saturating_add(1) };
                pauses.ended(strikes, reason, pauses.longest_after(reason), at)
            }
            (Self::Starting { .. } | Self::Running { .. }, News::StopAsked(reason)) => {
                Self::Draining { reason, kill_at: now + pauses.grace }
            }
            // Why it was asked to end is what counts, not how it then ended.
            (Self::Draining { reason, .. }, News::Ended(_)) => Self::Exited { reason, strikes: 0 },
            (Self::Verifying { .. } | Self::Backoff { .. }, News::StopAsked(reason)) => {
                Self::Exited { reason, strikes: 0 }
            }
            (state, _) => state,
        }
    }

    /// Early ends in a row so far.
    pub const fn strikes(&self) -> u32 {
        match self {
            Self::Absent | Self::Draining { .. } => 0,
            Self::Verifying { strikes }
            | Self::Starting { strikes }
            | Self::Running { strikes, .. }
            | Self::Exited { strikes, .. }
            | Self::Backoff { strikes, .. } => *strikes,
        }
    }

    /// The word for the state.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Verifying { .. } => "verifying",
            Self::Starting { .. } => "starting",
            Self::Running { .. } => "running",
            Self::Draining { .. } => "draining",
            Self::Exited { .. } => "exited",
            Self::Backoff { .. } => "backoff",
        }
    }

    /// Why it ends or ended, if it does or did.
    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Draining { reason, .. } | Self::Exited { reason, .. } | Self::Backoff { reason, .. } => {
                Some(*reason)
            }
            Self::Absent | Self::Verifying { .. } | Self::Starting { .. } | Self::Running { .. } => None,
        }
    }
}
