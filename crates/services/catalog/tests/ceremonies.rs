//! Root generation and rekeying, through the generated clients.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use bytes::Bytes;
use catalog::{Catalog, Config, StorageConfig};
use common::{init, refusal, unseal};
use domain::Kind;
use tonic::Status;
use wire::catalog::v1::{
    CeremonyCancel, CeremonyKind, CeremonyLook, CeremonyRequest, CeremonyShare, CeremonyStart, CeremonyState,
    SealRequest, ceremony_request::Step,
};

use CeremonyKind::{Rekey, Root, Verification};

async fn step(catalog: &Catalog, kind: CeremonyKind, step: Step) -> Result<CeremonyState, Status> {
    let request = CeremonyRequest { kind: kind.into(), step: Some(step) };
    Ok(catalog.barrier_client().ceremony(request).await?.into_inner())
}

async fn hand_in(
    catalog: &Catalog,
    kind: CeremonyKind,
    nonce: &str,
    share: &Bytes,
) -> Result<CeremonyState, Status> {
    step(catalog, kind, Step::Share(CeremonyShare { nonce: nonce.to_owned(), share: share.clone() })).await
}

fn start(shares: u32, threshold: u32, verify: bool) -> Step {
    Step::Start(CeremonyStart { shares, threshold, verify, note: Bytes::from_static(b"note") })
}

fn cancel(authorised: bool) -> Step {
    Step::Cancel(CeremonyCancel { authorised, nonce: String::new() })
}

async fn opened(shares: u32, threshold: u32) -> (Catalog, Vec<Bytes>) {
    let catalog = Catalog::open(Config::default()).await.unwrap();
    let shares = init(&catalog, shares, threshold, Vec::new()).await;
    for share in &shares {
        unseal(&catalog, share).await.unwrap();
    }
    (catalog, shares)
}

fn invalid(sentence: &str) -> (Kind, String) {
    (Kind::Invalid, sentence.to_owned())
}

#[tokio::test]
async fn root_generation_takes_as_many_shares_as_unsealing() {
    let (catalog, shares) = opened(3, 2).await;
    let begun = step(&catalog, Root, start(0, 0, false)).await.unwrap();
    assert!(begun.started && begun.progress == 0 && begun.required == 2);
    let again = refusal(step(&catalog, Root, start(0, 0, false)).await);
    assert_eq!(again, invalid("root generation already in progress"));
    let nonce = &begun.nonce;
    let other = refusal(hand_in(&catalog, Root, "other", &shares[0]).await);
    let sentence = format!("incorrect nonce supplied; nonce for this root generation operation is {nonce:?}");
    assert_eq!(other, invalid(&sentence));
    assert_eq!(hand_in(&catalog, Root, nonce, &shares[0]).await.unwrap().progress, 1);
    let twice = refusal(hand_in(&catalog, Root, nonce, &shares[0]).await);
    assert_eq!(twice, invalid("given key has already been provided during this generation operation"));
    let done = hand_in(&catalog, Root, nonce, &shares[2]).await.unwrap();
    assert!(done.complete);
    assert_eq!(done.note, "note");
    assert!(!step(&catalog, Root, Step::Look(CeremonyLook {})).await.unwrap().started);
}

#[tokio::test]
async fn t1_foreign_shares_make_no_root() {
    let (catalog, shares) = opened(3, 2).await;
    let (_, foreign) = opened(3, 2).await;
    let nonce = step(&catalog, Root, start(0, 0, false)).await.unwrap().nonce;
    hand_in(&catalog, Root, &nonce, &shares[0]).await.unwrap();
    let (kind, sentence) = refusal(hand_in(&catalog, Root, &nonce, &foreign[1]).await);
    assert_eq!(kind, Kind::Invalid);
    assert!(sentence.starts_with("the keys do not belong together"), "{sentence}");
    let state = step(&catalog, Root, Step::Look(CeremonyLook {})).await.unwrap();
    assert!(state.started && state.progress == 0);
    hand_in(&catalog, Root, &nonce, &shares[0]).await.unwrap();
    assert!(hand_in(&catalog, Root, &nonce, &shares[1]).await.unwrap().complete);
}

