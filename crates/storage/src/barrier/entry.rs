use bytes::Bytes;
use domain::Secret;
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};

use crate::{Error, Key, Result};

/// The form of an entry: this byte, the term (4 bytes, most significant first), the nonce, ciphertext and tag.
const VERSION: u8 = 1;

const HEADER: usize = 1 + 4 + NONCE_LEN;

/// A key of AES-256.
pub(super) type RawKey = Secret<[u8; 32]>;

/// The random source failed, or something is too long to encrypt; nothing was written.
#[derive(Debug, thiserror::Error)]
#[error("encryption failed: no random numbers to be had, or too much to encrypt at once")]
pub(super) struct Unsealable;

/// Fresh random bytes, or an error: never weaker ones.
pub(super) fn random<const N: usize>() -> Result<Secret<[u8; N]>> {
    let mut bytes = zeroize::Zeroizing::new([0; N]);
    SystemRandom::new().fill(&mut *bytes).map_err(|_| Error::backend(Unsealable))?;
    Ok(Secret::new(*bytes))
}

/// A key made ready for use.
pub(super) fn cipher(key: &RawKey) -> Result<LessSafeKey> {
    let key = UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| Error::backend(Unsealable))?;
    Ok(LessSafeKey::new(key))
}

/// Seals a value for one place: it opens at no other.
pub(super) fn seal(cipher: &LessSafeKey, term: u32, at: &Key, plain: &[u8]) -> Result<Bytes> {
    let nonce = *random::<NONCE_LEN>()?.expose();
    let mut entry = Vec::with_capacity(HEADER + plain.len() + AES_256_GCM.tag_len());
    entry.push(VERSION);
    entry.extend(term.to_be_bytes());
    entry.extend(nonce);
    entry.extend(plain);
    let (_, body) = entry.split_at_mut(HEADER);
    let tag = cipher
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(at.as_str()), body)
        .map_err(|_| Error::backend(Unsealable))?;
    entry.extend(tag.as_ref());
    Ok(entry.into())
}

/// The term that an entry was sealed in.
pub(super) fn term_of(entry: &[u8]) -> Option<u32> {
    let (&VERSION, rest) = entry.split_first()? else { return None };
    rest.first_chunk().copied().map(u32::from_be_bytes)
}

/// Opens an entry at its place; `None` when it was changed, moved, or sealed with another key.
pub(super) fn open(cipher: &LessSafeKey, at: &Key, entry: &[u8]) -> Option<Vec<u8>> {
    let (header, body) = entry.split_at_checked(HEADER)?;
    let nonce = Nonce::assume_unique_for_key(*header.last_chunk()?);
    let mut body = body.to_vec();
    let plain = cipher.open_in_place(nonce, Aad::from(at.as_str()), &mut body).ok()?.len();
    body.truncate(plain);
    Some(body)
}
