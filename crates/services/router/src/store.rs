use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};
use wire::catalog::v1::{CommitRequest, GetRequest, ListRequest, StorageSeam, Write};

use crate::{Error, core::Closed, error::Result, namespaces::NamespaceRefusal};

/// How many names one page of a listing holds.
const PAGE: u32 = 1000;

/// Where the parts of namespaces are.
const PARTS: &str = "namespaces/";

/// This service's own records, as JSON in the catalog: all of them, or the part that a namespace has for itself. There
/// is no way from such a part to what is beside it.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    catalog: StorageSeam,
    /// None: the root namespace's, where everything else lies beside the parts.
    part: Option<Arc<Part>>,
    /// None: whoever is active may write.
    term: Option<Arc<Term>>,
}

/// The time from one opening of the barrier until it closes, or this node is the active one no more.
#[derive(Debug, Default)]
struct Term {
    /// The writes that are under way.
    writes: TaskTracker,
    /// Why it is over.
    over: OnceLock<Closed>,
}

#[derive(Debug)]
struct Part {
    /// Ends in a slash.
    prefix: String,
    /// The writes that are under way.
    writes: TaskTracker,
}

impl Store {
    pub(crate) const fn new(catalog: StorageSeam) -> Self {
        Self { catalog, part: None, term: None }
    }

    /// The same, for one term.
    pub(crate) fn for_term(&self) -> Self {
        Self { term: Some(Arc::default()), ..self.clone() }
    }

    /// The part of the namespace with this uuid.
    pub(crate) fn part_of(&self, uuid: &str) -> Self {
        let part = Part { prefix: format!("{PARTS}{uuid}/"), writes: TaskTracker::new() };
        Self { part: Some(Arc::new(part)), ..self.clone() }
    }

    /// What all its keys begin with where everything is stored.
    pub(crate) fn prefix(&self) -> &str {
        self.part.as_deref().map_or("", |part| &part.prefix)
    }

    /// The same writes, as they are made where everything is stored.
    pub(crate) fn outside(&self, mut writes: Vec<Write>) -> Vec<Write> {
        if let Some(part) = &self.part {
            writes.iter_mut().for_each(|write| write.key.insert_str(0, &part.prefix));
        }
        writes
    }

    /// Lets nothing be written any more, and waits for what is being written.
    pub(crate) async fn close(&self) {
        if let Some(part) = &self.part {
            part.writes.close();
            part.writes.wait().await;
        }
    }

    /// Ends the term: what was known during it is written no more.
    pub(crate) fn end_term(&self, why: Closed) {
        if let Some(term) = &self.term {
            term.over.get_or_init(|| why);
            term.writes.close();
        }
    }

    /// Waits for what was being written when the term ended.
    pub(crate) async fn last_write(&self) {
        if let Some(term) = &self.term {
            term.writes.wait().await;
        }
    }

    /// Whether what was read in this term still counts.
    pub(crate) fn check_term(&self) -> Result<()> {
        match self.term.as_ref().and_then(|term| term.over.get()) {
            Some(why) => Err((*why).into()),
            None => Ok(()),
        }
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let request = GetRequest { key: self.whole(key) };
        Ok(self.catalog.get(request).await?.into_inner().value)
    }

    fn whole(&self, key: &str) -> String {
        [self.prefix(), key].concat()
    }

    /// Held while something is written.
    fn writing(&self) -> Result<[Option<TaskTrackerToken>; 2]> {
        // Counted first: whoever closes them after that waits for this.
        let term = self.term.as_ref().map(|term| term.writes.token());
        self.check_term()?;
        let Some(part) = &self.part else { return Ok([term, None]) };
        let writing = part.writes.token();
        if part.writes.is_closed() {
            Err(NamespaceRefusal::NotFound.into())
        } else {
            Ok([term, Some(writing)])
        }
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
        let request = ListRequest { prefix: self.whole(prefix), after, limit: PAGE };
        Ok(self.catalog.list(request).await?.into_inner().keys)
    }

    /// All of it or nothing.
    pub(crate) async fn commit(&self, writes: Vec<Write>) -> Result<()> {
        if !writes.is_empty() {
            let _writing = self.writing()?;
            self.catalog.commit(CommitRequest { writes: self.outside(writes) }).await?;
        }
        Ok(())
    }
}

/// A record to be stored. Our own types always have a form in JSON.
pub(crate) fn put<T: Serialize>(key: String, value: &T) -> Write {
    let value = serde_json::to_vec(value).expect("our own records have a form in JSON");
    Write { key, value: Some(value.into()) }
}
