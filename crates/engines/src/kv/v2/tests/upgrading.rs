use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;
use storage::{Error, InMemory};
use tenon::{Key, Prefix, Storage, Write};
use tokio::time;

use crate::kv::testing::{Mount, data, refusal};

const V2: &[(&str, &str)] = &[("version", "2")];

/// Storage that fails for good after some writes: what a kill leaves behind. Each write counts by itself when the host
/// has no transactions.
struct Mortal {
    inner: Arc<InMemory>,
    left: AtomicUsize,
    transactions: bool,
}

impl Mortal {
    fn spend(&self) -> storage::Result<()> {
        let spent = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        spent.map(drop).map_err(|_| Error::Stopped)
    }
}

#[async_trait]
impl Storage for Mortal {
    async fn get(&self, key: &Key) -> storage::Result<Option<Bytes>> {
        self.inner.get(key).await
    }

    async fn page(&self, prefix: &Prefix, after: &str, limit: usize) -> storage::Result<Vec<String>> {
        self.inner.page(prefix, after, limit).await
    }

    async fn commit(&self, writes: Vec<Write>) -> storage::Result<()> {
        if self.transactions {
            self.spend()?;
            return self.inner.commit(writes).await;
        }
        for write in writes {
            self.spend()?;
            self.inner.commit(vec![write]).await?;
        }
        Ok(())
    }
}

/// Secrets of version 1.
async fn filled() -> (Arc<InMemory>, Vec<String>) {
    let storage = Arc::new(InMemory::new());
    let v1 = Mount::over(Arc::clone(&storage) as Arc<dyn Storage>, &[]).await;
    let paths: Vec<_> = ["top", "app/db", "app/db/deep", "z/y/x"].map(str::to_owned).into();
    for path in &paths {
        v1.write(path, &json!({ "path": path }).to_string()).await.unwrap();
    }
    (storage, paths)
}

async fn available(kv: &Mount) {
    while kv.read("config").await.is_err() {
        time::sleep(Duration::from_millis(1)).await;
    }
}

async fn assert_upgraded(kv: &Mount, paths: &[String]) {
    for path in paths {
        let read = kv.read(&format!("data/{path}")).await.unwrap().unwrap();
        assert_eq!(data(&read)["data"], json!({ "path": path }));
        assert_eq!(data(&read)["metadata"]["version"], 1);
    }
    let left = kv.storage.list(&Prefix::ALL).await.unwrap();
    assert_eq!(left, [format!("{}/", crate::kv::testing::UUID)]);
}

#[tokio::test(start_paused = true)]
async fn secrets_of_version_1_become_first_versions() {
    let (storage, paths) = filled().await;
    let kv = Mount::over(storage, V2).await;
    available(&kv).await;
    assert_upgraded(&kv, &paths).await;
    let known = data(&kv.read("metadata/top").await.unwrap().unwrap());
    assert_eq!(known["versions"]["1"]["created_by"], json!({"actor": "kv_upgrade", "operation": "upgrade"}));
}

#[tokio::test(start_paused = true)]
async fn requests_are_told_to_wait_meanwhile() {
    let (storage, _) = filled().await;
    // Not initialised yet, so nothing has moved.
    let kv = Mount::set_up(storage, V2).await;
    let sentence = "Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief \
                    period and will resume service shortly.";
    assert_eq!(refusal(kv.read("data/top").await), sentence);
    assert_eq!(refusal(kv.write("data/top", r#"{"data":{}}"#).await), sentence);
    kv.backend.initialize().await.unwrap();
    available(&kv).await;
    assert!(kv.read("data/top").await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_kill_at_any_instant_loses_nothing() {
    for transactions in [true, false] {
        for writes in 0..16 {
            let (inner, paths) = filled().await;
            let mortal = Mortal { inner: Arc::clone(&inner), left: writes.into(), transactions };
            let killed = Mount::over(Arc::new(mortal), V2).await;
            time::sleep(Duration::from_millis(100)).await;
            killed.backend.cleanup().await;
            let kv = Mount::over(inner, V2).await;
            available(&kv).await;
            assert_upgraded(&kv, &paths).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn storage_that_recovers_lets_the_upgrade_go_on() {
    let (inner, paths) = filled().await;
    let mortal = Arc::new(Mortal { inner, left: 2.into(), transactions: true });
    let kv = Mount::over(Arc::clone(&mortal) as Arc<dyn Storage>, V2).await;
    time::sleep(Duration::from_millis(100)).await;
    assert!(kv.read("config").await.is_err());
    mortal.left.store(usize::MAX, Ordering::SeqCst);
    available(&kv).await;
    assert_upgraded(&kv, &paths).await;
}

#[tokio::test]
async fn a_new_mount_serves_at_once_and_an_old_one_is_not_looked_through_again() {
    let storage: Arc<dyn Storage> = Arc::new(InMemory::new());
    let kv = Mount::over(Arc::clone(&storage), V2).await;
    assert_eq!(kv.read("data/a").await, Ok(None));
    // Something appears at the root later: it is not ours, and no upgrade starts.
    storage.put("stray".parse().unwrap(), "{}".into()).await.unwrap();
    let kv = Mount::over(storage, V2).await;
    assert_eq!(kv.read("data/a").await, Ok(None));
}
