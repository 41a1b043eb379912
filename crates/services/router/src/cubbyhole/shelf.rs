use bytes::Bytes;
use wire::catalog::v1::Write;

use crate::{error::Result, store::Store, token::SaltedId};

/// Where all cubbyholes are.
const CUBBYHOLES: &str = "core/cubbyhole/";

/// The cubbyhole of one token. There is no way from it to another's.
pub(crate) struct Shelf<'s> {
    store: &'s Store,
    /// Ends in a slash.
    prefix: String,
}

impl<'s> Shelf<'s> {
    pub(crate) fn of(store: &'s Store, token: &SaltedId) -> Self {
        Self { store, prefix: prefix(token) }
    }

    /// What lies at a path: a JSON object.
    pub(crate) async fn get(&self, path: &str) -> Result<Option<Bytes>> {
        self.store.get(&self.key(path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<()> {
        self.store.delete(self.key(path)).await
    }

    /// The names below a folder, which is empty or ends in a slash.
    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<String>> {
        self.store.list(&self.key(folder)).await
    }

    /// Nothing is left of it. Belongs to the end of every token.
    pub(crate) async fn clear(&self) -> Result<()> {
        self.store.purge(self.prefix.clone()).await
    }

    fn key(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }
}

/// What is put into the cubbyhole of a token: in the commit that makes it, or as a belonging of one that there is.
pub(crate) fn placed(token: &SaltedId, path: &str, object: Bytes) -> Write {
    Write { key: format!("{}{path}", prefix(token)), value: Some(object) }
}

fn prefix(token: &SaltedId) -> String {
    format!("{CUBBYHOLES}{token}/")
}
