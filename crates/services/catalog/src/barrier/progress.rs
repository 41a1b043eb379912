use std::mem;

use domain::Secret;
use uuid::Uuid;

use crate::Error;

/// Bytes that a share has at least.
const SHORTEST: usize = 16;

/// Bytes that a share has at most: those of a key, and the point it was taken at.
const LONGEST: usize = 33;

/// The shares handed in so far, all different.
#[derive(Debug, Default)]
pub(super) struct Progress {
    shares: Vec<Secret<Vec<u8>>>,
    /// Names this collecting; of no meaning without shares.
    nonce: Uuid,
}

/// A share of a length that a share can have.
pub(super) fn checked(share: &[u8]) -> Result<Secret<Vec<u8>>, Error> {
    match share.len() {
        ..SHORTEST => Err(Error::ShareTooShort { minimum: SHORTEST }),
        SHORTEST..=LONGEST => Ok(Secret::new(share.to_vec())),
        _ => Err(Error::ShareTooLong { maximum: LONGEST }),
    }
}

impl Progress {
    /// Takes one more share. When these are enough they are handed out, and collecting begins anew.
    pub(super) fn add(&mut self, share: Secret<Vec<u8>>, threshold: usize) -> Option<Vec<Secret<Vec<u8>>>> {
        if self.shares.is_empty() {
            self.nonce = Uuid::new_v4();
        }
        if !self.shares.iter().any(|known| known.expose() == share.expose()) {
            self.shares.push(share);
        }
        (self.shares.len() >= threshold).then(|| mem::take(&mut self.shares))
    }

    /// Forgets all shares.
    pub(super) fn reset(&mut self) {
        self.shares.clear();
    }

    /// How many there are, and the name of this collecting.
    pub(super) fn state(&self) -> (u32, String) {
        match self.shares.len() {
            0 => (0, String::new()),
            number => (u32::try_from(number).unwrap_or(u32::MAX), self.nonce.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(byte: u8) -> Secret<Vec<u8>> {
        Secret::new(vec![byte; 33])
    }

    #[test]
    fn the_last_share_hands_all_out_and_begins_anew() {
        let mut progress = Progress::default();
        assert!(progress.add(share(1), 2).is_none());
        let (number, nonce) = progress.state();
        assert_eq!((number, nonce.len()), (1, 36));
        assert!(progress.add(share(1), 2).is_none(), "the same share again");
        assert_eq!(progress.state(), (1, nonce.clone()));
        assert_eq!(progress.add(share(2), 2).unwrap().len(), 2);
        assert_eq!(progress.state(), (0, String::new()));
        progress.add(share(1), 2);
        assert_ne!(progress.state().1, nonce);
    }

    #[test]
    fn shares_have_the_length_of_a_share() {
        assert!(matches!(checked(&[0; 15]), Err(Error::ShareTooShort { .. })));
        assert!(matches!(checked(&[0; 34]), Err(Error::ShareTooLong { .. })));
        assert!(checked(&[0; 16]).is_ok() && checked(&[0; 33]).is_ok());
    }
}
