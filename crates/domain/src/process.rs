//! The life of a plugin's process, as a value: what state it is in, and which one follows.

use std::time::{Duration, Instant};

/// Why a process ends, or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Its last mount was disabled.
    Disabled,
    /// The barrier was sealed.
    Sealed,
    /// The node is no longer the active one.
    SteppedDown,
    /// The host ends.
    Shutdown,
    /// Asked for, or its catalog entry or options changed.
    Reloaded,
    /// A database connection got another configuration.
    ConnectionChanged,
    /// A database connection was reset.
    ConnectionReset,
    /// Root credentials were rotated.
    RootRotated,
    /// A rotation that was cut off was rolled back.
    WalRolledBack,
    /// It ended by itself.
    Crashed,
    /// A signal ended it that was not ours.
    Killed,
    /// Its bytes are not those that were registered.
    ChecksumMismatch,
    /// It was started, but never became a plugin.
    HandshakeFailed,
    /// It was only asked who it is.
    Probed,
}

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
    /// It has ended, or could not be started.
    Ended(Reason),
    /// It shall end.
    StopAsked(Reason),
}

/// How long to wait before what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pauses {
    /// As many early ends in a row are followed by a start at once.
    pub forgiven: u32,
    /// The first pause; each further one is twice as long.
    pub first: Duration,
    /// No pause is longer.
    pub longest: Duration,
    /// No pause is longer while the bytes are missing or wrong: nothing was run, and they may be put back any time.
    pub longest_unverified: Duration,
    /// A run of this length wipes all strikes out.
    pub healthy: Duration,
    /// From being asked to end until being killed.
    pub grace: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self {
            forgiven: 3,
            first: Duration::from_millis(250),
            longest: Duration::from_secs(30),
            longest_unverified: Duration::from_secs(1),
            healthy: Duration::from_secs(10),
            grace: Duration::from_secs(2),
        }
    }
}

impl Pauses {
    /// The pause after so many early ends in a row.
    fn after(&self, strikes: u32, longest: Duration) -> Duration {
        match strikes.checked_sub(self.forgiven + 1) {
            None => Duration::ZERO,
            Some(doublings) => {
                let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
                self.first.saturating_mul(factor).min(longest)
            }
        }
    }

    fn ended(&self, strikes: u32, reason: Reason, longest: Duration, now: Instant) -> Life {
        let pause = self.after(strikes, longest);
        if pause.is_zero() {
            Life::Exited { reason, strikes }
        } else {
            Life::Backoff { reason, strikes, until: now + pause }
        }
    }
}

