use std::fmt;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Failure, Secret};

/// What was answered.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body as it came.
    pub body: Bytes,
}

impl Answer {
    /// The document in it.
    ///
    /// # Errors
    /// When there is none, or another one.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| Failure::Strange(error.to_string()))
    }

    /// What Vault wraps everything in; nothing when there is no body.
    ///
    /// # Errors
    /// When it is something else.
    pub fn secret(&self) -> Result<Option<Secret>, Failure> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        self.json().map(Some)
    }

    /// What is told, out of its wrapping.
    ///
    /// # Errors
    /// When there is nothing, or something else.
    pub fn data(&self) -> Result<Value, Failure> {
        let mut whole: Value = self.json()?;
        Ok(match whole.get_mut("data") {
            Some(data) if !data.is_null() => data.take(),
            _ => whole,
        })
    }

    /// The errors in it, if it has the form for them.
    pub fn errors(&self) -> Option<Vec<String>> {
        let whole: Value = serde_json::from_slice(&self.body).ok()?;
        let errors = whole.get("errors")?.as_array()?;
        Some(errors.iter().filter_map(|error| error.as_str().map(str::to_owned)).collect())
    }
}

/// What is answered may be a secret.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} bytes", self.status, self.body.len())
    }
}
