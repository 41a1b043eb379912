//! Storage through the generated clients.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::sync::Arc;

use bytes::Bytes;
use catalog::{Config, StorageConfig};
use common::{opened, put, refusal};
use domain::Kind;
use storage::{Prefix, Remote, Storage, View, conformance};
use wire::catalog::v1::{CommitRequest, ListRequest, Write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_remote_client_keeps_the_rules_below_a_mount() {
    let directory = tempfile::tempdir().unwrap();
    let storage = StorageConfig::Sqlite { path: directory.path().join("db") };
    let catalog = opened(Config { storage, ..Config::default() }).await;
    let remote = Arc::new(Remote::new(catalog.storage_client()));
    let prefix: Prefix = "logical/1b9d6bcd/".parse().unwrap();
    conformance::check(Arc::new(View::new(remote, prefix))).await;
}

#[tokio::test]
async fn the_remote_client_tells_sealed_from_broken() {
    let catalog = opened(Config::default()).await;
    catalog.barrier_client().seal(wire::catalog::v1::SealRequest {}).await.unwrap();
    let remote = Remote::new(catalog.storage_client());
    assert!(matches!(remote.list(&Prefix::ALL).await, Err(storage::Error::Sealed)));
}

#[tokio::test]
async fn a_list_takes_a_limit_and_where_to_begin() {
    let catalog = opened(Config::default()).await;
    let client = catalog.storage_client();
    let writes = ["l/a", "l/b", "l/c/d"].map(|key| put(key, "v")).to_vec();
    client.commit(CommitRequest { writes }).await.unwrap();
    let request = ListRequest { prefix: "l/".to_owned(), after: "a".to_owned(), limit: 1 };
    assert_eq!(client.list(request.clone()).await.unwrap().into_inner().keys, ["b"]);
    let rest = client.list(ListRequest { limit: 0, ..request }).await.unwrap();
    assert_eq!(rest.into_inner().keys, ["b", "c/"]);
}

#[tokio::test]
async fn r8_keys_and_values_outside_the_limits_are_refused() {
    let catalog = opened(Config::default()).await;
    let client = catalog.storage_client();
    let kind_of = async |writes| refusal(client.commit(CommitRequest { writes }).await).0;
    let sized = |size| Write { key: "k".to_owned(), value: Some(Bytes::from(vec![0; size])) };
    assert_eq!(kind_of(vec![put("../up", "v")]).await, Kind::Invalid);
    assert_eq!(kind_of(vec![put(&"k".repeat(40_000), "v")]).await, Kind::Invalid);
    assert_eq!(kind_of(vec![sized((32 << 20) + 1)]).await, Kind::TooLarge);
    assert_eq!(kind_of(vec![sized(30 << 20), sized(30 << 20), sized(30 << 20)]).await, Kind::TooLarge);
    assert_eq!(kind_of(vec![put("k", "v"); 70_000]).await, Kind::TooLarge);
}
