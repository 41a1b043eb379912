//! Initialising, unsealing, sealing and rotating, through the generated clients.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use bytes::Bytes;
use catalog::{Catalog, Config, StorageConfig};
use common::{init, put, refusal, unseal};
use domain::Kind;
use wire::catalog::v1::{
    GetRequest, InitRequest, KeyStatusRequest, RotateRequest, SealRequest, SealStatus, StatusRequest,
    UnsealRequest,
};

async fn status(catalog: &Catalog) -> SealStatus {
    catalog.barrier_client().status(StatusRequest {}).await.unwrap().into_inner()
}

async fn reset(catalog: &Catalog) -> Result<SealStatus, tonic::Status> {
    let request = UnsealRequest { share: Bytes::new(), reset: true };
    Ok(catalog.barrier_client().unseal(request).await?.into_inner())
}

async fn fresh() -> Catalog {
    Catalog::open(Config::default()).await.unwrap()
}

#[tokio::test]
async fn numbers_that_make_no_seal_are_refused_in_vaults_words() {
    let catalog = fresh().await;
    let cases = [
        (0, 0, "invalid seal configuration: shares must be at least one"),
        (1, 2, "invalid seal configuration: threshold cannot be larger than shares"),
        (5, 1, "invalid seal configuration: threshold must be greater than one for multiple shares"),
    ];
    for (shares, threshold, sentence) in cases {
        let request = InitRequest { shares, threshold, first_writes: Vec::new() };
        let refused = refusal(catalog.barrier_client().init(request).await);
        assert_eq!(refused, (Kind::Invalid, sentence.to_owned()));
    }
    assert!(!status(&catalog).await.initialized);
    init(&catalog, 1, 1, Vec::new()).await;
    let again = InitRequest { shares: 1, threshold: 1, first_writes: Vec::new() };
    let refused = refusal(catalog.barrier_client().init(again).await);
    assert_eq!(refused, (Kind::Invalid, "Vault is already initialized".to_owned()));
}

#[tokio::test]
async fn shares_are_collected_until_the_threshold() {
    let catalog = fresh().await;
    let shares = init(&catalog, 5, 3, vec![put("core/token", "first")]).await;
    assert_eq!(shares.len(), 5);
    assert!(shares.iter().all(|share| share.len() == 33));

    let one = unseal(&catalog, &shares[0]).await.unwrap();
    assert_eq!((one.sealed, one.progress, one.threshold, one.shares), (true, 1, 3, 5));
    assert_eq!(one.nonce.len(), 36);
    let again = unseal(&catalog, &shares[0]).await.unwrap();
    assert_eq!((again.progress, &again.nonce), (1, &one.nonce), "a share handed in twice counts once");

    let none = reset(&catalog).await.unwrap();
    assert_eq!((none.progress, none.nonce.as_str()), (0, ""));

    for share in [1, 4] {
        assert!(unseal(&catalog, &shares[share]).await.unwrap().sealed);
    }
    let done = unseal(&catalog, &shares[2]).await.unwrap();
    assert_eq!((done.sealed, done.progress, done.nonce.as_str()), (false, 0, ""));
    assert!(done.cluster_name.starts_with("vault-cluster-") && done.cluster_id.len() == 36);
    assert_eq!(done.storage_type, "inmem");

    let after = unseal(&catalog, &Bytes::from_static(b"anything")).await.unwrap();
    assert!(!after.sealed, "unsealed, no key is looked at");
    assert_eq!(refusal(reset(&catalog).await), (Kind::Invalid, "vault is unsealed".to_owned()));
    let value = catalog.storage_client().get(GetRequest { key: "core/token".to_owned() }).await.unwrap();
    assert_eq!(value.into_inner().value.unwrap(), "first");
}

#[tokio::test]
async fn wrong_shares_are_forgotten_and_the_right_ones_still_open() {
    let catalog = fresh().await;
    let shares = init(&catalog, 3, 2, Vec::new()).await;
    let foreign = init(&fresh().await, 3, 2, Vec::new()).await;
    unseal(&catalog, &shares[0]).await.unwrap();
    let (kind, sentence) = refusal(unseal(&catalog, &foreign[1]).await);
    assert_eq!(kind, Kind::Invalid);
    assert_eq!(
        sentence,
        "unable to retrieve stored keys: invalid key: failed to decrypt keys from storage: error decrypting seal \
         wrapped value\nerror decrypting using seal shamir: cipher: message authentication failed"
    );
    assert_eq!(status(&catalog).await.progress, 0);
    let short = refusal(unseal(&catalog, &Bytes::from_static(b"short")).await);
    assert_eq!(short, (Kind::Invalid, "invalid key: key is shorter than minimum 16 bytes".to_owned()));
    unseal(&catalog, &shares[0]).await.unwrap();
    assert!(!unseal(&catalog, &shares[1]).await.unwrap().sealed);
}

