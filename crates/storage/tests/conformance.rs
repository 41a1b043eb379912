//! Every backend keeps the same rules.

use std::sync::Arc;

use storage::{InMemory, Sqlite, Storage, View, conformance};

#[tokio::test]
async fn the_map_in_memory_keeps_the_rules() {
    conformance::check(Arc::new(InMemory::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_keeps_the_rules() {
    let directory = tempfile::tempdir().unwrap();
    conformance::check(Arc::new(Sqlite::open(&directory.path().join("db")).await.unwrap())).await;
}

#[tokio::test]
async fn a_view_keeps_the_rules_and_its_place() {
    let whole = Arc::new(InMemory::new());
    whole.put("elsewhere".parse().unwrap(), "kept".into()).await.unwrap();
    conformance::check(Arc::new(View::new(whole.clone(), "logical/1/".parse().unwrap()))).await;
    assert_eq!(whole.get(&"elsewhere".parse().unwrap()).await.unwrap().unwrap(), "kept");
}
