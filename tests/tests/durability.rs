//! The server is killed at random instants; what it acknowledged is there afterwards, and none of it in plain.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use testkit::{Api, Options, PostgreSql, Server, files_below, go_plugin, soak};
use tokio::task::JoinSet;
use tokio::time::sleep;

const WRITERS: usize = 4;

/// In every secret and in every key, so that it can be searched for.
const PLAIN: &str = "plain-as-day";

/// What was acknowledged: path to value.
type Acknowledged = BTreeMap<String, String>;

/// Writes new keys until the server is gone, and returns what it acknowledged.
async fn write(api: Api, mount: &'static str, writer: String) -> Acknowledged {
    let mut acknowledged = Acknowledged::new();
    for n in 0.. {
        let path = format!("{mount}/data/{PLAIN}-{writer}/{n}");
        let value = format!("{PLAIN} {writer} {n}");
        match api.try_send("POST", &path, Some(json!({"data": {"v": value}}))).await {
            Ok(answer) if answer.is_ok() => acknowledged.insert(path, value),
            Ok(answer) => panic!("a running server refused a write: {answer}"),
            Err(_) => break,
        };
    }
    acknowledged
}

/// Lets clients write until the server is killed, some time between 5 and 400 milliseconds later.
async fn write_until_killed(server: &mut Server, mount: &'static str, life: usize) -> Acknowledged {
    let mut writers = JoinSet::new();
    for n in 0..WRITERS {
        writers.spawn(write(server.api(), mount, format!("{life}-{n}")));
    }
    sleep(Duration::from_micros(5_000 + RandomState::new().hash_one(life) % 395_000)).await;
    server.kill9().await;
    writers.join_all().await.into_iter().flatten().collect()
}

/// The data is kept below `folder`.
async fn acknowledged_writes_survive(mut server: Server, mount: &'static str, folder: &Path) {
    let mut acknowledged = Acknowledged::new();
    let mut lives = 0;
    while acknowledged.len() < soak(200, 2_000) || lives < 3 {
        lives += 1;
        assert!(lives < 500, "only {} writes were acknowledged", acknowledged.len());
        acknowledged.extend(write_until_killed(&mut server, mount, lives).await);
        server.start_again().await;
        server.api().kv_serves(mount, 2).await;
    }
    println!("{mount}: {} writes acknowledged in {lives} lives", acknowledged.len());
    for (path, value) in &acknowledged {
        let kept = server.api().get(path).await;
        assert_eq!(kept.body["data"]["data"]["v"], json!(value), "{kept}");
    }
    nothing_is_in_plain(&server, folder);
}

/// Neither in what is stored nor in what is logged.
fn nothing_is_in_plain(server: &Server, folder: &Path) {
    let mut looked_at = 0;
    for path in files_below(folder).into_iter().filter(|path| path.is_file()) {
        // A database that runs may have done away with a file meanwhile.
        let Ok(bytes) = fs::read(&path) else { continue };
        looked_at += bytes.len();
        for secret in [PLAIN, &server.keys().root, &server.keys().shares[0]] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "a secret is in {}", path.display());
        }
    }
    assert!(looked_at > 50_000, "the data is in the data directory, not just {looked_at} bytes");
    let log = server.log();
    for secret in [PLAIN, &server.keys().root, &server.keys().shares[0]] {
        assert!(!log.contains(secret), "a secret is in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_through_the_built_in_kv_survive() {
    let server = Server::start().await;
    server.api().enable_kv("kv", 2).await;
    let folder = server.data_directory();
    acknowledged_writes_survive(server, "kv", &folder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_through_the_go_kv_survive() {
    let server = Server::start().await;
    server.mount("my-kv", &go_plugin("kv")).await;
    server.api().upgrade_kv("my-kv").await;
    let folder = server.data_directory();
    acknowledged_writes_survive(server, "my-kv", &folder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_to_postgresql_survive() {
    let database = PostgreSql::start().await;
    let server = Server::start_with(Options::on(&database)).await;
    server.mount("my-kv", &go_plugin("kv")).await;
    server.api().upgrade_kv("my-kv").await;
    acknowledged_writes_survive(server, "my-kv", &database.data_directory()).await;
}
