use std::time::Duration;

use super::{Life, Moment, Reason};

/// How long to wait before what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pauses {
    /// As many early ends in a row are followed by a start at once.
    pub forgiven: u32,
    /// The first pause; each further one is twice as long.
    pub first: Duration,
    /// By as many percent of itself at most a pause is shortened, by chance: what crashed together does not come back
    /// together.
    pub jitter: u32,
    /// After as many early ends in a row nobody waits for the end of a pause any more, unless the plugin need not be to
    /// blame.
    pub breaker: u32,
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
            jitter: 20,
            breaker: 5,
            longest: Duration::from_secs(30),
            longest_blameless: Duration::from_secs(1),
            healthy: Duration::from_secs(10),
            grace: Duration::from_secs(2),
        }
    }
}

impl Pauses {
    /// The pause after so many early ends in a row; luck is of 0 to 1, and more of it makes the pause shorter.
    fn after(&self, strikes: u32, longest: Duration, luck: f64) -> Duration {
        match strikes.checked_sub(self.forgiven.saturating_add(1)) {
            None => Duration::ZERO,
            Some(doublings) => {
                let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
                let pause = self.first.saturating_mul(factor).min(longest);
                pause.mul_f64(1.0 - f64::from(self.jitter.min(100)) / 100.0 * luck.clamp(0.0, 1.0))
            }
        }
    }

    /// Whether so many early ends in a row are too many to wait for a plugin: requests are answered at once, and one at a
    /// time tries it again.
    pub const fn is_open(&self, strikes: u32) -> bool {
        strikes >= self.breaker
    }

    /// The longest pause after the end of a program that was run.
    pub(super) const fn longest_after(&self, reason: Reason) -> Duration {
        match reason {
            Reason::Killed => self.longest_blameless,
            _ => self.longest,
        }
    }

    /// What follows an end.
    pub(super) fn ended(&self, strikes: u32, reason: Reason, longest: Duration, at: Moment) -> Life {
        let pause = self.after(strikes, longest, at.luck);
        if pause.is_zero() {
            Life::Exited { reason, strikes }
        } else {
            Life::Backoff { reason, strikes, until: at.now + pause }
        }
    }
}
