use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use bytes::{Buf, BufMut};
use domain::Secret;
use ring::aead::LessSafeKey;
use zeroize::Zeroizing;

use super::{
    entry::{RawKey, cipher, random},
    names::Names,
};
use crate::Result;

/// The form of a stored keyring: this byte, the key of names, the active term, and each term with time and key.
const VERSION: u8 = 1;

/// Which key is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// Its number, from 1.
    pub term: u32,
    /// When it was made, in nanoseconds since 1970.
    pub install_time: i64,
    /// About how much was sealed with it.
    pub encryptions: u64,
}

/// The keys, by term: the active one seals, every one opens what was sealed in its time.
pub(super) struct Keyring {
    terms: BTreeMap<u32, Arc<Term>>,
    active: Arc<Term>,
    names: Arc<Names>,
}

/// One key, from its installation on.
pub(super) struct Term {
    pub(super) number: u32,
    pub(super) cipher: LessSafeKey,
    key: RawKey,
    installed: i64,
    encryptions: AtomicU64,
}

impl Term {
    fn new(number: u32, installed: i64, key: RawKey) -> Result<Self> {
        Ok(Self { number, installed, cipher: cipher(&key)?, key, encryptions: AtomicU64::new(0) })
    }

    fn fresh(number: u32) -> Result<Self> {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self::new(number, i64::try_from(since.as_nanos()).unwrap_or(i64::MAX), random()?)
    }

    /// Counts encryptions; returns the number before and after.
    pub(super) fn count(&self, more: u64) -> (u64, u64) {
        let before = self.encryptions.fetch_add(more, Ordering::Relaxed);
        (before, before + more)
    }
}

impl Keyring {
    /// A first term, and a key for names that lasts as long as the keyring: a name must always read the same.
    pub(super) fn create() -> Result<Self> {
        let active = Arc::new(Term::fresh(1)?);
        Ok(Self { terms: [(1, active.clone())].into(), active, names: Arc::new(Names::new(random()?)) })
    }

    /// The same keys, and a fresh one that is active.
    pub(super) fn rotated(&self) -> Result<Self> {
        let newest = self.terms.keys().next_back().copied().unwrap_or_default();
        let active = Arc::new(Term::fresh(newest + 1)?);
        let mut terms = self.terms.clone();
        terms.insert(active.number, active.clone());
        Ok(Self { terms, active, names: self.names.clone() })
    }

    pub(super) const fn active(&self) -> &Arc<Term> {
        &self.active
    }

    pub(super) fn term(&self, number: u32) -> Option<&Term> {
        self.terms.get(&number).map(|term| &**term)
    }

    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    pub(super) fn status(&self) -> KeyStatus {
        KeyStatus {
            term: self.active.number,
            install_time: self.active.installed,
            encryptions: self.active.encryptions.load(Ordering::Relaxed),
        }
    }

    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        // Room for all of it at once: growing would leave copies of keys behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(69 + 44 * self.terms.len()));
        bytes.put_u8(VERSION);
        bytes.put_slice(self.names.secret().expose());
        bytes.put_u32(self.active.number);
        for (number, term) in &self.terms {
            bytes.put_u32(*number);
            bytes.put_i64(term.installed);
            bytes.put_slice(term.key.expose());
        }
        bytes
    }

    /// `None` when this is no keyring.
    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        if bytes.try_get_u8().ok()? != VERSION {
            return None;
        }
        let names = Arc::new(Names::new(take_key(&mut bytes)?));
        let active = bytes.try_get_u32().ok()?;
        let mut terms = BTreeMap::new();
        while bytes.has_remaining() {
            let number = bytes.try_get_u32().ok()?;
            let installed = bytes.try_get_i64().ok()?;
            let term = Term::new(number, installed, take_key(&mut bytes)?).ok()?;
            terms.insert(number, Arc::new(term));
        }
        let active = terms.get(&active)?.clone();
        Some(Self { terms, active, names })
    }
}

fn take_key<const N: usize>(bytes: &mut &[u8]) -> Option<Secret<[u8; N]>> {
    let (key, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(Secret::new(*key))
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("active", &self.active.number).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t10_a_keyring_reads_back_and_shows_no_key() {
        let keyring = Keyring::create().unwrap().rotated().unwrap();
        let read = Keyring::decode(&keyring.encode()).unwrap();
        assert_eq!(read.status(), keyring.status());
        assert_eq!(read.encode(), keyring.encode());
        assert_eq!(format!("{read:?}"), "Keyring { active: 2, .. }");
    }

    #[test]
    fn damaged_keyrings_are_refused() {
        let whole = Keyring::create().unwrap().encode();
        for length in 0..whole.len() {
            assert!(Keyring::decode(&whole[..length]).is_none(), "{length}");
        }
    }
}
