use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;
use storage::InMemory;
use tenon::{Key, Operation, Prefix, Storage, Write};
use tokio::sync::{Notify, Semaphore};

use super::mount;
use crate::kv::testing::{Mount, data, refusal};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_writers_who_saw_the_same_version_one_wins() {
    let kv = Arc::new(mount().await);
    for round in 0..50 {
        let body = json!({"options": {"cas": round}, "data": {"round": round}}).to_string();
        let writers: Vec<_> = (0..8)
            .map(|_| {
                let (kv, body) = (Arc::clone(&kv), body.clone());
                tokio::spawn(async move { kv.write("data/a", &body).await.is_ok() })
            })
            .collect();
        let mut winners = 0;
        for writer in writers {
            winners += u32::from(writer.await.unwrap());
        }
        assert_eq!(winners, 1, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_write_is_lost_and_no_read_breaks_beside_writes() {
    let kv = Arc::new(mount().await);
    kv.write("config", r#"{"max_versions":2}"#).await.unwrap();
    let large = "x".repeat(10_000);
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let (kv, body) = (Arc::clone(&kv), json!({"data": {"v": large}}).to_string());
            tokio::spawn(async move {
                for _ in 0..50 {
                    kv.write("data/a", &body).await.unwrap();
                }
            })
        })
        .collect();
    let reader = tokio::spawn({
        let kv = Arc::clone(&kv);
        async move {
            for _ in 0..200 {
                if let Some(response) = kv.read("data/a").await.unwrap() {
                    assert!(data(&response)["data"]["v"].is_string());
                }
            }
        }
    });
    for writer in writers {
        writer.await.unwrap();
    }
    reader.await.unwrap();
    let known = kv.send(Operation::Read, "metadata/a", "").await.unwrap().unwrap();
    assert_eq!(data(&known)["current_version"], 200);
}

/// Storage that, like the server's, finishes a commit that nobody waits for any longer; each waits to be let through.
struct Slow {
    below: Arc<InMemory>,
    reached: Notify,
    go_on: Arc<Semaphore>,
}

#[async_trait]
impl Storage for Slow {
    async fn get(&self, key: &Key) -> storage::Result<Option<Bytes>> {
        self.below.get(key).await
    }

    async fn page(&self, prefix: &Prefix, after: &str, limit: usize) -> storage::Result<Vec<String>> {
        self.below.page(prefix, after, limit).await
    }

    async fn commit(&self, writes: Vec<Write>) -> storage::Result<()> {
        let (below, go_on) = (Arc::clone(&self.below), Arc::clone(&self.go_on));
        self.reached.notify_one();
        let commit = tokio::spawn(async move {
            go_on.acquire().await.unwrap().forget();
            below.commit(writes).await
        });
        commit.await.unwrap()
    }
}

#[tokio::test]
async fn a_writer_who_leaves_in_the_middle_never_overwrites_a_later_one() {
    let slow = Arc::new(Slow {
        below: Arc::new(InMemory::new()),
        reached: Notify::new(),
        go_on: Arc::new(Semaphore::new(1)),
    });
    let kv = Arc::new(Mount::over(Arc::clone(&slow) as Arc<dyn Storage>, &[("version", "2")]).await);
    slow.reached.notified().await;
    let write = |cas: u32, value: &str| {
        let (kv, body) =
            (Arc::clone(&kv), json!({"options": {"cas": cas}, "data": {"v": value}}).to_string());
        tokio::spawn(async move { kv.write("data/a", &body).await })
    };
    let leaver = write(0, "first");
    slow.reached.notified().await;
    leaver.abort();
    assert!(leaver.await.unwrap_err().is_cancelled());
    // Nobody has been told of the first write, but it is under way: the second one has to wait for it, and to see it.
    let second = write(0, "second");
    slow.go_on.add_permits(2);
    assert_eq!(refusal(second.await.unwrap()), "check-and-set parameter did not match the current version");
    assert_eq!(data(&kv.read("data/a").await.unwrap().unwrap())["data"]["v"], "first");
}