#[tokio::test]
async fn shares_without_a_barrier_are_refused() {
    let refused = refusal(unseal(&fresh().await, &Bytes::from(vec![1; 33])).await);
    assert_eq!(refused, (Kind::Invalid, "Vault is not initialized".to_owned()));
}

#[tokio::test]
async fn a_seal_is_seen_in_the_epoch_and_closes_everything() {
    let catalog = fresh().await;
    let shares = init(&catalog, 1, 1, Vec::new()).await;
    let first = unseal(&catalog, &shares[0]).await.unwrap().epoch;
    catalog.barrier_client().seal(SealRequest {}).await.unwrap();
    assert!(status(&catalog).await.sealed);
    assert_eq!(status(&catalog).await.cluster_name, "");
    let sealed = (Kind::Sealed, "Vault is sealed".to_owned());
    assert_eq!(refusal(catalog.storage_client().get(GetRequest { key: "a".to_owned() }).await), sealed);
    assert_eq!(refusal(catalog.barrier_client().rotate(RotateRequest {}).await), sealed);
    assert_eq!(refusal(catalog.barrier_client().get_key_status(KeyStatusRequest {}).await), sealed);
    assert!(unseal(&catalog, &shares[0]).await.unwrap().epoch > first);
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let storage = StorageConfig::File { path: directory.path().join("data") };
    let config = Config { storage, cluster_name: Some("blue".to_owned()), ..Config::default() };
    let catalog = Catalog::open(config).await.unwrap();
    let shares = init(&catalog, 2, 2, vec![put("logical/u/a", "1")]).await;
    unseal(&catalog, &shares[0]).await.unwrap();
    let before = unseal(&catalog, &shares[1]).await.unwrap();
    assert_eq!(catalog.barrier_client().rotate(RotateRequest {}).await.unwrap().into_inner().term, 2);
    assert_eq!(before.cluster_name, "blue");
    drop(catalog);

    let storage = StorageConfig::File { path: directory.path().join("data") };
    let config = Config { storage, cluster_name: Some("green".to_owned()), ..Config::default() };
    let catalog = Catalog::open(config).await.unwrap();
    let sealed = status(&catalog).await;
    assert_eq!((sealed.initialized, sealed.sealed, sealed.storage_type.as_str()), (true, true, "file"));
    unseal(&catalog, &shares[1]).await.unwrap();
    let after = unseal(&catalog, &shares[0]).await.unwrap();
    assert_eq!((after.cluster_name, after.cluster_id), (before.cluster_name, before.cluster_id));
    assert_ne!(after.epoch, before.epoch);
    let status = catalog.barrier_client().get_key_status(KeyStatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.term, 2);
    assert!(status.install_time > 0);
}

#[tokio::test]
async fn c1_a_damaged_name_of_the_cluster_keeps_nothing_closed() {
    let directory = tempfile::tempdir().unwrap();
    let storage = StorageConfig::File { path: directory.path().join("data") };
    let config = Config { storage, ..Config::default() };
    let mut shares = Vec::new();
    for damage in ["", "null", "[]", "{\"name\":", "{\"name\":5,\"id\":\"x\"}", "{\"name\":\"x\"}"] {
        let catalog = Catalog::open(config.clone()).await.unwrap();
        if shares.is_empty() {
            shares = init(&catalog, 1, 1, Vec::new()).await;
        }
        let opened = unseal(&catalog, &shares[0]).await.unwrap();
        assert!(!opened.sealed, "{damage}");
        let writes = vec![put("core/cluster", damage)];
        catalog.storage_client().commit(wire::catalog::v1::CommitRequest { writes }).await.unwrap();
    }
    let catalog = Catalog::open(config).await.unwrap();
    let opened = unseal(&catalog, &shares[0]).await.unwrap();
    assert_eq!((opened.sealed, opened.cluster_name.as_str()), (false, ""));
}
