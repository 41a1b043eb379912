use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf,
};

use super::TokenEntry;
use crate::{error::Result, random};

/// What batch tokens begin with.
pub(super) const PREFIX: &str = "hvb.";
/// Random bytes at the front of each, from which its own key is made: two never share one, however many there are.
const SEED: usize = 24;

/// Makes and opens batch tokens: what is known about them is inside them, sealed, and stored nowhere.
pub(crate) struct BatchSeal(hkdf::Prk);

impl BatchSeal {
    /// From the secret that the barrier keeps for tokens.
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self(hkdf::Salt::new(hkdf::HKDF_SHA256, b"batch tokens").extract(secret))
    }

    pub(crate) fn seal(&self, entry: &TokenEntry) -> Result<String> {
        let seed = random::bytes::<SEED>()?;
        let mut sealed = serde_json::to_vec(entry).expect("our own records have a form in JSON");
        // Fails for texts of gigabytes only.
        let tag = self.key(&seed).seal_in_place_separate_tag(nonce(), Aad::empty(), &mut sealed);
        let tag = tag.map_err(|_| crate::Error::Random)?;
        let whole = [&seed[..], &sealed, tag.as_ref()].concat();
        Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(whole)))
    }

    /// What is known about it; none: it was not made here. Without what says where it belongs.
    pub(crate) fn open(&self, token: &str) -> Option<TokenEntry> {
        let mut whole = URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
        let (seed, sealed) = whole.split_at_mut_checked(SEED)?;
        let opened = self.key(seed).open_in_place(nonce(), Aad::empty(), sealed).ok()?;
        serde_json::from_slice(opened).ok()
    }

    fn key(&self, seed: &[u8]) -> LessSafeKey {
        let seed = [seed];
        let key = self.0.expand(&seed, &AES_256_GCM).expect("the length is that of a key");
        LessSafeKey::new(UnboundKey::from(key))
    }
}

/// Always the same: every key is used once.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

impl fmt::Debug for BatchSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> TokenEntry {
        TokenEntry {
            policies: vec!["app".to_owned()],
            ttl: 60,
            ..TokenEntry::at("auth/a/login", String::new())
        }
    }

    fn sealed(seal: &BatchSeal) -> String {
        seal.seal(&entry()).unwrap()
    }

    #[test]
    fn a_batch_token_says_what_it_was_made_with_and_no_two_are_alike() {
        let seal = BatchSeal::new(&[1; 32]);
        let (first, second) = (sealed(&seal), sealed(&seal));
        assert_eq!(seal.open(&first).map(|entry| entry.policies), Some(vec!["app".to_owned()]));
        assert_ne!(first, second);
        assert!(BatchSeal::new(&[2; 32]).open(&first).is_none());
    }

    #[test]
    fn a_batch_token_that_was_changed_anywhere_is_none() {
        let seal = BatchSeal::new(&[1; 32]);
        let token = sealed(&seal);
        let whole = URL_SAFE_NO_PAD.decode(token.trim_start_matches(PREFIX)).unwrap();
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            let changed = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(changed));
            assert!(seal.open(&changed).is_none(), "byte {place}");
        }
        let followed = [".", ".x", ".x.x"].map(|end| format!("{token}{end}"));
        let others = ["hvb.", "hvb.AAAA", "hvb.!", "hvs.a"].map(str::to_owned);
        for text in followed.iter().chain(&others) {
            assert!(seal.open(text).is_none(), "{text}");
        }
    }
}
