use std::{collections::BTreeSet, sync::Arc};

/// The leases of one mount. Work on them never takes all places, so that a mount that is slow or broken does not hold
/// up the others.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// By the time that they are due.
    pub(super) waiting: BTreeSet<(u64, Arc<str>)>,
    /// All of them, those that wait for nothing included.
    pub(super) leases: usize,
    pub(super) at_work: usize,
    /// The last revocation failed.
    failing: bool,
    /// Under which time it stands among the lanes that can be worked on.
    pub(super) listed: Option<u64>,
}

impl Lane {
    /// When its next lease is due, unless as many are at work as may be. One that fails gets a single place until
    /// something succeeds again.
    pub(super) fn next(&self, places: usize) -> Option<u64> {
        let places = if self.failing { 1 } else { places };
        self.waiting.first().filter(|_| self.at_work < places).map(|(due, _)| *due)
    }

    pub(super) fn ended(&mut self, well: bool) {
        self.at_work = self.at_work.saturating_sub(1);
        self.failing = !well;
    }

    pub(super) fn is_over(&self) -> bool {
        self.leases == 0 && self.at_work == 0
    }
}
