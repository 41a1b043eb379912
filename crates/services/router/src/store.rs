use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use wire::catalog::v1::{CommitRequest, GetRequest, ListRequest, StorageSeam, Write};

use crate::{Error, error::Result};

/// How many names one page of a listing holds.
const PAGE: u32 = 1000;

/// This service's own records, as JSON in the catalog.
#[derive(Clone, Debug)]
pub(crate) struct Store(StorageSeam);

impl Store {
    pub(crate) fn new(client: StorageSeam) -> Self {
        Self(client)
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let request = GetRequest { key: key.to_owned() };
        Ok(self.0.get(request).await?.into_inner().value)
    }

    pub(crate) async fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let Some(value) = self.get(key).await? else { return Ok(None) };
        let decoded = serde_json::from_slice(&value);
        decoded.map(Some).map_err(|source| Error::Damaged { key: key.to_owned(), source })
    }

    pub(crate) async fn write<T: Serialize>(&self, key: String, value: &T) -> Result<()> {
        self.commit(vec![put(key, value)]).await
    }

    pub(crate) async fn delete(&self, key: String) -> Result<()> {
        self.commit(vec![Write { key, value: None }]).await
    }

    /// All names directly below a prefix.
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let mut names: Vec<String> = Vec::new();
        loop {
            let after = names.last().cloned().unwrap_or_default();
            let page = self.page(prefix, after).await?;
            let last = page.len() < PAGE as usize;
            names.extend(page);
            if last {
                return Ok(names);
            }
        }
    }

    /// Removes everything below a prefix, a page at a time, however much it is.
    pub(crate) async fn purge(&self, prefix: String) -> Result<()> {
        let mut folders = vec![(prefix, String::new())];
        while let Some((folder, after)) = folders.pop() {
            let page = self.page(&folder, after).await?;
            let writes = page.iter().filter(|name| !name.ends_with('/'));
            let writes = writes.map(|name| Write { key: format!("{folder}{name}"), value: None });
            self.commit(writes.collect()).await?;
            let below = page.iter().filter(|name| name.ends_with('/'));
            let below: Vec<_> = below.map(|name| (format!("{folder}{name}"), String::new())).collect();
            if page.len() == PAGE as usize {
                folders.push((folder, page.last().cloned().unwrap_or_default()));
            }
            folders.extend(below);
        }
        Ok(())
    }

    /// As many names as a page holds, those after one that is known.
    pub(crate) async fn page(&self, prefix: &str, after: String) -> Result<Vec<String>> {
        let request = ListRequest { prefix: prefix.to_owned(), after, limit: PAGE };
        Ok(self.0.list(request).await?.into_inner().keys)
    }

    /// All of it or nothing.
    pub(crate) async fn commit(&self, writes: Vec<Write>) -> Result<()> {
        if !writes.is_empty() {
            self.0.commit(CommitRequest { writes }).await?;
        }
        Ok(())
    }
}

/// A record to be stored. Our own types always have a form in JSON.
pub(crate) fn put<T: Serialize>(key: String, value: &T) -> Write {
    let value = serde_json::to_vec(value).expect("our own records have a form in JSON");
    Write { key, value: Some(value.into()) }
}
