//! A mount's own part of all that is stored.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use domain::Kind;
use storage::{Error, Finished, Key, Prefix, Result, Storage, View, Write};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use wire::{Belonging, launcher::v1::MountSpec};

use crate::meters::{PluginMeters, StorageCall};

/// Where plugins write down, by Vault's SDK or by tenon, what they are about to do elsewhere, until it is done.
const UNFINISHED: &str = "wal/";

/// A mount's own part of all that is stored, for as long as the mount is there.
///
/// A write is carried to its end even if who asked for it goes away, and once the mount is closed none begins: what is
/// cleared after that stays clear.
pub struct OwnStorage {
    view: Arc<dyn Storage>,
    writes: TaskTracker,
    failures: Failures,
    /// Of the plugin that it is for now.
    meters: ArcSwapOption<PluginMeters>,
}

impl OwnStorage {
    /// The part of the mount with these settings.
    pub fn new(whole: &Arc<dyn Storage>, spec: &MountSpec) -> Result<Arc<Self>, crate::Error> {
        let area = if spec.r#type == "auth" { "auth" } else { "logical" };
        let malformed = || crate::Error::Malformed(format!("{:?} is not a mount's uuid", spec.uuid));
        if spec.uuid.is_empty() || spec.uuid.contains('/') || spec.namespace.contains('/') {
            return Err(malformed());
        }
        let namespace = match spec.namespace.as_str() {
            "" => String::new(),
            uuid => format!("namespaces/{uuid}/"),
        };
        let prefix: Prefix = format!("{namespace}{area}/{}/", spec.uuid).parse().map_err(|_| malformed())?;
        let view = Arc::new(View::new(Arc::clone(whole), prefix));
        let meters = ArcSwapOption::empty();
        Ok(Arc::new(Self { view, writes: TaskTracker::new(), failures: Failures::default(), meters }))
    }

    /// Lets no further write begin, and waits for those that have.
    pub async fn close(&self, limit: Duration) {
        self.writes.close();
        if timeout(limit, self.writes.wait()).await.is_err() {
            tracing::warn!(writes = self.writes.len(), "a mount was closed while it was being written to");
        }
    }

    /// Whether its plugin has written down something that it has not got to the end of.
    pub async fn has_unfinished(&self) -> Result<bool> {
        let log: Prefix = UNFINISHED.parse()?;
        Ok(!self.page(&log, "", 1).await?.is_empty())
    }

    /// From now on it is this plugin's calls that are counted.
    pub fn count_for(&self, meters: &Arc<PluginMeters>) {
        self.meters.store(Some(Arc::clone(meters)));
    }

    fn count(&self, call: StorageCall) {
        if let Some(meters) = &*self.meters.load() {
            meters.stores(call);
        }
    }

    /// What has failed so far.
    pub const fn failures(&self) -> &Failures {
        &self.failures
    }
}

#[tonic::async_trait]
impl Storage for OwnStorage {
    async fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        self.count(StorageCall::Get);
        self.failures.watch(self.view.get(key).await)
    }

    async fn page(&self, prefix: &Prefix, after: &str, limit: usize) -> Result<Vec<String>> {
        self.count(StorageCall::List);
        self.failures.watch(self.view.page(prefix, after, limit).await)
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<()> {
        // Taken before the look: who closes the mount from here on waits for it.
        let inside = self.writes.token();
        if self.writes.is_closed() {
            let message = "the mount is being removed".to_owned();
            return Err(Error::Refused { kind: Kind::Unavailable, message });
        }
        for write in &writes {
            self.count(match write {
                Write::Put(..) => StorageCall::Put,
                Write::Delete(_) => StorageCall::Delete,
            });
        }
        let view = Arc::clone(&self.view);
        let work = async move {
            let outcome = view.commit(writes).await;
            drop(inside);
            outcome
        };
        self.failures.watch(Finished::new(work.carried()).await)
    }
}

/// How often the storage did not do as asked for a reason that is not the plugin's, and why the last time. A plugin tells
/// of it in its own words only; by this they are understood.
#[derive(Debug, Default)]
pub struct Failures {
    count: AtomicU64,
    last: Mutex<Option<Failure>>,
}

#[derive(Clone, Debug)]
struct Failure {
    sentence: String,
    code: u16,
}

impl Failures {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// The status of an error with this sentence, if it tells of a failure that came after the first `before`.
    pub fn told_of(&self, sentence: &str, before: u64) -> Option<u16> {
        if self.count() == before {
            return None;
        }
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|last| sentence.contains(&last.sentence)).map(|last| last.code)
    }

    fn watch<T>(&self, outcome: Result<T>) -> Result<T> {
        if let Err(error) = &outcome
            && let Some(code) = tenon::status_of(error)
        {
            let failure = Failure { sentence: error.to_string(), code };
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
            self.count.fetch_add(1, Ordering::Release);
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use storage::InMemory;

    use super::*;

    fn own() -> Arc<OwnStorage> {
        let whole: Arc<dyn Storage> = Arc::new(InMemory::default());
        let spec = MountSpec { uuid: "u".to_owned(), r#type: "secret".to_owned(), ..MountSpec::default() };
        OwnStorage::new(&whole, &spec).unwrap()
    }

    #[tokio::test]
    async fn nothing_is_written_to_a_closed_mount() {
        let own = own();
        own.put("a".parse().unwrap(), "1".into()).await.unwrap();
        own.close(Duration::from_secs(1)).await;
        let refused = own.put("a".parse().unwrap(), "2".into()).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Unavailable);
        assert_eq!(own.get(&"a".parse().unwrap()).await.unwrap().unwrap(), "1");
    }

    #[test]
    fn only_what_came_since_and_is_told_of_gives_an_error_its_status() {
        let failures = Failures::default();
        assert_eq!(failures.told_of("Vault is sealed", 0), None);
        let _ = failures.watch::<()>(Err(Error::Sealed));
        assert_eq!(failures.told_of("read failed: Vault is sealed", 0), Some(503));
        assert_eq!(failures.told_of("read failed", 0), None);
        assert_eq!(failures.told_of("read failed: Vault is sealed", failures.count()), None);
        let _ = failures.watch::<()>(Err(Error::Setup));
        assert_eq!(failures.count(), 1);
        let _ = failures.watch::<()>(Err(Error::TooLarge { limit: 1, actual: 2 }));
        let sentence = "cannot store: a stored value is at most 1 bytes, this one has 2";
        assert_eq!(failures.told_of(sentence, 1), Some(413));
    }
}