impl Life {
    /// The state that follows; news that come too late change nothing.
    #[must_use]
    pub fn after(self, news: News, now: Instant, pauses: &Pauses) -> Self {
        match (self, news) {
            (Self::Absent, News::Wanted) => Self::Verifying { strikes: 0 },
            (Self::Exited { strikes, .. }, News::Wanted) => Self::Verifying { strikes },
            (Self::Backoff { strikes, until, .. }, News::Wanted) if until <= now => {
                Self::Verifying { strikes }
            }
            (Self::Verifying { strikes }, News::Verified) => Self::Starting { strikes },
            (Self::Starting { strikes }, News::Ready) => Self::Running { since: now, strikes },
            (Self::Verifying { strikes }, News::Ended(reason)) => {
                pauses.ended(strikes.saturating_add(1), reason, pauses.longest_unverified, now)
            }
            (Self::Starting { strikes }, News::Ended(reason)) => {
                pauses.ended(strikes.saturating_add(1), reason, pauses.longest, now)
            }
            (Self::Running { since, strikes }, News::Ended(reason)) => {
                let healthy = now.duration_since(since) >= pauses.healthy;
                let strikes = if healthy { 0 } else { strikes.saturating_add(1) };
                pauses.ended(strikes, reason, pauses.longest, now)
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

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSES: Pauses = Pauses {
        forgiven: 1,
        first: Duration::from_secs(1),
        longest: Duration::from_secs(5),
        longest_unverified: Duration::from_secs(2),
        healthy: Duration::from_secs(10),
        grace: Duration::from_secs(2),
    };

    /// Moves a life through a series of news, each so many milliseconds after the one before.
    fn live(news: &[(u64, News)]) -> (Life, Instant) {
        let start = Instant::now();
        let step = |(life, now): (Life, Instant), (wait, news): &(u64, News)| {
            let now = now + Duration::from_millis(*wait);
            (life.after(*news, now, &PAUSES), now)
        };
        let (life, now) = news.iter().fold((Life::Absent, start), step);
        (life, now)
    }

    const START: [(u64, News); 3] = [(0, News::Wanted), (0, News::Verified), (0, News::Ready)];

    fn starts_and_then(more: &[(u64, News)]) -> (Life, Instant) {
        live(&[&START, more].concat())
    }

    #[test]
    fn a_plugin_is_verified_then_started_then_runs() {
        assert_eq!(live(&START[..1]).0, Life::Verifying { strikes: 0 });
        assert_eq!(live(&START[..2]).0, Life::Starting { strikes: 0 });
        assert!(matches!(live(&START).0, Life::Running { strikes: 0, .. }));
    }

    #[test]
    fn the_first_crash_is_forgiven_and_the_next_ones_are_followed_by_growing_pauses() {
        let crash = (0, News::Ended(Reason::Crashed));
        let mut news = [&START[..], &[crash]].concat();
        assert_eq!(live(&news).0, Life::Exited { reason: Reason::Crashed, strikes: 1 });
        for pause in [1, 2, 4, 5, 5] {
            let wait = (60_000, News::Wanted);
            news.extend([wait, START[1], START[2], crash]);
            let (life, now) = live(&news);
            let Life::Backoff { until, .. } = life else { panic!("{life:?}") };
            assert_eq!(until - now, Duration::from_secs(pause));
        }
    }

    #[test]
    fn a_healthy_run_wipes_all_strikes_out() {
        let crash = News::Ended(Reason::Crashed);
        let again = |healthy: u64| [(0, crash), (60_000, News::Wanted), START[1], START[2], (healthy, crash)];
        assert!(matches!(starts_and_then(&again(10_000)).0, Life::Exited { strikes: 0, .. }));
        assert!(matches!(starts_and_then(&again(9_999)).0, Life::Backoff { strikes: 2, .. }));
    }

    #[test]
    fn nothing_starts_before_the_pause_is_over() {
        let fails = News::Ended(Reason::HandshakeFailed);
        let failing = [(0, News::Wanted), START[1], (0, fails), (0, News::Wanted), START[1], (0, fails)];
        let wanted = |wait| live(&[&failing[..], &[(wait, News::Wanted)]].concat()).0;
        assert!(matches!(wanted(999), Life::Backoff { .. }));
        assert!(matches!(wanted(1_000), Life::Verifying { strikes: 2 }));
    }

    #[test]
    fn missing_bytes_are_looked_for_again_soon_and_no_pause_is_endless() {
        let mut life = Life::Absent;
        let mut now = Instant::now();
        for _ in 0..200 {
            life = life.after(News::Wanted, now, &PAUSES);
            life = life.after(News::Ended(Reason::ChecksumMismatch), now, &PAUSES);
            if let Life::Backoff { until, .. } = life {
                assert!(until - now <= PAUSES.longest_unverified);
            }
            now += PAUSES.longest_unverified;
        }
        assert!(matches!(life, Life::Backoff { strikes: 200, .. }));
    }

    #[test]
    fn who_is_asked_to_end_ends_for_that_reason() {
        let (life, now) = starts_and_then(&[(0, News::StopAsked(Reason::Disabled))]);
        assert_eq!(life, Life::Draining { reason: Reason::Disabled, kill_at: now + PAUSES.grace });
        let ended = life.after(News::Ended(Reason::Killed), now, &PAUSES);
        assert_eq!(ended, Life::Exited { reason: Reason::Disabled, strikes: 0 });
    }

    #[test]
    fn late_news_change_nothing() {
        let (running, now) = live(&START);
        for late in [News::Wanted, News::Verified, News::Ready] {
            assert_eq!(running.after(late, now, &PAUSES), running);
        }
        assert_eq!(Life::Absent.after(News::Ended(Reason::Crashed), now, &PAUSES), Life::Absent);
    }
}
