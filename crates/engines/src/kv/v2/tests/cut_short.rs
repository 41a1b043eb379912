//! Hosts that write one key at a time, and stop in the middle.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;
use storage::InMemory;
use tenon::{Key, Operation, Prefix, Storage, Write};

use crate::kv::testing::{Mount, data};

/// Storage that does so many single writes and no more.
struct Cut {
    below: InMemory,
    left: AtomicUsize,
}

#[async_trait]
impl Storage for Cut {
    async fn get(&self, key: &Key) -> storage::Result<Option<Bytes>> {
        self.below.get(key).await
    }

    async fn page(&self, prefix: &Prefix, after: &str, limit: usize) -> storage::Result<Vec<String>> {
        self.below.page(prefix, after, limit).await
    }

    async fn commit(&self, writes: Vec<Write>) -> storage::Result<()> {
        for write in writes {
            let spent = |left: usize| left.checked_sub(1);
            self.left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, spent)
                .map_err(|_| storage::Error::backend("cut off"))?;
            self.below.commit(vec![write]).await?;
        }
        Ok(())
    }
}

/// A secret with two versions, the first one large and the second one small; two are kept.
async fn two_versions() -> (Arc<Cut>, Mount) {
    let cut = Arc::new(Cut { below: InMemory::new(), left: AtomicUsize::new(usize::MAX) });
    let kv = Mount::over(Arc::clone(&cut) as Arc<dyn Storage>, &[("version", "2")]).await;
    kv.write("config", r#"{"max_versions":2}"#).await.unwrap();
    for size in [10_000, 1] {
        kv.write("data/a", &body(size)).await.unwrap();
    }
    (cut, kv)
}

fn body(size: usize) -> String {
    json!({ "data": { "v": "x".repeat(size) } }).to_string()
}

#[tokio::test]
async fn c11_a_change_cut_short_leaves_every_version_readable_and_can_be_repeated() {
    let changes = [
        ("data/a", body(1)),
        ("data/a", body(10_000)),
        ("delete/a", r#"{"versions":[1,2]}"#.to_owned()),
        ("destroy/a", r#"{"versions":[1,2]}"#.to_owned()),
    ];
    for (path, body) in &changes {
        for allowed in 0..5 {
            let (cut, kv) = two_versions().await;
            cut.left.store(allowed, Ordering::Relaxed);
            let done = kv.write(path, body).await.is_ok();
            cut.left.store(usize::MAX, Ordering::Relaxed);
            let known = kv.read("metadata/a").await.unwrap().unwrap();
            for version in data(&known)["versions"].as_object().unwrap().keys() {
                let wanted = json!({ "version": version }).to_string();
                let read = kv.send(Operation::Read, "data/a", &wanted).await;
                assert!(matches!(read, Ok(Some(_))), "{path} after {allowed}, version {version}: {read:?}");
            }
            assert!(done || kv.write(path, body).await.is_ok(), "{path} after {allowed}");
        }
    }
}

#[tokio::test]
async fn c11_a_removal_cut_short_can_be_repeated_and_leaves_nothing() {
    for allowed in 0..4 {
        let (cut, kv) = two_versions().await;
        cut.left.store(allowed, Ordering::Relaxed);
        let _ = kv.delete("metadata/a").await;
        cut.left.store(usize::MAX, Ordering::Relaxed);
        kv.delete("metadata/a").await.unwrap();
        assert_eq!(kv.read("data/a").await, Ok(None), "after {allowed}");
        let folder = format!("{}/", crate::kv::testing::UUID);
        assert_eq!(
            cut.list(&folder.parse().unwrap()).await.unwrap(),
            ["config", "upgrade"],
            "after {allowed}"
        );
    }
}
