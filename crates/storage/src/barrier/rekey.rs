use domain::Secret;

use super::{Barrier, SEAL, SealConfig, UnsealError, own, seal::SealRecord};
use crate::{Result, Write};

/// A seal with new shares that is not in force yet.
pub struct NextSeal(SealRecord);

impl NextSeal {
    /// Whether these shares open it.
    pub fn opens_with(&self, shares: &[Secret<Vec<u8>>]) -> bool {
        self.0.open(shares).is_some()
    }
}

impl Barrier {
    /// Whether these are shares of the seal in force, and enough of them.
    pub async fn check(&self, shares: &[Secret<Vec<u8>>]) -> Result<(), UnsealError> {
        let record = self.seal_record().await?.ok_or(UnsealError::NotInitialized)?;
        record.open(shares).map(drop).ok_or(UnsealError::WrongShares)
    }

    /// Splits the key anew, for who holds enough shares of the seal in force. Returns the new shares, too.
    pub async fn next_seal(
        &self,
        config: SealConfig,
        shares: &[Secret<Vec<u8>>],
    ) -> Result<(NextSeal, Vec<Secret<Vec<u8>>>), UnsealError> {
        let record = self.seal_record().await?.ok_or(UnsealError::NotInitialized)?;
        let root = record.open(shares).ok_or(UnsealError::WrongShares)?;
        let (record, shares) = SealRecord::create(config, &root)?;
        Ok((NextSeal(record), shares))
    }

    /// Puts a seal in force: from now on only its shares open the barrier. One write, so that a kill leaves the old one
    /// or the new one.
    pub async fn reseal(&self, next: &NextSeal) -> Result<()> {
        let _changing = self.changing.lock().await;
        self.below.commit(vec![Write::Put(own(SEAL), next.0.encode()?)]).await
    }
}
