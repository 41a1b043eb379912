use static_assertions::assert_not_impl_any;
use tokio::sync::Notify;

use super::*;
use crate::InMemory;

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

async fn opened() -> (Arc<InMemory>, Barrier, Vec<Secret<Vec<u8>>>) {
    let below = Arc::new(InMemory::new());
    let barrier = Barrier::new(below.clone());
    let first = vec![Write::Put(key("core/first"), "1".into())];
    let shares = barrier.init(SealConfig::new(3, 2).unwrap(), first).await.unwrap();
    assert!(barrier.is_sealed());
    barrier.unseal(&shares[..2]).await.unwrap();
    (below, barrier, shares)
}

#[tokio::test]
async fn first_writes_are_there_after_unseal() {
    let (_, barrier, _) = opened().await;
    assert_eq!(barrier.get(&key("core/first")).await.unwrap().unwrap(), "1");
}

#[tokio::test]
async fn sealed_nothing_is_answered() {
    let (_, barrier, shares) = opened().await;
    barrier.seal();
    assert!(matches!(barrier.get(&key("core/first")).await, Err(Error::Sealed)));
    assert!(matches!(barrier.list(&Prefix::ALL).await, Err(Error::Sealed)));
    assert!(matches!(barrier.put(key("a"), "b".into()).await, Err(Error::Sealed)));
    assert!(matches!(barrier.rotate().await, Err(Error::Sealed)));
    barrier.unseal(&shares[1..]).await.unwrap();
    assert_eq!(barrier.get(&key("core/first")).await.unwrap().unwrap(), "1");
}

#[tokio::test]
async fn initialising_twice_is_refused() {
    let (_, barrier, _) = opened().await;
    let again = barrier.init(SealConfig::new(1, 1).unwrap(), Vec::new()).await;
    assert!(matches!(again, Err(InitError::Already)));
}

#[tokio::test]
async fn wrong_shares_open_nothing() {
    let (_, barrier, shares) = opened().await;
    let (_, _, foreign) = opened().await;
    barrier.seal();
    let mixed = [shares[0].clone(), foreign[1].clone()];
    assert!(matches!(barrier.unseal(&mixed).await, Err(UnsealError::WrongShares)));
    let uninitialised = Barrier::new(Arc::new(InMemory::new()));
    assert!(matches!(uninitialised.unseal(&shares).await, Err(UnsealError::NotInitialized)));
}

#[tokio::test]
async fn c6_a_value_moved_to_another_key_does_not_open() {
    let (below, barrier, _) = opened().await;
    barrier.put(key("core/a"), "secret".into()).await.unwrap();
    let sealed = below.get(&key("data/core/a")).await.unwrap().unwrap();
    below.put(key("data/core/b"), sealed.clone()).await.unwrap();
    assert!(matches!(barrier.get(&key("core/b")).await, Err(Error::Damaged(at)) if at == key("core/b")));
    for at in 0..sealed.len() {
        let mut changed = sealed.to_vec();
        changed[at] ^= 1;
        below.put(key("data/core/a"), changed.into()).await.unwrap();
        assert!(matches!(barrier.get(&key("core/a")).await, Err(Error::Damaged(_))), "byte {at}");
    }
    for cut in 0..sealed.len() {
        below.put(key("data/core/a"), sealed.slice(..cut)).await.unwrap();
        assert!(matches!(barrier.get(&key("core/a")).await, Err(Error::Damaged(_))), "{cut} bytes");
    }
}

#[tokio::test]
async fn the_barriers_own_entries_cannot_be_named() {
    let (below, barrier, _) = opened().await;
    let before = below.get(&key(KEYRING)).await.unwrap();
    barrier.put(key(KEYRING), "x".into()).await.unwrap();
    assert_eq!(below.get(&key(KEYRING)).await.unwrap(), before);
}

#[tokio::test]
async fn rotation_keeps_what_was_written_and_survives_a_restart() {
    let (below, barrier, shares) = opened().await;
    barrier.put(key("logical/u/old"), "1".into()).await.unwrap();
    assert_eq!(barrier.rotate().await.unwrap().term, 2);
    assert_eq!(barrier.key_status().unwrap().encryptions, 0);
    barrier.put(key("logical/u/new"), "2".into()).await.unwrap();
    let restarted = Barrier::new(below);
    restarted.unseal(&shares[..2]).await.unwrap();
    assert_eq!(restarted.key_status().unwrap().term, 2);
    assert_eq!(restarted.get(&key("logical/u/old")).await.unwrap().unwrap(), "1");
    assert_eq!(restarted.get(&key("logical/u/new")).await.unwrap().unwrap(), "2");
    assert_eq!(restarted.list(&"logical/u/".parse().unwrap()).await.unwrap(), ["new", "old"]);
}

