//! The rules that every backend is tested with. Each panics when it is broken.

use std::sync::Arc;

use bytes::Bytes;

use crate::{Key, Prefix, Storage, Write};

fn key(text: &str) -> Key {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Runs every rule on a storage that is empty, and leaves it empty.
pub async fn check(storage: Arc<dyn Storage>) {
    reads_what_was_written(&*storage).await;
    lists_children_only(&*storage).await;
    pages_follow_each_other(&*storage).await;
    a_commit_is_applied_in_its_order(&*storage).await;
    keeps_odd_keys_and_values(&*storage).await;
    concurrent_writers_lose_nothing(&storage).await;
}

async fn put(storage: &dyn Storage, at: &str, value: &str) {
    storage
        .put(key(at), Bytes::copy_from_slice(value.as_bytes()))
        .await
        .unwrap_or_else(|e| panic!("{at}: {e}"));
}

async fn get(storage: &dyn Storage, at: &str) -> Option<Bytes> {
    storage.get(&key(at)).await.unwrap_or_else(|error| panic!("{at}: {error}"))
}

async fn page(storage: &dyn Storage, below: &str, after: &str, limit: usize) -> Vec<String> {
    let listed = storage.page(&prefix(below), after, limit).await;
    listed.unwrap_or_else(|error| panic!("{below}: {error}"))
}

async fn list(storage: &dyn Storage, below: &str) -> Vec<String> {
    storage.list(&prefix(below)).await.unwrap_or_else(|error| panic!("{below}: {error}"))
}

async fn forget(storage: &dyn Storage, keys: &[&str]) {
    let writes = keys.iter().map(|at| Write::Delete(key(at))).collect();
    storage.commit(writes).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(list(storage, "").await, [""; 0], "not empty after deletes");
}

async fn reads_what_was_written(storage: &dyn Storage) {
    assert_eq!(get(storage, "a").await, None);
    put(storage, "a", "1").await;
    assert_eq!(get(storage, "a").await.as_deref(), Some(b"1".as_slice()));
    put(storage, "a", "2").await;
    assert_eq!(get(storage, "a").await.as_deref(), Some(b"2".as_slice()));
    forget(storage, &["a"]).await;
    assert_eq!(get(storage, "a").await, None);
    // Deleting what is not there is harmless.
    forget(storage, &["a"]).await;
}

async fn lists_children_only(storage: &dyn Storage) {
    let keys = ["a", "a-b", "a/b", "a/b/c/d", "a/b/e", "a/é", "a/日本", "a0", "b/c"];
    for at in keys {
        put(storage, at, "v").await;
    }
    assert_eq!(list(storage, "").await, ["a", "a-b", "a/", "a0", "b/"]);
    assert_eq!(list(storage, "a/").await, ["b", "b/", "é", "日本"]);
    assert_eq!(list(storage, "a/b/").await, ["c/", "e"]);
    assert_eq!(list(storage, "a/é/").await, [""; 0]);
    assert_eq!(list(storage, "none/").await, [""; 0]);
    forget(storage, &keys).await;
}

async fn pages_follow_each_other(storage: &dyn Storage) {
    let keys = ["p/a", "p/b", "p/b/x", "p/b/y", "p/c/z", "p/d"];
    for at in keys {
        put(storage, at, "v").await;
    }
    assert_eq!(page(storage, "p/", "", 2).await, ["a", "b"]);
    assert_eq!(page(storage, "p/", "b", 2).await, ["b/", "c/"]);
    assert_eq!(page(storage, "p/", "c/", 2).await, ["d"]);
    assert_eq!(page(storage, "p/", "bb", 9).await, ["c/", "d"]);
    assert_eq!(page(storage, "p/", "d", 2).await, [""; 0]);
    assert_eq!(page(storage, "p/", "", 0).await, [""; 0]);
    forget(storage, &keys).await;
}

async fn a_commit_is_applied_in_its_order(storage: &dyn Storage) {
    let writes = vec![
        Write::Put(key("a"), "1".into()),
        Write::Put(key("b"), "1".into()),
        Write::Delete(key("a")),
        Write::Put(key("b"), "2".into()),
    ];
    storage.commit(writes).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(get(storage, "a").await, None);
    assert_eq!(get(storage, "b").await.as_deref(), Some(b"2".as_slice()));
    storage.commit(Vec::new()).await.unwrap_or_else(|error| panic!("{error}"));
    forget(storage, &["b"]).await;
}

async fn keeps_odd_keys_and_values(storage: &dyn Storage) {
    let keys = ["odd/%_'\"\\", "odd//x", "odd/\u{1}", "odd/\u{10ffff}", "odd/ "];
    for at in keys {
        put(storage, at, at).await;
    }
    for at in keys {
        assert_eq!(get(storage, at).await.as_deref(), Some(at.as_bytes()), "{at:?}");
    }
    assert_eq!(list(storage, "odd/").await, ["\u{1}", " ", "%_'\"\\", "/", "\u{10ffff}"]);
    put(storage, "empty", "").await;
    assert_eq!(get(storage, "empty").await.as_deref(), Some(b"".as_slice()));
    let large = Bytes::from(vec![7; 3 << 20]);
    storage.put(key("large"), large.clone()).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(get(storage, "large").await, Some(large));
    forget(storage, &[&keys[..], &["empty", "large"]].concat()).await;
}

async fn concurrent_writers_lose_nothing(storage: &Arc<dyn Storage>) {
    let keys: Vec<_> = (0..64).map(|i| format!("many/{i:02}")).collect();
    let tasks: Vec<_> = keys
        .iter()
        .map(|at| {
            let (storage, at) = (storage.clone(), at.clone());
            tokio::spawn(async move {
                put(&*storage, &at, &at).await;
                assert_eq!(get(&*storage, &at).await.as_deref(), Some(at.as_bytes()));
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(list(&**storage, "many/").await.len(), keys.len());
    forget(&**storage, &keys.iter().map(String::as_str).collect::<Vec<_>>()).await;
}
