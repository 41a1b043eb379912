use bytes::Bytes;

use super::{
    ENCRYPTIONS, KEYRING, KeyStatus, VALUE_LIMIT,
    entry::{self, RawKey, cipher, random},
    keyring::Keyring,
    names::Names,
    own,
};
use crate::{Error, Key, Result, Write};

/// After this many encryptions their number is stored again; a crash forgets fewer.
const COUNT_STEP: u64 = 1024;

/// The keyring is sealed by the root key, which is of no term.
const NO_TERM: u32 = 0;

/// What an open barrier knows.
pub(super) struct Open {
    root: RawKey,
    keyring: Keyring,
}

impl Open {
    /// Makes the keys, and what stores them.
    pub(super) fn create() -> Result<(Self, Vec<Write>)> {
        let open = Self { root: random()?, keyring: Keyring::create()? };
        let write = open.keyring_write()?;
        Ok((open, vec![write]))
    }

    /// Opens a stored keyring.
    pub(super) fn load(root: RawKey, stored: &[u8]) -> Result<Self> {
        let damaged = || Error::Damaged(own(KEYRING));
        let plain = entry::open(&cipher(&root)?, &own(KEYRING), stored).ok_or_else(damaged)?;
        let keyring = Keyring::decode(&zeroize::Zeroizing::new(plain)).ok_or_else(damaged)?;
        Ok(Self { root, keyring })
    }

    /// The same with a fresh term, and what stores it.
    pub(super) fn rotated(&self) -> Result<(Self, Write)> {
        let next = Self { root: self.root.clone(), keyring: self.keyring.rotated()? };
        let write = next.keyring_write()?;
        Ok((next, write))
    }

    pub(super) const fn root(&self) -> &RawKey {
        &self.root
    }

    pub(super) fn names(&self) -> &Names {
        self.keyring.names()
    }

    pub(super) fn status(&self) -> KeyStatus {
        self.keyring.status()
    }

    /// Opens the value found under a name; `None` when it does not belong there.
    pub(super) fn open(&self, at: &Key, sealed: &[u8]) -> Option<Bytes> {
        let term = entry::term_of(sealed).and_then(|number| self.keyring.term(number))?;
        entry::open(&term.cipher, at, sealed).map(Bytes::from)
    }

    /// Seals values and hides names; all of them or, with an error, none.
    pub(super) fn seal_all(&self, writes: Vec<Write>) -> Result<Vec<Write>> {
        let puts = writes.iter().filter(|write| matches!(write, Write::Put(..))).count();
        let mut sealed = writes.into_iter().map(|write| self.seal_one(write)).collect::<Result<Vec<_>>>()?;
        sealed.extend(self.count(puts as u64)?);
        Ok(sealed)
    }

    fn seal_one(&self, write: Write) -> Result<Write> {
        match write {
            Write::Put(_, value) if value.len() > VALUE_LIMIT => {
                Err(Error::TooLarge { limit: VALUE_LIMIT, actual: value.len() })
            }
            Write::Put(key, value) => {
                let at = self.names().key(&key)?;
                let value = self.seal_at(&at, &value)?;
                Ok(Write::Put(at, value))
            }
            Write::Delete(key) => self.names().key(&key).map(Write::Delete),
        }
    }

    fn seal_at(&self, at: &Key, plain: &[u8]) -> Result<Bytes> {
        let term = self.keyring.active();
        entry::seal(&term.cipher, term.number, at, plain)
    }

    fn keyring_write(&self) -> Result<Write> {
        let sealed = entry::seal(&cipher(&self.root)?, NO_TERM, &own(KEYRING), &self.keyring.encode())?;
        Ok(Write::Put(own(KEYRING), sealed))
    }

    /// Counts, and from time to time stores the number beside what was counted.
    fn count(&self, more: u64) -> Result<Option<Write>> {
        let (before, after) = self.keyring.active().count(more);
        if before / COUNT_STEP == after / COUNT_STEP {
            return Ok(None);
        }
        let at = own(ENCRYPTIONS);
        let sealed = self.seal_at(&at, &after.to_be_bytes())?;
        Ok(Some(Write::Put(at, sealed)))
    }

    /// Takes up a stored count, if it is one of the active term.
    pub(super) fn restore_count(&self, stored: &[u8]) {
        let at = own(ENCRYPTIONS);
        let active = self.keyring.active();
        if entry::term_of(stored) != Some(active.number) {
            return;
        }
        let plain = entry::open(&active.cipher, &at, stored);
        if let Some(count) = plain.and_then(|plain| Some(u64::from_be_bytes(*plain.first_chunk()?))) {
            active.count(count);
        }
    }
}