#[tokio::test]
async fn the_count_of_encryptions_survives_roughly() {
    let (below, barrier, shares) = opened().await;
    for _ in 0..1100 {
        barrier.put(key("a"), "1".into()).await.unwrap();
    }
    let restarted = Barrier::new(below);
    restarted.unseal(&shares[..2]).await.unwrap();
    let count = restarted.key_status().unwrap().encryptions;
    assert!((1024..=1101).contains(&count), "{count}");
}

#[tokio::test]
async fn r8_a_value_that_is_too_large_is_refused_with_all_that_came_with_it() {
    let (_, barrier, _) = opened().await;
    let writes = vec![
        Write::Put(key("small"), "1".into()),
        Write::Put(key("large"), Bytes::from(vec![0; VALUE_LIMIT + 1])),
    ];
    assert!(matches!(barrier.commit(writes).await, Err(Error::TooLarge { .. })));
    assert_eq!(barrier.get(&key("small")).await.unwrap(), None);
}

/// Storage whose commits wait until they are let through.
struct Slow {
    below: InMemory,
    reached: Notify,
    go_on: Notify,
}

#[async_trait]
impl Storage for Slow {
    async fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        self.below.get(key).await
    }

    async fn page(&self, prefix: &Prefix, after: &str, limit: usize) -> Result<Vec<String>> {
        self.below.page(prefix, after, limit).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<()> {
        self.reached.notify_one();
        self.go_on.notified().await;
        self.below.commit(writes).await
    }
}

#[tokio::test]
async fn a_seal_during_a_rotation_wins() {
    let slow = Arc::new(Slow { below: InMemory::new(), reached: Notify::new(), go_on: Notify::new() });
    let barrier = Arc::new(Barrier::new(slow.clone()));
    slow.go_on.notify_one();
    let shares = barrier.init(SealConfig::new(1, 1).unwrap(), Vec::new()).await.unwrap();
    slow.reached.notified().await;
    barrier.unseal(&shares).await.unwrap();
    let rotation = tokio::spawn({
        let barrier = barrier.clone();
        async move { barrier.rotate().await }
    });
    slow.reached.notified().await;
    barrier.seal();
    slow.go_on.notify_one();
    assert_eq!(rotation.await.unwrap().unwrap().term, 2);
    assert!(barrier.is_sealed());
    barrier.unseal(&shares).await.unwrap();
    assert_eq!(barrier.key_status().unwrap().term, 2);
}

#[test]
fn many_names_are_work_even_without_values() {
    let one = Write::Delete(key("logical/u/a"));
    assert!(work_of(std::slice::from_ref(&one)) <= LARGE);
    assert!(work_of(&vec![one; 1_000]) > LARGE);
}

#[tokio::test]
async fn c1_a_damaged_count_of_encryptions_keeps_nothing_closed() {
    let (below, barrier, shares) = opened().await;
    barrier.put(key("a"), "1".into()).await.unwrap();
    for damage in [&b""[..], b"\x01", &[1; 40]] {
        below.put(key(ENCRYPTIONS), damage.into()).await.unwrap();
        barrier.seal();
        barrier.unseal(&shares[..2]).await.unwrap();
        assert_eq!(barrier.get(&key("a")).await.unwrap().unwrap(), "1");
    }
}

assert_not_impl_any!(entry::RawKey: std::fmt::Display, serde::Serialize, std::hash::Hash, PartialEq, Copy);
assert_not_impl_any!(Secret<Vec<u8>>: std::fmt::Display, serde::Serialize, std::hash::Hash, PartialEq);
assert_not_impl_any!(keyring::Term: std::fmt::Debug, std::fmt::Display, serde::Serialize, Clone);
assert_not_impl_any!(keyring::Keyring: std::fmt::Display, serde::Serialize, Clone);
assert_not_impl_any!(names::Names: std::fmt::Debug, std::fmt::Display, serde::Serialize, Clone);
assert_not_impl_any!(Open: std::fmt::Debug, std::fmt::Display, serde::Serialize, Clone);
assert_not_impl_any!(NextSeal: std::fmt::Debug, std::fmt::Display, serde::Serialize, Clone);
assert_not_impl_any!(Barrier: std::fmt::Display, serde::Serialize, Clone);

/// That the lines above compile is the better part of the probe: what has a form for people says nothing.
#[tokio::test]
async fn t10_no_form_of_a_key_says_what_it_is() {
    let (_, _, shares) = opened().await;
    let key: entry::RawKey = entry::random().unwrap();
    for shown in [format!("{key:?}"), format!("{:#?}", Some(&key)), format!("{:?}", shares[0])] {
        assert!(shown.contains("[secret]"), "{shown}");
        assert!(!shown.contains(|digit: char| digit.is_ascii_digit()), "{shown}");
    }
}

#[tokio::test]
async fn c6_the_same_value_never_looks_the_same_twice() {
    let (below, barrier, _) = opened().await;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..500 {
        barrier.put(key("core/a"), "1".into()).await.unwrap();
        assert!(seen.insert(below.get(&key("data/core/a")).await.unwrap().unwrap()));
    }
}
