//! A plugin's process is killed again and again while clients read and write through it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use testkit::{Answer, Api, Server, eventually, go_plugin};
use tokio::task::JoinSet;

const READERS: usize = 4;
const WRITERS: usize = 4;

/// In quick succession: after more, the server would take the plugin for one that crashes by itself, and pause.
const KILLS: usize = 5;

/// What the clients saw together.
#[derive(Default)]
struct Seen {
    reads: AtomicUsize,
    writes: AtomicUsize,
    failed_writes: AtomicUsize,
    stop: AtomicBool,
}

/// Reads until it is told to stop. A read that died in the plugin is repeated by the server, so none may fail.
async fn read(api: Api, seen: Arc<Seen>) {
    while !seen.stop.load(Ordering::Relaxed) {
        assert_eq!(api.get("my-kv/shared").await.data(), json!({"v": "shared"}));
        seen.reads.fetch_add(1, Ordering::Relaxed);
    }
}

/// Writes until it is told to stop, and returns what was acknowledged last.
async fn write(api: Api, seen: Arc<Seen>, path: String) -> (String, usize) {
    let mut acknowledged = 0;
    for n in 1.. {
        if seen.stop.load(Ordering::Relaxed) {
            break;
        }
        let answer = api.post(&path, json!({"n": n})).await;
        if answer.is_ok() {
            acknowledged = n;
            seen.writes.fetch_add(1, Ordering::Relaxed);
        } else {
            says_what_happened(&answer);
            seen.failed_writes.fetch_add(1, Ordering::Relaxed);
        }
    }
    (path, acknowledged)
}

fn says_what_happened(answer: &Answer) {
    assert!(answer.status >= 500, "{answer}");
    assert!(answer.errors().contains("my-kv"), "the plugin is named: {answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_writes_that_were_inside_it_are_lost() {
    let server = Server::start().await;
    server.mount("my-kv", &go_plugin("kv")).await;
    let api = server.api();
    api.post("my-kv/shared", json!({"v": "shared"})).await.ok();

    let seen = Arc::new(Seen::default());
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        readers.spawn(read(api.clone(), seen.clone()));
    }
    let mut writers = JoinSet::new();
    for n in 0..WRITERS {
        writers.spawn(write(api.clone(), seen.clone(), format!("my-kv/writer-{n}")));
    }

    for _ in 0..KILLS {
        let before = seen.writes.load(Ordering::Relaxed) + WRITERS * 5;
        let busy = async || seen.writes.load(Ordering::Relaxed) > before;
        eventually(Duration::from_secs(30), "the clients are served", busy).await;
        server.only_plugin().kill();
        assert_eq!(api.get("my-kv/shared").await.data(), json!({"v": "shared"}), "right after the kill");
    }
    seen.stop.store(true, Ordering::Relaxed);

    readers.join_all().await;
    let lost = seen.failed_writes.load(Ordering::Relaxed);
    assert!(lost <= WRITERS * KILLS, "{lost} writes failed in {KILLS} kills of {WRITERS} writers");
    for (path, acknowledged) in writers.join_all().await {
        let kept = api.get(&path).await.data()["n"].as_u64().unwrap();
        // The last write may have failed for its client and yet have been stored.
        assert!(kept >= acknowledged as u64, "{path}: {kept} is kept, {acknowledged} was acknowledged");
    }
    assert_eq!(testkit::process::zombies(server.pid()), [0; 0]);
}
