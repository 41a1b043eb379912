use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use domain::Secret;
use serde::{Deserialize, Serialize};

use super::{
    SEAL,
    entry::{self, RawKey, cipher, random},
    own, shamir,
};
use crate::{Error, Result};

/// The root key is sealed before there are terms.
const NO_TERM: u32 = 0;

/// How many shares there are, and how many open the barrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct SealConfig {
    shares: u8,
    threshold: u8,
}

/// Numbers of shares that make no seal.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidSealConfig {
    /// None at all.
    #[error("invalid seal configuration: shares must be at least one")]
    NoShares,
    /// None needed.
    #[error("invalid seal configuration: threshold must be at least one")]
    NoThreshold,
    /// Each would be the whole key.
    #[error("invalid seal configuration: threshold must be greater than one for multiple shares")]
    EachAlone,
    /// There are only so many points to take shares at.
    #[error("invalid seal configuration: shares must be less than 256")]
    TooMany,
    /// It could never be opened.
    #[error("invalid seal configuration: threshold cannot be larger than shares")]
    OutOfReach,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    shares: u32,
    threshold: u32,
}

/// What is stored in the clear: the numbers, and the root key, which only the shares open.
#[derive(Serialize, Deserialize)]
pub(super) struct SealRecord {
    #[serde(flatten)]
    pub(super) config: SealConfig,
    root_key: String,
}

impl SealConfig {
    /// Checks the numbers.
    pub fn new(shares: u32, threshold: u32) -> Result<Self, InvalidSealConfig> {
        match (shares, threshold) {
            (0, _) => Err(InvalidSealConfig::NoShares),
            (_, 0) => Err(InvalidSealConfig::NoThreshold),
            (2.., 1) => Err(InvalidSealConfig::EachAlone),
            _ if threshold > shares => Err(InvalidSealConfig::OutOfReach),
            _ => {
                let shares = u8::try_from(shares).map_err(|_| InvalidSealConfig::TooMany)?;
                let threshold = u8::try_from(threshold).map_err(|_| InvalidSealConfig::TooMany)?;
                Ok(Self { shares, threshold })
            }
        }
    }

    /// How many shares there are.
    pub const fn shares(self) -> u8 {
        self.shares
    }

    /// How many of them open the barrier.
    pub const fn threshold(self) -> u8 {
        self.threshold
    }
}

impl TryFrom<Stored> for SealConfig {
    type Error = InvalidSealConfig;

    fn try_from(stored: Stored) -> Result<Self, InvalidSealConfig> {
        Self::new(stored.shares, stored.threshold)
    }
}

impl From<SealConfig> for Stored {
    fn from(config: SealConfig) -> Self {
        Self { shares: config.shares.into(), threshold: config.threshold.into() }
    }
}

impl SealRecord {
    /// Seals the root key with a fresh key, and splits that.
    pub(super) fn create(config: SealConfig, root: &RawKey) -> Result<(Self, Vec<Secret<Vec<u8>>>)> {
        let key: RawKey = random()?;
        let sealed = entry::seal(&cipher(&key)?, NO_TERM, &own(SEAL), root.expose())?;
        let shares = shamir::split(key.expose(), config.shares, config.threshold)?;
        Ok((Self { config, root_key: STANDARD.encode(sealed) }, shares))
    }

    /// The root key, if these are the shares.
    pub(super) fn open(&self, shares: &[Secret<Vec<u8>>]) -> Option<RawKey> {
        let key = shamir::combine(shares)?;
        let key = RawKey::new(key.expose().as_slice().try_into().ok()?);
        let sealed = STANDARD.decode(&self.root_key).ok()?;
        let root = Secret::new(entry::open(&cipher(&key).ok()?, &own(SEAL), &sealed)?);
        Some(RawKey::new(root.expose().as_slice().try_into().ok()?))
    }

    pub(super) fn encode(&self) -> Result<Bytes> {
        serde_json::to_vec(self).map(Bytes::from).map_err(Error::backend)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|_| Error::Damaged(own(SEAL)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_shares_are_checked() {
        let refused = [
            (0, 0, InvalidSealConfig::NoShares),
            (1, 0, InvalidSealConfig::NoThreshold),
            (5, 1, InvalidSealConfig::EachAlone),
            (1, 2, InvalidSealConfig::OutOfReach),
            (256, 2, InvalidSealConfig::TooMany),
        ];
        for (shares, threshold, error) in refused {
            assert_eq!(SealConfig::new(shares, threshold), Err(error));
        }
        for (shares, threshold) in [(1, 1), (5, 3), (255, 255)] {
            assert!(SealConfig::new(shares, threshold).is_ok());
        }
    }

    #[test]
    fn the_root_key_opens_with_its_shares_only_and_after_storing() {
        let root = random().unwrap();
        let (record, shares) = SealRecord::create(SealConfig::new(3, 2).unwrap(), &root).unwrap();
        let record = SealRecord::decode(&record.encode().unwrap()).unwrap();
        assert_eq!(record.open(&shares[1..]).unwrap().expose(), root.expose());
        let (_, others) = SealRecord::create(SealConfig::new(3, 2).unwrap(), &root).unwrap();
        assert!(record.open(&others[1..]).is_none());
        assert!(record.open(&[]).is_none());
    }
}
