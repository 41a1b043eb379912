use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    Key, Prefix, Result, Storage, Write,
    children::{child_of, keys_after},
};

/// A map in memory: for tests, and for servers that may forget.
#[derive(Default)]
pub struct InMemory(RwLock<BTreeMap<String, Bytes>>);

impl InMemory {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    // A panic cannot leave the map half changed, so a poisoned lock means nothing.
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Bytes>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Bytes>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Storage for InMemory {
    async fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        Ok(self.read().get(key.as_str()).cloned())
    }

    async fn page(&self, prefix: &Prefix, after: &str, limit: usize) -> Result<Vec<String>> {
        let map = self.read();
        let mut names = Vec::new();
        let mut from = keys_after(prefix, after);
        while names.len() < limit {
            let Some((key, _)) = map.range::<String, _>((from, Bound::Unbounded)).next() else { break };
            let Some(name) = child_of(prefix, key) else { break };
            from = keys_after(prefix, name);
            names.push(name.to_owned());
        }
        Ok(names)
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<()> {
        let mut map = self.write();
        for write in writes {
            match write {
                Write::Put(key, value) => map.insert(key.into(), value),
                Write::Delete(key) => map.remove(key.as_str()),
            };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn children_are_listed_once_sorted_and_page_by_page() {
        let storage = InMemory::new();
        for key in ["a/b", "a/b-c", "a/b/c", "a/b/d", "a/c", "b"] {
            storage.put(key.parse().unwrap(), Bytes::new()).await.unwrap();
        }
        let prefix = "a/".parse().unwrap();
        assert_eq!(storage.list(&prefix).await.unwrap(), ["b", "b-c", "b/", "c"]);
        assert_eq!(storage.page(&prefix, "b", 2).await.unwrap(), ["b-c", "b/"]);
        assert_eq!(storage.list(&Prefix::ALL).await.unwrap(), ["a/", "b"]);
    }
}
