//! A log of what an engine is about to do outside of its storage, so that it can be undone, or finished, if the engine
//! does not get to the end of it.
//!
//! What cannot be part of one commit, because half of it happens in another system, is written down first: [`Wal::put`].
//! When it has happened, the entry goes, best in the same commit as what is stored about it: [`Wal::removal`]. What is
//! left of it after a while was cut off, and is handed to the engine's hook
//! ([`Engine::roll_back`](crate::framework::Engine::roll_back)) about once a minute.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};
use storage::{Key, Prefix, Storage, Write};
use uuid::Uuid;

use crate::{Error, Result};

/// Where Vault's engines have theirs, and where hosts look for them.
const ENTRIES: &str = "wal/";

/// The log of one mount.
#[derive(Clone)]
pub struct Wal {
    storage: Arc<dyn Storage>,
}

/// One thing that was about to be done.
pub struct WalEntry {
    /// By which it is found.
    pub id: String,
    /// What sort of thing, in the engine's words.
    pub kind: String,
    /// When it was written down.
    pub created: SystemTime,
    data: Box<RawValue>,
}

/// As it is stored, in the words of Vault's SDK.
#[derive(Serialize, Deserialize)]
struct Stored {
    r#type: String,
    data: Box<RawValue>,
    /// Seconds since 1970.
    created_at: u64,
}

impl Wal {
    /// The log of the mount with this storage.
    pub const fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage }
    }

    /// Writes down what is about to be done; returns the id of the entry. It is durable when this returns.
    ///
    /// # Errors
    /// Storage fails; then nothing may be done.
    pub async fn put(&self, kind: &str, data: &impl Serialize) -> Result<String> {
        let (id, write) = Self::addition(kind, data)?;
        self.storage.commit(vec![write]).await?;
        Ok(id)
    }

    /// The write that adds an entry, to be committed together with others.
    ///
    /// # Errors
    /// The data have no form in JSON.
    pub fn addition(kind: &str, data: &impl Serialize) -> Result<(String, Write)> {
        let internal = |error: serde_json::Error| Error::Internal(error.to_string());
        let id = Uuid::new_v4().to_string();
        let stored = Stored {
            r#type: kind.to_owned(),
            data: to_raw_value(data).map_err(internal)?,
            created_at: seconds(SystemTime::now()),
        };
        let value = serde_json::to_vec(&stored).map_err(internal)?;
        Ok((id.clone(), Write::Put(key(&id)?, value.into())))
    }

    /// The write that takes an entry out, to be committed together with what has come of it.
    ///
    /// # Errors
    /// It is no id.
    pub fn removal(id: &str) -> Result<Write> {
        Ok(Write::Delete(key(id)?))
    }

    /// Takes an entry out; harmless when it is not there.
    ///
    /// # Errors
    /// Storage fails.
    pub async fn delete(&self, id: &str) -> Result<()> {
        Ok(self.storage.commit(vec![Self::removal(id)?]).await?)
    }

    /// The ids of all entries.
    ///
    /// # Errors
    /// Storage fails.
    pub async fn ids(&self) -> Result<Vec<String>> {
        let entries: Prefix = ENTRIES.parse()?;
        Ok(self.storage.list(&entries).await?)
    }

    /// One entry, unless it has gone.
    ///
    /// # Errors
    /// Storage fails, or what is stored there is no entry.
    pub async fn get(&self, id: &str) -> Result<Option<WalEntry>> {
        let Some(stored) = self.storage.get(&key(id)?).await? else { return Ok(None) };
        let damaged = |error| Error::Internal(format!("a WAL entry is damaged: {error}"));
        let Stored { r#type, data, created_at } = serde_json::from_slice(&stored).map_err(damaged)?;
        let created = UNIX_EPOCH.checked_add(Duration::from_secs(created_at)).unwrap_or(UNIX_EPOCH);
        Ok(Some(WalEntry { id: id.to_owned(), kind: r#type, created, data }))
    }

    /// All entries, the oldest first. Those that cannot be read are left out and told of in the log.
    ///
    /// # Errors
    /// Storage fails.
    pub async fn entries(&self) -> Result<Vec<WalEntry>> {
        let mut entries = Vec::new();
        for id in self.ids().await? {
            match self.get(&id).await {
                Ok(entry) => entries.extend(entry),
                Err(Error::Internal(sentence)) => tracing::warn!(id, sentence, "a WAL entry is passed over"),
                Err(error) => return Err(error),
            }
        }
        entries.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        Ok(entries)
    }
}

impl WalEntry {
    /// What was about to be done, read into a type.
    ///
    /// # Errors
    /// It is not of that type.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T> {
        let damaged = |_| Error::Internal(format!("the WAL entry {} is not what it says it is", self.id));
        serde_json::from_str(self.data.get()).map_err(damaged)
    }

    /// Whether it is so old that nobody can still be at it.
    pub fn is_older_than(&self, age: Duration, now: SystemTime) -> bool {
        now.duration_since(self.created).is_ok_and(|since| since >= age)
    }
}

fn key(id: &str) -> Result<Key> {
    Ok(format!("{ENTRIES}{id}").parse()?)
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use storage::InMemory;

    use super::*;

    fn wal() -> Wal {
        Wal::new(Arc::new(InMemory::new()))
    }

    #[tokio::test]
    async fn what_was_written_down_is_found_until_it_is_done() {
        let wal = wal();
        let id = wal.put("rotate", &["secret"]).await.unwrap();
        let entry = wal.get(&id).await.unwrap().unwrap();
        assert_eq!((entry.id.as_str(), entry.kind.as_str()), (id.as_str(), "rotate"));
        assert_eq!(entry.data::<Vec<String>>().unwrap(), ["secret"]);
        assert!(entry.data::<u64>().is_err());
        wal.delete(&id).await.unwrap();
        assert!(wal.get(&id).await.unwrap().is_none());
        assert!(wal.entries().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn entries_are_stored_in_the_words_of_vaults_sdk() {
        let storage = Arc::new(InMemory::new());
        let id = Wal::new(storage.clone()).put("kind", &1).await.unwrap();
        let stored = storage.get(&format!("wal/{id}").parse().unwrap()).await.unwrap().unwrap();
        let stored: serde_json::Value = serde_json::from_slice(&stored).unwrap();
        let names: Vec<_> = stored.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["created_at", "data", "type"]);
    }

    #[tokio::test]
    async fn a_damaged_entry_hides_no_other() {
        let storage = Arc::new(InMemory::new());
        storage.put("wal/a".parse().unwrap(), "{".into()).await.unwrap();
        let wal = Wal::new(storage);
        wal.put("kind", &1).await.unwrap();
        assert_eq!(wal.entries().await.unwrap().len(), 1);
        assert_eq!(wal.ids().await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn an_entry_is_old_when_its_time_has_passed() {
        let wal = wal();
        let id = wal.put("kind", &1).await.unwrap();
        let entry = wal.get(&id).await.unwrap().unwrap();
        let minute = Duration::from_secs(60);
        assert!(!entry.is_older_than(minute, entry.created + minute / 2));
        assert!(entry.is_older_than(minute, entry.created + minute));
        assert!(!entry.is_older_than(Duration::ZERO, entry.created - minute));
    }
}