#[tokio::test]
async fn g6_what_others_have_begun_is_cancelled_with_authority_only() {
    let (catalog, shares) = opened(3, 2).await;
    for kind in [Root, Rekey] {
        let nonce = step(&catalog, kind, start(3, 2, false)).await.unwrap().nonce;
        hand_in(&catalog, kind, &nonce, &shares[0]).await.unwrap();
        assert_eq!(refusal(step(&catalog, kind, cancel(false)).await).0, Kind::Denied);
        step(&catalog, kind, cancel(true)).await.unwrap();
        assert!(!step(&catalog, kind, Step::Look(CeremonyLook {})).await.unwrap().started);
        // Nobody has taken part: nothing is lost.
        step(&catalog, kind, start(3, 2, false)).await.unwrap();
        step(&catalog, kind, cancel(false)).await.unwrap();
    }
}

#[tokio::test]
async fn a_seal_ends_every_ceremony_and_refuses_new_ones() {
    let (catalog, shares) = opened(1, 1).await;
    step(&catalog, Root, start(0, 0, false)).await.unwrap();
    catalog.barrier_client().seal(SealRequest {}).await.unwrap();
    let sealed = (Kind::Sealed, "Vault is sealed".to_owned());
    assert_eq!(refusal(step(&catalog, Root, Step::Look(CeremonyLook {})).await), sealed);
    unseal(&catalog, &shares[0]).await.unwrap();
    assert!(!step(&catalog, Root, Step::Look(CeremonyLook {})).await.unwrap().started);
}

#[tokio::test]
async fn new_shares_count_once_they_have_been_seen_and_the_old_ones_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let storage = StorageConfig::File { path: directory.path().join("data") };
    let config = Config { storage, ..Config::default() };
    let catalog = Catalog::open(config.clone()).await.unwrap();
    let old = init(&catalog, 1, 1, Vec::new()).await;
    unseal(&catalog, &old[0]).await.unwrap();

    let nonce = step(&catalog, Rekey, start(3, 2, true)).await.unwrap().nonce;
    let made = hand_in(&catalog, Rekey, &nonce, &old[0]).await.unwrap();
    assert!(made.complete && made.new_shares.len() == 3 && !made.verification_nonce.is_empty());
    let new = made.new_shares;
    let verifying = step(&catalog, Rekey, Step::Look(CeremonyLook {})).await.unwrap();
    assert_eq!((verifying.required, verifying.verification_nonce), (1, made.verification_nonce.clone()));
    hand_in(&catalog, Verification, &made.verification_nonce, &new[0]).await.unwrap();
    let anew = step(&catalog, Verification, cancel(false)).await.unwrap();
    assert!(anew.progress == 0 && anew.nonce != made.verification_nonce);
    hand_in(&catalog, Verification, &anew.nonce, &new[0]).await.unwrap();
    assert!(hand_in(&catalog, Verification, &anew.nonce, &new[2]).await.unwrap().complete);
    assert_eq!(step(&catalog, Rekey, Step::Look(CeremonyLook {})).await.unwrap().required, 2);
    drop(catalog);

    let catalog = Catalog::open(config).await.unwrap();
    unseal(&catalog, &new[1]).await.unwrap();
    assert!(unseal(&catalog, &old[0]).await.is_err(), "an old share opens nothing");
    unseal(&catalog, &new[1]).await.unwrap();
    assert!(!unseal(&catalog, &new[2]).await.unwrap().sealed);
}

#[tokio::test]
async fn without_verification_new_shares_count_at_once() {
    let (catalog, old) = opened(1, 1).await;
    let nonce = step(&catalog, Rekey, start(2, 2, false)).await.unwrap().nonce;
    let made = hand_in(&catalog, Rekey, &nonce, &old[0]).await.unwrap();
    assert!(made.verification_nonce.is_empty());
    catalog.barrier_client().seal(SealRequest {}).await.unwrap();
    for share in &made.new_shares {
        unseal(&catalog, share).await.unwrap();
    }
    let state = step(&catalog, Rekey, Step::Look(CeremonyLook {})).await.unwrap();
    assert_eq!((state.started, state.required), (false, 2));
    let none = refusal(step(&catalog, Verification, Step::Look(CeremonyLook {})).await);
    assert_eq!(none, invalid("no rekey configuration found"));
}
