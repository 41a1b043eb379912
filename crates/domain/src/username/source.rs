use std::time::SystemTime;

use super::{NoRandomness, UsernameSubject};
use crate::password::Draw;

/// Letters and digits in the order of Vault's base 62.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a name is made of beside the template.
pub(super) struct Source<'s, F> {
    pub(super) subject: &'s UsernameSubject<'s>,
    pub(super) now: SystemTime,
    pub(super) draw: Draw<F>,
}

impl<F: FnMut(&mut [u8]) -> Result<(), NoRandomness>> Source<'_, F> {
    /// So many letters and digits.
    pub(super) fn random(&mut self, length: usize) -> Result<String, NoRandomness> {
        (0..length).map(|_| Ok(char::from(BASE62[self.draw.below(BASE62.len())?]))).collect()
    }

    /// Sixteen random bytes, as a UUID is written.
    pub(super) fn uuid(&mut self) -> Result<String, NoRandomness> {
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            *byte = self.draw.byte()?;
        }
        let hex = hex::encode(bytes);
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        Ok(parts.join("-"))
    }

    /// Milliseconds since 1970.
    pub(super) fn millis(&self) -> i64 {
        let since = self.now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}
