//! The form in which PostgreSQL keeps a password, so that it need not be told the password itself.

use std::num::NonZeroU32;

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{NoRandomness, Secret};
use ring::{digest, hmac, pbkdf2};

/// What every verifier begins with.
const MARK: &str = "SCRAM-SHA-256$";

/// As many rounds as PostgreSQL itself does.
const ROUNDS: NonZeroU32 = NonZeroU32::new(4096).unwrap();

/// Whether a text is a verifier already.
pub(super) fn is_verifier(password: &str) -> bool {
    password.starts_with(MARK)
}

/// The verifier of a password, with a salt of its own.
pub(super) fn verifier(password: &Secret<String>) -> Result<Secret<String>, NoRandomness> {
    let mut salt = [0; 16];
    super::random(&mut salt)?;
    Ok(salted(password, &salt))
}

fn salted(password: &Secret<String>, salt: &[u8]) -> Secret<String> {
    let mut key = Secret::new([0; 32]);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, salt, password.expose().as_bytes(), key.expose_mut());
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose());
    let stored = digest::digest(&digest::SHA256, hmac::sign(&key, b"Client Key").as_ref());
    let server = hmac::sign(&key, b"Server Key");
    let [salt, stored, server] = [salt, stored.as_ref(), server.as_ref()].map(|bytes| STANDARD.encode(bytes));
    Secret::new(format!("{MARK}{ROUNDS}:{salt}${stored}:{server}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verifier_is_the_one_that_rfc_7677s_example_leads_to() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let verifier = salted(&Secret::new("pencil".to_owned()), &salt);
        assert_eq!(
            verifier.expose(),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
        assert!(is_verifier(verifier.expose()) && !is_verifier("pencil"));
    }
}
