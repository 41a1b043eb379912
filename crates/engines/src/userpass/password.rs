use std::{fmt, str::FromStr};

use bcrypt::HashParts;
use domain::Secret;
use serde::{Deserialize, Deserializer, Serialize};
use tenon::{Error, Result};

/// The work that a hash takes: 2 to the power of this many rounds, as in Go's library.
const COST: u32 = 10;

/// Longer passwords would count by their beginning only.
const LONGEST: usize = 72;

/// A hash of nobody's password: who does not exist costs the same as who does.
const NOBODY: &str = "$2b$10$vLskH3gm3O1Tx2fNPh8IIOoAJfhqUDzW91SiBffyy.JWSZYmmswPy";

/// A password as it is sent. It is never shown.
pub(super) struct Password(Secret<String>);

/// A bcrypt hash.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct PasswordHash(String);

impl Password {
    pub(super) fn is_empty(&self) -> bool {
        self.0.expose().is_empty()
    }
}

impl Default for Password {
    fn default() -> Self {
        Self(Secret::new(String::new()))
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::new(text)))
    }
}

impl PasswordHash {
    /// Hashes a password, which takes long on purpose.
    ///
    /// # Errors
    /// It is too long.
    pub(super) async fn of(password: Password) -> Result<Self> {
        if password.0.expose().len() > LONGEST {
            return Err(Error::refused(format!("the password is longer than {LONGEST} bytes")));
        }
        let hash =
            tokio::task::spawn_blocking(move || bcrypt::hash(password.0.expose().as_bytes(), COST)).await;
        match hash {
            Ok(Ok(hash)) => Ok(Self(hash)),
            Ok(Err(error)) => Err(Error::Internal(format!("the password could not be hashed: {error}"))),
            Err(_) => Err(Error::Internal("the server is stopping".to_owned())),
        }
    }

    /// One that was made elsewhere.
    ///
    /// # Errors
    /// It is none of bcrypt.
    pub(super) fn given(hash: String) -> Result<Self> {
        match HashParts::from_str(&hash) {
            Ok(_) => Ok(Self(hash)),
            Err(_) => Err(Error::refused("\"password_hash\" is not a hash of bcrypt")),
        }
    }

    /// Whether it is the hash of that password; of nobody's, it is never. Takes the same time for all.
    pub(super) async fn is_of(hash: Option<Self>, password: Password) -> bool {
        let known = hash.is_some();
        let hash = hash.map_or_else(|| NOBODY.to_owned(), |hash| hash.0);
        let checked =
            tokio::task::spawn_blocking(move || bcrypt::verify(password.0.expose().as_bytes(), &hash)).await;
        matches!(checked, Ok(Ok(true))) && known
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}
