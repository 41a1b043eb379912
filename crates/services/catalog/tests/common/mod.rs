//! A catalog and what its tests ask of it.
#![allow(dead_code, clippy::unwrap_used, reason = "each test program uses a part, and a test may panic")]

use bytes::Bytes;
use catalog::{Catalog, Config};
use domain::Kind;
use tonic::Status;
use wire::catalog::v1::{InitRequest, SealStatus, UnsealRequest, Write};

/// Initialises a catalog; returns its shares.
pub async fn init(catalog: &Catalog, shares: u32, threshold: u32, first_writes: Vec<Write>) -> Vec<Bytes> {
    let request = InitRequest { shares, threshold, first_writes };
    catalog.barrier_client().init(request).await.unwrap().into_inner().shares
}

/// Hands in one share.
pub async fn unseal(catalog: &Catalog, share: &Bytes) -> Result<SealStatus, Status> {
    let request = UnsealRequest { share: share.clone(), reset: false };
    Ok(catalog.barrier_client().unseal(request).await?.into_inner())
}

/// An open catalog.
pub async fn opened(config: Config) -> Catalog {
    let catalog = Catalog::open(config).await.unwrap();
    let shares = init(&catalog, 1, 1, Vec::new()).await;
    assert!(!unseal(&catalog, &shares[0]).await.unwrap().sealed);
    catalog
}

/// A write of a text.
pub fn put(key: &str, value: &'static str) -> Write {
    Write { key: key.to_owned(), value: Some(Bytes::from_static(value.as_bytes())) }
}

/// The kind and the one sentence of a refusal.
pub fn refusal<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Kind, String) {
    let failure = wire::failure_of(&answer.unwrap_err());
    (failure.kind, failure.messages.concat())
}
