use std::{mem, time::Duration};

use domain::Secret;
use tokio::time::Instant;
use uuid::Uuid;

/// A ceremony that nobody has handed a share to for so long gives way to a new one: else whoever may not finish one could
/// keep all others from it.
const PATIENCE: Duration = Duration::from_secs(600);

/// Shares that are handed in one by one, under a name that all who take part can compare.
#[derive(Debug)]
pub(super) struct Gathering {
    nonce: String,
    shares: Vec<Secret<Vec<u8>>>,
    touched: Instant,
}

/// The share has been handed in before.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known;

impl Gathering {
    pub(super) fn begin() -> Self {
        Self { nonce: Uuid::new_v4().to_string(), shares: Vec::new(), touched: Instant::now() }
    }

    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    pub(super) fn progress(&self) -> u32 {
        u32::try_from(self.shares.len()).unwrap_or(u32::MAX)
    }

    /// Nobody has taken part yet.
    pub(super) fn is_untouched(&self) -> bool {
        self.shares.is_empty()
    }

    /// Nobody takes part any more.
    pub(super) fn is_stale(&self) -> bool {
        self.touched.elapsed() >= PATIENCE
    }

    /// Takes one more share. When these are enough they are handed out, and gathering begins anew under the same name.
    pub(super) fn add(
        &mut self,
        share: Secret<Vec<u8>>,
        required: u8,
    ) -> Result<Option<Vec<Secret<Vec<u8>>>>, Known> {
        if self.shares.iter().any(|known| known.expose() == share.expose()) {
            return Err(Known);
        }
        self.touched = Instant::now();
        self.shares.push(share);
        Ok((self.shares.len() >= usize::from(required)).then(|| mem::take(&mut self.shares)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(byte: u8) -> Secret<Vec<u8>> {
        Secret::new(vec![byte; 33])
    }

    #[test]
    fn a_share_counts_once_and_the_last_hands_all_out() {
        let mut gathering = Gathering::begin();
        assert!(gathering.add(share(1), 2).unwrap().is_none());
        assert_eq!(gathering.add(share(1), 2).unwrap_err(), Known);
        assert_eq!(gathering.progress(), 1);
        assert_eq!(gathering.add(share(2), 2).unwrap().unwrap().len(), 2);
        assert!(gathering.is_untouched());
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_no_part_for_long_gives_way() {
        let mut gathering = Gathering::begin();
        tokio::time::advance(PATIENCE / 2).await;
        gathering.add(share(1), 2).unwrap();
        tokio::time::advance(PATIENCE / 2).await;
        assert!(!gathering.is_stale());
        tokio::time::advance(PATIENCE / 2).await;
        assert!(gathering.is_stale());
    }
}
