//! The encryption around everything that is stored.

mod entry;
mod keyring;
mod names;
mod open;
mod rekey;
mod seal;
pub mod shamir;

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use bytes::Bytes;
use domain::Secret;
use tokio::sync::Mutex;

use crate::{Error, Key, Prefix, Result, Storage, Write};
pub use keyring::KeyStatus;
use open::Open;
pub use rekey::NextSeal;
use seal::SealRecord;
pub use seal::{InvalidSealConfig, SealConfig};

/// The largest value that is stored, in bytes.
pub const VALUE_LIMIT: usize = 32 << 20;

/// More bytes than this are encrypted and decrypted away from the threads that serve requests.
const LARGE: usize = 256 << 10;

/// To hide one name, or to show it again, takes about as long as to encrypt this many bytes.
const NAME: usize = 2 << 10;

/// Where the sealed root key and the way to open it are kept.
const SEAL: &str = "barrier/seal";

/// Where the keyring is kept, sealed by the root key.
const KEYRING: &str = "barrier/keyring";

/// Where the number of encryptions with the active key is kept.
const ENCRYPTIONS: &str = "barrier/encryptions";

/// Storage that encrypts what it hands on: values with AES-256-GCM and their key as associated data, and the names
/// below mounts, which users choose. Sealed, it knows no key and answers nothing.
pub struct Barrier {
    below: Arc<dyn Storage>,
    open: ArcSwapOption<Open>,
    /// Held by whoever writes the keyring: two at a time could lose a term, and all that was sealed with it.
    changing: Mutex<()>,
}

/// Why the barrier was not initialised.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// It was before.
    #[error("Vault is already initialized")]
    Already,
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] Error),
}

/// Why the barrier did not open.
#[derive(Debug, thiserror::Error)]
pub enum UnsealError {
    /// There is nothing to open.
    #[error("Vault is not initialized")]
    NotInitialized,
    /// The shares do not make the key.
    #[error("the shares do not belong together or to this barrier")]
    WrongShares,
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] Error),
}

impl Barrier {
    /// A sealed barrier over the storage of what it encrypts.
    pub fn new(below: Arc<dyn Storage>) -> Self {
        Self { below, open: ArcSwapOption::empty(), changing: Mutex::new(()) }
    }

    /// How the barrier is sealed, when it has been initialised.
    pub async fn seal_config(&self) -> Result<Option<SealConfig>> {
        Ok(self.seal_record().await?.map(|record| record.config))
    }

    /// Makes the keys and writes `first` with them, all of it in one transaction. Returns the shares; stays sealed.
    pub async fn init(
        &self,
        config: SealConfig,
        first: Vec<Write>,
    ) -> Result<Vec<Secret<Vec<u8>>>, InitError> {
        let _changing = self.changing.lock().await;
        if self.seal_record().await?.is_some() {
            return Err(InitError::Already);
        }
        let (open, mut writes) = Open::create()?;
        let (record, shares) = SealRecord::create(config, open.root())?;
        writes.push(Write::Put(own(SEAL), record.encode()?));
        writes.extend(open.seal_all(first)?);
        self.below.commit(writes).await?;
        Ok(shares)
    }

    /// Opens the barrier with as many shares as its threshold asks for.
    pub async fn unseal(&self, shares: &[Secret<Vec<u8>>]) -> Result<(), UnsealError> {
        let record = self.seal_record().await?.ok_or(UnsealError::NotInitialized)?;
        let root = record.open(shares).ok_or(UnsealError::WrongShares)?;
        let damaged = || Error::Damaged(own(KEYRING));
        let keyring = self.below.get(&own(KEYRING)).await?.ok_or_else(damaged)?;
        let open = Open::load(root, &keyring)?;
        // The count is a hint for the operator: its loss must not keep anything closed.
        if let Ok(Some(count)) = self.below.get(&own(ENCRYPTIONS)).await {
            open.restore_count(&count);
        }
        self.open.store(Some(Arc::new(open)));
        Ok(())
    }

    /// Forgets every key at once.
    pub fn seal(&self) {
        self.open.store(None);
    }

    /// Whether the keys are unknown.
    pub fn is_sealed(&self) -> bool {
        self.open.load().is_none()
    }

    /// Adds a term to the keyring, durable before the first use: what is written from now on is sealed with it.
    pub async fn rotate(&self) -> Result<KeyStatus> {
        let _changing = self.changing.lock().await;
        let current = self.opened()?;
        let (next, write) = current.rotated()?;
        self.below.commit(vec![write]).await?;
        let status = next.status();
        // Whoever sealed in the meantime wins.
        self.open.compare_and_swap(&current, Some(Arc::new(next)));
        Ok(status)
    }

    /// The state of the key that is in use.
    pub fn key_status(&self) -> Result<KeyStatus> {
        self.opened().map(|open| open.status())
    }

    fn opened(&self) -> Result<Arc<Open>> {
        self.open.load_full().ok_or(Error::Sealed)
    }

    async fn seal_record(&self) -> Result<Option<SealRecord>> {
        self.below.get(&own(SEAL)).await?.map(|bytes| SealRecord::decode(&bytes)).transpose()
    }
}

#[async_trait]
impl Storage for Barrier {
    async fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        let open = self.opened()?;
        let at = open.names().key(key)?;
        let Some(sealed) = self.below.get(&at).await? else { return Ok(None) };
        let opened = heavy(sealed.len(), move || Ok(open.open(&at, &sealed))).await?;
        opened.map(Some).ok_or_else(|| Error::Damaged(key.clone()))
    }

    async fn page(&self, prefix: &Prefix, after: &str, limit: usize) -> Result<Vec<String>> {
        let open = self.opened()?;
        let at = open.names().prefix(prefix)?;
        if !names::hidden_below(prefix.as_str()) {
            return self.below.page(&at, after, limit).await;
        }
        // Hidden names sort differently from what they stand for, so there is no page below to ask for.
        let hidden = self.below.list(&at).await?;
        let prefix = prefix.clone();
        let mut shown = heavy(hidden.len() * NAME, move || open.names().show(&prefix, &hidden)).await?;
        shown.retain(|name| name.as_str() > after);
        shown.sort_unstable();
        shown.truncate(limit);
        Ok(shown)
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<()> {
        let open = self.opened()?;
        let sealed = heavy(work_of(&writes), move || open.seal_all(writes)).await?;
        self.below.commit(sealed).await
    }
}

/// What it takes to encrypt writes, in bytes.
fn work_of(writes: &[Write]) -> usize {
    let values = writes.iter().map(|write| match write {
        Write::Put(_, value) => value.len(),
        Write::Delete(_) => 0,
    });
    values.sum::<usize>() + writes.len() * NAME
}

/// One of the barrier's own keys.
fn own(name: &str) -> Key {
    Key::encoded(name.to_owned())
}

/// Does work on that many bytes where it holds up nobody.
async fn heavy<T: Send + 'static>(
    size: usize,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    if size <= LARGE {
        return work();
    }
    tokio::task::spawn_blocking(work).await.map_err(Error::backend)?
}

#[cfg(test)]
mod tests;
