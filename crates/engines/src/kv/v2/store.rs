use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};
use tenon::{Error, Key, Prefix, Result, Storage, Write};

use super::{
    record::Record,
    settings::{self, Settings},
};
use crate::locks::{Locked, Locks};

/// The newest version's data is kept with the record up to this many bytes.
const SMALL: usize = 8 * 1024;

/// Where a mount of version 2 keeps its things:
///
/// - `<uuid>/config`: the settings;
/// - `<uuid>/upgrade`: whether nothing of version 1 is left at the root;
/// - `<uuid>/key/<path>`: the record of a key;
/// - `<uuid>/version/<path>/<number>`: the data of a version, unless it is in the record.
///
/// All of it is below one folder that no secret of version 1 can be in, so that a mount can be upgraded in place.
pub(super) struct Store {
    storage: Arc<dyn Storage>,
    root: String,
    settings: Mutex<Cached>,
    locks: Locks,
}

/// The settings, once they were read.
#[derive(Default)]
struct Cached {
    settings: Option<Arc<Settings>>,
    /// How often they have changed behind our back: what was read before such a change is not kept.
    changes: u64,
}

impl Store {
    pub(super) fn new(storage: Arc<dyn Storage>, uuid: &str) -> Self {
        Self { storage, root: format!("{uuid}/"), settings: Mutex::default(), locks: Locks::default() }
    }

    pub(super) fn storage(&self) -> &dyn Storage {
        self.storage.as_ref()
    }

    /// The folder that all is in, with a trailing slash.
    pub(super) fn root(&self) -> &str {
        &self.root
    }

    pub(super) fn key(&self, name: &str) -> Result<Key> {
        Ok(format!("{}{name}", self.root).parse()?)
    }

    fn record_key(&self, path: &str) -> Result<Key> {
        self.key(&format!("key/{path}"))
    }

    fn version_key(&self, path: &str, number: u64) -> Result<Key> {
        self.key(&format!("version/{path}/{number}"))
    }

