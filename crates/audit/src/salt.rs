use std::fmt;

use ring::hmac;

/// What a device hashes with: the same text has another hash at each device, and nobody can try texts without it.
pub struct Salt(hmac::Key);

impl Salt {
    /// Takes 32 random bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// `hmac-sha256:` and 64 hex digits.
    pub fn hash(&self, text: &[u8]) -> String {
        let tag = hmac::sign(&self.0, text);
        format!("hmac-sha256:{}", hex::encode(tag))
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_hmac_of_the_text() {
        // printf secretvalue | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707…07
        let hash = Salt::new(&[7; 32]).hash(b"secretvalue");
        assert_eq!(hash, "hmac-sha256:a83d0446bddb1361cb9e137841bdffba28089940ddd8076a94efde95bc68895d");
        assert_ne!(Salt::new(&[8; 32]).hash(b"secretvalue"), hash);
        assert_eq!(format!("{:?}", Salt::new(&[7; 32])), "[secret]");
    }
}
