use std::sync::Arc;

use serde_json::json;
use tenon::Operation;

use super::mount;
use crate::kv::testing::data;

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
