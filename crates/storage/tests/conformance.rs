//! Every backend keeps the same rules.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use domain::Secret;
use storage::{
    Barrier, Cached, InMemory, PostgreSql, PostgreSqlConfig, Sqlite, Storage, View, barrier::SealConfig,
    conformance,
};

#[tokio::test]
async fn the_map_in_memory_keeps_the_rules() {
    conformance::check(Arc::new(InMemory::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_keeps_the_rules() {
    let directory = tempfile::tempdir().unwrap();
    conformance::check(Arc::new(Sqlite::open(&directory.path().join("db")).await.unwrap())).await;
}

async fn postgresql(database: &testkit::PostgreSql, table: &str) -> Arc<PostgreSql> {
    let config = PostgreSqlConfig {
        connection_url: Secret::new(database.admin_url()),
        password_file: None,
        table: table.to_owned(),
        max_parallel: 8,
        max_idle_connections: 4,
        max_connect_retries: 0,
        skip_create_table: false,
    };
    Arc::new(PostgreSql::open(&config).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_keeps_the_rules_bare_and_below_the_barrier() {
    let database = testkit::PostgreSql::start().await;
    conformance::check(postgresql(&database, "bare").await).await;
    let below = postgresql(&database, "below").await;
    let barrier = opened(Arc::new(Cached::new(below, 1 << 20))).await;
    conformance::check(barrier.clone()).await;
    conformance::check(Arc::new(View::new(barrier, "auth/1/".parse().unwrap()))).await;
}

#[tokio::test]
async fn a_view_keeps_the_rules_and_its_place() {
    let whole = Arc::new(InMemory::new());
    whole.put("elsewhere".parse().unwrap(), "kept".into()).await.unwrap();
    conformance::check(Arc::new(View::new(whole.clone(), "logical/1/".parse().unwrap()))).await;
    assert_eq!(whole.get(&"elsewhere".parse().unwrap()).await.unwrap().unwrap(), "kept");
}

async fn opened(below: Arc<dyn Storage>) -> Arc<Barrier> {
    let barrier = Barrier::new(below);
    let shares = barrier.init(SealConfig::new(5, 3).unwrap(), Vec::new()).await.unwrap();
    barrier.unseal(&shares[2..]).await.unwrap();
    Arc::new(barrier)
}

#[tokio::test]
async fn the_cache_keeps_the_rules() {
    conformance::check(Arc::new(Cached::new(Arc::new(InMemory::new()), 1 << 20))).await;
}

#[tokio::test]
async fn the_barrier_over_memory_keeps_the_rules() {
    let barrier = opened(Arc::new(InMemory::new())).await;
    conformance::check(barrier.clone()).await;
    let hidden = View::new(barrier, "logical/1/".parse().unwrap());
    conformance::check(Arc::new(hidden)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_barrier_over_sqlite_keeps_the_rules() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = Sqlite::open(&directory.path().join("db")).await.unwrap();
    let barrier = opened(Arc::new(Cached::new(Arc::new(sqlite), 1 << 20))).await;
    conformance::check(barrier.clone()).await;
    let hidden = View::new(barrier, "auth/1/".parse().unwrap());
    conformance::check(Arc::new(hidden)).await;
}

#[tokio::test]
async fn the_database_holds_no_value_and_no_name_in_the_clear() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = Sqlite::open(&directory.path().join("db")).await.unwrap();
    let barrier = opened(Arc::new(sqlite)).await;
    let words = ["valuable-value", "name-of-a-secret", "folder-of-a-secret"];
    let [value, name, folder] = words;
    let at = format!("logical/7d4b9a62/{folder}/{name}");
    barrier.put(at.parse().unwrap(), value.into()).await.unwrap();
    barrier.put(format!("core/{}", "mounts").parse().unwrap(), value.into()).await.unwrap();
    let mut looked_at = 0;
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        looked_at += usize::from(bytes.windows(8).any(|window| window == b"7d4b9a62"));
        for word in words {
            assert!(
                !bytes.windows(word.len()).any(|window| window == word.as_bytes()),
                "{word} is in the clear"
            );
        }
    }
    assert!(looked_at > 0, "the write is not in the files that were looked at");
}
