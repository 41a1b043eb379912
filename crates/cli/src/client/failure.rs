use std::{error::Error as _, fmt, time::Duration};

use reqwest::{Method, Url};

use super::{Answer, connection};

/// Why there is no answer. None of these shows a token.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server refused it.
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
    /// There is no connection.
    #[error("cannot reach {address}: {why}")]
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        why: String,
    },
    /// An answer began, and did not end.
    #[error("the server's answer broke off: {0}")]
    Broken(String),
    /// It took too long.
    #[error("the server did not answer within {}", domain::format_go_duration(*.0))]
    Late(Duration),
    /// It answered, but not as its API does.
    #[error("the server's answer is not what it should be: {0}")]
    Strange(String),
    /// What the user gave cannot be used.
    #[error("{0}")]
    Unfit(String),
    /// Nothing was sent: this is printed in its place.
    #[error("nothing was sent")]
    Instead(String),
}

/// What a server refused, in Vault's form.
#[derive(Debug, thiserror::Error)]
pub struct Refusal {
    /// How it was asked.
    pub method: Method,
    /// Where.
    pub url: Url,
    /// In which namespace.
    pub namespace: Option<String>,
    /// What was answered.
    pub answer: Answer,
}

impl Failure {
    pub(super) fn unreachable(address: &str, error: reqwest::Error) -> Self {
        if error.is_builder() {
            return Self::Unfit(format!("{} is no address", connection::shown(address)));
        }
        Self::Unreachable { address: connection::shown(address), why: chain(error) }
    }

    pub(super) fn broken(error: reqwest::Error) -> Self {
        Self::Broken(chain(error))
    }

    /// What the server answered, if it refused.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Its status, if the server refused.
    pub fn status(&self) -> Option<u16> {
        self.refusal().map(|refusal| refusal.answer.status)
    }

    /// Whether the same request may be answered a little later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Refused(refusal) => {
                let status = refusal.answer.status;
                status == 412 || (status >= 500 && status != 501)
            }
            Self::Unreachable { .. } => true,
            _ => false,
        }
    }
}

/// Why, down to the cause, and without the address, which may hold a password.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(below) = cause {
        let below_text = below.to_string();
        if !text.contains(&below_text) {
            text = format!("{text}: {below_text}");
        }
        cause = below.source();
    }
    text
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Error making API request.\n")?;
        if let Some(namespace) = &self.namespace {
            writeln!(f, "Namespace: {namespace}")?;
        }
        writeln!(f, "URL: {} {}", self.method, connection::shown_url(&self.url))?;
        match self.answer.errors() {
            Some(errors) => {
                writeln!(f, "Code: {}. Errors:", self.answer.status)?;
                errors.iter().try_for_each(|error| write!(f, "\n* {error}"))
            }
            None => {
                let raw = String::from_utf8_lossy(&self.answer.body);
                write!(f, "Code: {}. Raw Message:\n\n{}", self.answer.status, raw.trim())
            }
        }
    }
}