    /// Writers of one path wait here for each other.
    pub(super) async fn lock(&self, path: &str) -> Locked<'_> {
        self.locks.lock(path).await
    }

    pub(super) async fn record(&self, path: &str) -> Result<Option<Record>> {
        let stored = self.storage.get(&self.record_key(path)?).await?;
        stored.as_deref().map(decode).transpose()
    }

    /// Stores a record of which no data changes.
    pub(super) async fn put(&self, path: &str, record: &Record) -> Result<()> {
        Ok(self.storage.put(self.record_key(path)?, encode(record)?).await?)
    }

    /// Stores a record whose newest version is new, together with its data, and forgets what was dropped. One commit.
    pub(super) async fn put_version(
        &self,
        path: &str,
        record: &mut Record,
        data: Box<RawValue>,
        dropped: &[u64],
    ) -> Result<()> {
        let mut writes = self.version_writes(path, record, data)?;
        for number in dropped {
            writes.push(Write::Delete(self.version_key(path, *number)?));
        }
        Ok(self.storage.commit(writes).await?)
    }

    /// Stores a record whose only version is what was stored elsewhere, and forgets it there. One commit.
    pub(super) async fn adopt(
        &self,
        path: &str,
        record: &mut Record,
        data: Box<RawValue>,
        old: Key,
    ) -> Result<()> {
        let mut writes = self.version_writes(path, record, data)?;
        writes.push(Write::Delete(old));
        Ok(self.storage.commit(writes).await?)
    }

    /// Data comes before the record that points to it, and whatever is forgotten has to come after: where a host cannot
    /// write all at once, each beginning of it is harmless.
    fn version_writes(&self, path: &str, record: &mut Record, data: Box<RawValue>) -> Result<Vec<Write>> {
        let mut writes = Vec::with_capacity(3);
        let (current, previous) = (record.current_version, record.current_version - 1);
        if let Some(data) = record.newest_data.take()
            && record.versions.contains_key(&previous)
        {
            writes.push(Write::Put(self.version_key(path, previous)?, text(data)));
        }
        if data.get().len() <= SMALL {
            record.newest_data = Some(data);
        } else {
            writes.push(Write::Put(self.version_key(path, current)?, text(data)));
        }
        writes.push(Write::Put(self.record_key(path)?, encode(record)?));
        Ok(writes)
    }

    /// Stores a record in which these versions are destroyed, and forgets their data.
    pub(super) async fn put_destroyed(&self, path: &str, record: &mut Record, numbers: &[u64]) -> Result<()> {
        if numbers.contains(&record.current_version) {
            record.newest_data = None;
        }
        let mut writes = vec![Write::Put(self.record_key(path)?, encode(record)?)];
        for number in numbers {
            writes.push(Write::Delete(self.version_key(path, *number)?));
        }
        Ok(self.storage.commit(writes).await?)
    }

    /// Forgets a key with all its versions. The record goes last, so that a deletion that was cut short can be repeated.
    pub(super) async fn delete(&self, path: &str, record: &Record) -> Result<()> {
        let mut writes = Vec::with_capacity(record.versions.len() + 1);
        for number in record.versions.keys() {
            writes.push(Write::Delete(self.version_key(path, *number)?));
        }
        writes.push(Write::Delete(self.record_key(path)?));
        Ok(self.storage.commit(writes).await?)
    }

    /// The data of a version that the record says is there.
    pub(super) async fn data(&self, path: &str, record: &Record, number: u64) -> Result<Option<Bytes>> {
        match &record.newest_data {
            Some(data) if number == record.current_version => Ok(Some(text(data.clone()))),
            _ => Ok(self.storage.get(&self.version_key(path, number)?).await?),
        }
    }

    /// The record and, if it is live, the data of a version. Readers take no lock, which would not hold against the
    /// writers of another node: when a version goes away between the two looks into storage, the record says so by now
    /// and is read again. Data is missing for good only if the record has not changed meanwhile.
    pub(super) async fn read(
        &self,
        path: &str,
        wanted: impl Fn(&Record) -> Option<u64>,
    ) -> Result<Option<(Record, Option<Bytes>)>> {
        let key = self.record_key(path)?;
        let mut before = None;
        loop {
            let Some(stored) = self.storage.get(&key).await? else { return Ok(None) };
            let record: Record = decode(&stored)?;
            let Some(number) = wanted(&record) else { return Ok(Some((record, None))) };
            if let Some(data) = self.data(path, &record, number).await? {
                return Ok(Some((record, Some(data))));
            }
            if before.is_some_and(|before| before == stored) {
                return Err(Error::Other("could not find version data".to_owned()));
            }
            before = Some(stored);
        }
    }

    /// The names below a folder of keys.
    pub(super) async fn list(&self, folder: &str) -> Result<Vec<String>> {
        let folder: Prefix = format!("{}key/{folder}", self.root).parse()?;
        Ok(self.storage.list(&folder).await?)
    }

    pub(super) async fn settings(&self) -> Result<Arc<Settings>> {
        let cached = self.cached(|cached| cached.settings.clone());
        match cached {
            Some(settings) => Ok(settings),
            None => self.load_settings().await,
        }
    }

    async fn load_settings(&self) -> Result<Arc<Settings>> {
        let changes = self.cached(|cached| cached.changes);
        let stored = self.storage.get(&self.key(CONFIG)?).await?;
        let settings = Arc::new(settings::parse(stored.as_deref())?);
        self.cached(|cached| {
            if cached.changes == changes {
                cached.settings = Some(Arc::clone(&settings));
            }
        });
        Ok(settings)
    }

    pub(super) async fn change_settings(&self, change: impl FnOnce(&mut Settings)) -> Result<()> {
        let _changing = self.locks.lock(SETTINGS_LOCK).await;
        let mut settings = Settings::clone(&*self.load_settings().await?);
        change(&mut settings);
        let changed = self.storage.put(self.key(CONFIG)?, encode(&settings)?).await;
        // Whether it was written or not: readers have to look.
        self.forget_settings();
        Ok(changed?)
    }

    /// A key has changed behind our back.
    pub(super) fn forget(&self, key: &str) {
        if key.strip_prefix(&self.root) == Some(CONFIG) {
            self.forget_settings();
        }
    }

    fn forget_settings(&self) {
        self.cached(|cached| *cached = Cached { settings: None, changes: cached.changes + 1 });
    }

    fn cached<T>(&self, look: impl FnOnce(&mut Cached) -> T) -> T {
        look(&mut self.settings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// No secret has the empty path, so that this lock is the settings' alone.
const SETTINGS_LOCK: &str = "";

/// Where the settings are.
const CONFIG: &str = "config";

fn text(data: Box<RawValue>) -> Bytes {
    String::from(Box::<str>::from(data)).into()
}

pub(super) fn encode(value: &impl Serialize) -> Result<Bytes> {
    serde_json::to_vec(value).map(Into::into).map_err(|error| Error::Internal(error.to_string()))
}

/// A secret, to look into. Serde follows so many levels and no more; storing and reading have no such limit.
pub(super) fn secret(json: &[u8]) -> Result<Value> {
    serde_json::from_slice(json).map_err(|_| {
        Error::refused("the secret is nested more than 127 levels deep, which this operation cannot follow")
    })
}

pub(super) fn decode<T: DeserializeOwned>(stored: &[u8]) -> Result<T> {
    // What serde says could quote the stored value, so it is not passed on.
    serde_json::from_slice(stored)
        .map_err(|_| Error::Internal("what this secrets engine has stored is damaged".to_owned()))
}
