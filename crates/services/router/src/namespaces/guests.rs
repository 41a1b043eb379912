use std::{
    collections::HashMap,
    fmt,
    sync::{PoisonError, RwLock},
};

use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::Namespace;
use crate::{error::Result, store::Store, token::SaltedId};

/// Where the records of guests are.
const RECORDS: &str = "core/guests/";

/// How many records are read at the same time.
const AT_ONCE: usize = 32;

/// The tokens of namespaces above that hold something in this one: other tokens, leases, a cubbyhole. When such a token
/// ends, that has to end with it.
pub(crate) struct Guests {
    store: Store,
    /// Which namespace each belongs to, by its id.
    known: RwLock<HashMap<SaltedId, String>>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    /// The id of the namespace that the token belongs to.
    namespace: String,
}

fn key(id: &SaltedId) -> String {
    format!("{RECORDS}{id}")
}

impl Guests {
    pub(crate) async fn open(store: Store) -> Result<Self> {
        let ids = store.list(RECORDS).await?;
        let ids: Vec<SaltedId> = ids.iter().filter_map(|name| SaltedId::parse(name)).collect();
        let reads = ids.into_iter().map(|id| {
            let store = &store;
            async move { Ok::<_, crate::Error>((id, store.read::<Record>(&key(&id)).await?)) }
        });
        let read: Vec<_> = stream::iter(reads).buffer_unordered(AT_ONCE).try_collect().await?;
        let known = read.into_iter().filter_map(|(id, record)| Some((id, record?.namespace))).collect();
        Ok(Self { store, known: RwLock::new(known) })
    }

    /// From now on it is known that a token of another namespace holds something here.
    pub(crate) async fn admit(&self, id: &SaltedId, home: &Namespace) -> Result<()> {
        if self.home(id).is_some() {
            return Ok(());
        }
        self.store.write(key(id), &Record { namespace: home.id.clone() }).await?;
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(*id, home.id.clone());
        Ok(())
    }

    /// The id of the namespace that a guest belongs to.
    pub(crate) fn home(&self, id: &SaltedId) -> Option<String> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    pub(crate) fn all(&self) -> Vec<SaltedId> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// Nothing of what it held is left.
    pub(crate) async fn forget(&self, id: &SaltedId) -> Result<()> {
        self.store.delete(key(id)).await?;
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        Ok(())
    }
}

impl fmt::Debug for Guests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Guests").field("count", &known.len()).finish_non_exhaustive()
    }
}
