use ring::rand::{SecureRandom, SystemRandom};

use crate::{Error, error::Result};

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Bytes that nobody can guess.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// As many of them as are asked for.
pub(crate) fn many(length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// Fills a buffer with them.
pub(crate) fn fill(buffer: &mut [u8]) -> Result<()> {
    SystemRandom::new().fill(buffer).map_err(|_| Error::Random)
}

/// Letters and digits that nobody can guess, each as likely as the next.
pub(crate) fn base62(length: usize) -> Result<String> {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        // 248 is the largest multiple of 62 in a byte; what lies above would favour some letters.
        let fair = bytes::<32>()?.into_iter().filter(|byte| *byte < 248);
        text.extend(fair.map(|byte| char::from(LETTERS[usize::from(byte % 62)])).take(length - text.len()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_text_has_its_length_and_only_letters_and_digits() {
        for length in [0, 1, 24, 100] {
            let text = base62(length).unwrap();
            assert_eq!(text.len(), length);
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
        assert_ne!(base62(24).unwrap(), base62(24).unwrap());
    }
}
