use std::time::{Duration, Instant};

use super::{Life, Reason};

/// How long to wait before what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pauses {
    /// As many early ends in a row are followed by a start at once.
    pub forgiven: u32,
    /// The first pause; each further one is twice as long.
    pub first: Duration,
    /// No pause is longer.
    pub longest: Duration,
    /// No pause is longer when the plugin need not be to blame: its bytes are missing or wrong, and may be put back
    /// any time; or somebody else killed it, be it an operator or a system that is short of memory.
    pub longest_blameless: Duration,
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
            longest_blameless: Duration::from_secs(1),
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

    /// The longest pause after the end of a program that was run.
    pub(super) const fn longest_after(&self, reason: Reason) -> Duration {
        match reason {
            Reason::Killed => self.longest_blameless,
            _ => self.longest,
        }
    }

    /// What follows an end.
    pub(super) fn ended(&self, strikes: u32, reason: Reason, longest: Duration, now: Instant) -> Life {
        let pause = self.after(strikes, longest);
        if pause.is_zero() {
            Life::Exited { reason, strikes }
        } else {
            Life::Backoff { reason, strikes, until: now + pause }
        }
    }
}
