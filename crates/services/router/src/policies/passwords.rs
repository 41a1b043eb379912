use domain::{InvalidPasswordPolicy, Kind, PasswordPolicy, Secret};

use super::record::{Record, encoded, name};
use crate::{Error, error::Result, random, store::Store};

/// Where the records of password policies are.
const RECORDS: &str = "core/policies/password/";

const SHORTEST: usize = 4;
const LONGEST: usize = 100;

/// How many candidates are drawn for one password.
const TRIES: usize = 100_000;

/// How many are drawn to see whether a policy can be met. Fewer, so that one that is taken does not fail later.
const TEST_TRIES: usize = TRIES / 10;

/// Why there is no password, or no policy for passwords, in Vault's words.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum PasswordRefusal {
    #[error("missing policy")]
    Empty,
    #[error("invalid password policy: {0}")]
    Text(#[from] InvalidPasswordPolicy),
    #[error("passwords must be between {SHORTEST} and {LONGEST} characters")]
    Length,
    #[error("unable to construct test password from provided policy: are the rules impossible?")]
    Test,
    #[error("entropy_source is the platform's on this server; leave it out, or set it to \"platform\"")]
    Source,
    #[error("policy does not exist")]
    Unknown,
    #[error("unable to generate password: no candidate met the rules; make them less strict")]
    TooStrict,
    #[error("stored password policy {0:?} is not usable; write it anew")]
    Damaged(String),
}

impl PasswordRefusal {
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Empty | Self::Text(_) | Self::Length | Self::Test | Self::Source => Kind::Invalid,
            Self::Unknown => Kind::NotFound,
            Self::TooStrict | Self::Damaged(_) => Kind::Internal,
        }
    }
}

/// All password policies. Seldom asked for, so they are read when they are.
#[derive(Debug)]
pub(crate) struct Passwords {
    store: Store,
}

impl Passwords {
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    pub(crate) async fn names(&self) -> Result<Vec<String>> {
        Ok(self.store.list(RECORDS).await?.iter().map(|encoded| name(encoded)).collect())
    }

    /// The text of a policy.
    pub(crate) async fn text(&self, name: &str) -> Result<String> {
        let record: Option<Record> = self.store.read(&key(name)).await?;
        Ok(record.ok_or(PasswordRefusal::Unknown)?.text)
    }

    /// Stores a policy, new or changed, if passwords can be made by it.
    pub(crate) async fn put(&self, name: &str, text: String) -> Result<()> {
        let policy: PasswordPolicy = text.parse().map_err(PasswordRefusal::Text)?;
        if !(SHORTEST..=LONGEST).contains(&policy.length()) {
            return Err(PasswordRefusal::Length.into());
        }
        generate(policy, TEST_TRIES).await?.ok_or(PasswordRefusal::Test)?;
        self.store.write(key(name), &Record { text }).await
    }

    pub(crate) async fn delete(&self, name: &str) -> Result<()> {
        self.store.delete(key(name)).await
    }

    /// Makes up a password.
    pub(crate) async fn generate(&self, name: &str) -> Result<Secret<String>> {
        let damaged = |_| PasswordRefusal::Damaged(name.to_owned());
        let policy = self.text(name).await?.parse().map_err(damaged)?;
        Ok(generate(policy, TRIES).await?.ok_or(PasswordRefusal::TooStrict)?)
    }
}

/// Strict rules take many candidates, and others wait for this thread.
async fn generate(policy: PasswordPolicy, tries: usize) -> Result<Option<Secret<String>>> {
    let drawn = tokio::task::spawn_blocking(move || policy.generate(tries, random::fill));
    drawn.await.map_err(|_| Error::CutOff)?
}

fn key(name: &str) -> String {
    format!("{RECORDS}{}", encoded(name))
}
