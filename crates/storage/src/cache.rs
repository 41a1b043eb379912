//! What was read or written lately, as it is stored: ciphertext.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache};

use crate::{Key, Prefix, Result, Storage, Write, finished::Finished};

/// Larger values are not kept: a few of them would drive out all others.
const LARGEST: usize = 1 << 20;

/// What an entry is assumed to weigh on average, in bytes.
const USUAL: u64 = 512;

/// What an entry takes beside its key and value, in bytes.
const OVERHEAD: u64 = 128;

/// Keeps values, and that there is none, between the barrier and a backend.
///
/// A read that began before a write was acknowledged must not put the old value back after it. The cache below helps:
/// a reader that misses holds a place, and a writer's insertion or removal takes the place away from it.
/// Two writers of one key could still be told of their commits in another order than they were committed in;
/// so only a writer that was alone with a key leaves its value in the cache.
pub struct Cached {
    shared: Arc<Shared>,
}

struct Shared {
    below: Arc<dyn Storage>,
    cache: Cache<Key, Option<Bytes>, Weight>,
    writing: Mutex<HashMap<Key, Writers>>,
}

/// Those who write one key at this moment.
struct Writers {
    number: usize,
    alone: bool,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Option<Bytes>> for Weight {
    fn weight(&self, key: &Key, value: &Option<Bytes>) -> u64 {
        (key.as_str().len() + value.as_ref().map_or(0, Bytes::len)) as u64 + OVERHEAD
    }
}

impl Cached {
    /// At most that many bytes of what is below.
    pub fn new(below: Arc<dyn Storage>, bytes: u64) -> Self {
        let items = usize::try_from(bytes / USUAL).unwrap_or(usize::MAX);
        let cache = Cache::with_weighter(items, bytes, Weight);
        Self { shared: Arc::new(Shared { below, cache, writing: Mutex::default() }) }
    }
}

#[async_trait]
impl Storage for Cached {
    async fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        match self.shared.cache.get_value_or_guard_async(key).await {
            Ok(value) => Ok(value),
            Err(place) => {
                let value = self.shared.below.get(key).await?;
                if fits(value.as_ref()) {
                    // Refused when a writer was quicker; the value is still one that was true during this call.
                    let _ = place.insert(value.clone());
                }
                Ok(value)
            }
        }
    }

    async fn page(&self, prefix: &Prefix, after: &str, limit: usize) -> Result<Vec<String>> {
        self.shared.below.page(prefix, after, limit).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<()> {
        // The commit takes place even when nobody waits for it any longer, and then, too, the cache has to learn of it.
        let shared = self.shared.clone();
        Finished::new(async move { shared.commit(writes).await }).await
    }
}

fn fits(value: Option<&Bytes>) -> bool {
    value.is_none_or(|value| value.len() <= LARGEST)
}

impl Shared {
    async fn commit(&self, writes: Vec<Write>) -> Result<()> {
        let mut last = HashMap::with_capacity(writes.len());
        for write in &writes {
            match write {
                Write::Put(key, value) => last.insert(key.clone(), Some(value.clone())),
                Write::Delete(key) => last.insert(key.clone(), None),
            };
        }
        self.begin(last.keys());
        let outcome = self.below.commit(writes).await;
        self.end(last, outcome.is_ok());
        outcome
    }

    // A panic cannot leave the table half changed, so a poisoned lock means nothing.
    fn writing(&self) -> MutexGuard<'_, HashMap<Key, Writers>> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin<'k>(&self, keys: impl Iterator<Item = &'k Key>) {
        let mut writing = self.writing();
        for key in keys {
            let writers = writing.entry(key.clone()).or_insert(Writers { number: 0, alone: true });
            writers.alone = writers.number == 0;
            writers.number += 1;
        }
    }

    /// A value whose fate is unknown, or that another writer may have followed, leaves nothing in the cache.
    fn end(&self, last: HashMap<Key, Option<Bytes>>, durable: bool) {
        let mut writing = self.writing();
        for (key, value) in last {
            let Entry::Occupied(mut writers) = writing.entry(key.clone()) else { continue };
            if writers.get().alone && durable && fits(value.as_ref()) {
                self.cache.insert(key, value);
            } else {
                self.cache.remove(&key);
            }
            writers.get_mut().number -= 1;
            if writers.get().number == 0 {
                writers.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests;
