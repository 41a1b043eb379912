//! What users log in with: made up here, told to the database in part, and to the client in full.

use std::sync::LazyLock;

use domain::{PasswordPolicy, Secret};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tenon::{Error, Result, database::Credential};

/// How many candidates are drawn for one password.
const TRIES: usize = 100_000;

/// What Vault makes for databases unless told otherwise.
const DEFAULT: &str = r#"
length = 20
rule "charset" { charset = "abcdefghijklmnopqrstuvwxyz" min-chars = 1 }
rule "charset" { charset = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" min-chars = 1 }
rule "charset" { charset = "0123456789" min-chars = 1 }
rule "charset" { charset = "-" min-chars = 1 }
"#;

static DEFAULT_POLICY: LazyLock<Option<PasswordPolicy>> = LazyLock::new(|| DEFAULT.parse().ok());

/// What somebody logs in with. Does not show itself.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LoginSecret {
    /// A password.
    Password(String),
    /// A private key and its public key, both as PEM.
    RsaKey { private: String, public: String },
    /// A certificate with its private key, both as PEM, and the name in it.
    Certificate { certificate: String, private: String, private_type: String, subject: String },
}

impl LoginSecret {
    /// What the database is told.
    pub(super) fn credential(&self) -> Credential {
        match self {
            Self::Password(password) => Credential::Password(Secret::new(password.clone())),
            Self::RsaKey { public, .. } => Credential::RsaPublicKey(public.clone().into_bytes()),
            Self::Certificate { subject, .. } => Credential::ClientCertificate { subject: subject.clone() },
        }
    }

    /// What the client is told.
    pub(super) fn tell(&self, data: &mut Map<String, Value>) {
        let mut tell = |name: &str, value: &str| data.insert(name.to_owned(), value.into());
        match self {
            Self::Password(password) => drop(tell("password", password)),
            Self::RsaKey { private, .. } => drop(tell("rsa_private_key", private)),
            Self::Certificate { certificate, private, private_type, .. } => {
                tell("client_certificate", certificate);
                tell("private_key", private);
                tell("private_key_type", private_type);
            }
        }
    }
}

/// A password after the policy that holds unless there is another. Strict rules would take long, but these do not.
pub(super) fn default_password() -> Result<Secret<String>> {
    let unusable = || Error::Internal("no password could be made".to_owned());
    let policy = DEFAULT_POLICY.as_ref().ok_or_else(unusable)?;
    let random = SystemRandom::new();
    let drawn = policy.generate(TRIES, |buffer| random.fill(buffer)).map_err(|_| unusable())?;
    drawn.ok_or_else(unusable)
}

/// A new pair of RSA keys. Takes long: for a thread that may block.
pub(super) fn rsa_key(size: RsaKeySize) -> Result<KeyPair> {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, size).map_err(no_key)
}

pub(super) fn no_key(error: rcgen::Error) -> Error {
    Error::Internal(format!("no key could be made: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_what_vault_makes_for_databases() {
        let (one, other) = (default_password().unwrap(), default_password().unwrap());
        assert_ne!(one.expose(), other.expose());
        for password in [one, other] {
            assert_eq!(password.expose().len(), 20);
            assert!(DEFAULT_POLICY.as_ref().unwrap().allows(password.expose()));
        }
    }

    #[test]
    fn a_database_is_told_the_public_key_and_a_client_the_private_one() {
        let key = LoginSecret::RsaKey { private: "private".to_owned(), public: "public".to_owned() };
        let Credential::RsaPublicKey(told) = key.credential() else { panic!() };
        let mut data = Map::new();
        key.tell(&mut data);
        assert_eq!(
            (told.as_slice(), Value::Object(data)),
            (&b"public"[..], serde_json::json!({ "rsa_private_key": "private" }))
        );
    }
}
