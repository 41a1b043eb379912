//! Everything is kept in a PostgreSQL database, which may go away at any time.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use testkit::{Api, Options, PostgreSql, Server, eventually, go_plugin, mortise};
use tokio::task::JoinSet;

const WRITERS: usize = 4;
const RESTARTS: usize = 2;
const PATIENCE: Duration = Duration::from_secs(90);

/// What the clients saw together.
#[derive(Default)]
struct Seen {
    writes: AtomicUsize,
    stop: AtomicBool,
}

/// Writes new keys until it is told to stop, and returns those that were acknowledged, with their values.
async fn write(api: Api, seen: Arc<Seen>, writer: usize) -> BTreeMap<String, usize> {
    let mut acknowledged = BTreeMap::new();
    for n in 0.. {
        if seen.stop.load(Ordering::Relaxed) {
            break;
        }
        let path = format!("my-kv/{writer}/{n}");
        let answer = api.post(&path, json!({"n": n})).await;
        if answer.is_ok() {
            acknowledged.insert(path, n);
            seen.writes.fetch_add(1, Ordering::Relaxed);
        } else {
            assert!(answer.status >= 500, "{answer}");
        }
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_killed_and_started_again_under_load_and_no_acknowledged_write_is_lost() {
    let mut database = PostgreSql::start().await;
    let server = Server::start_with(Options::on(&database)).await;
    server.mount("my-kv", &go_plugin("kv")).await;
    let seen = Arc::new(Seen::default());
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(server.api(), seen.clone(), writer));
    }
    for _ in 0..RESTARTS {
        let before = seen.writes.load(Ordering::Relaxed) + WRITERS * 5;
        let busy = async || seen.writes.load(Ordering::Relaxed) > before;
        eventually(PATIENCE, "the clients are served", busy).await;
        database.kill9().await;
        database.start_again().await;
    }
    let before = seen.writes.load(Ordering::Relaxed) + WRITERS * 5;
    let again = async || seen.writes.load(Ordering::Relaxed) > before;
    eventually(PATIENCE, "the clients are served again, by itself", again).await;
    seen.stop.store(true, Ordering::Relaxed);
    for (path, n) in writers.join_all().await.into_iter().flatten() {
        assert_eq!(server.api().get(&path).await.data(), json!({"n": n}), "{path} was acknowledged");
    }
    assert!(server.log().contains("the database answers again"), "{}", server.log());
    assert!(!server.log().contains(PostgreSql::PASSWORD));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_down_requests_are_refused_in_a_sentence() {
    let mut database = PostgreSql::start().await;
    let server = Server::start_with(Options::on(&database)).await;
    let api = server.api();
    api.enable_kv("kv", 1).await;
    api.post("kv/kept", json!({"v": "1"})).await.ok();
    database.kill9().await;
    let refused = api.post("kv/more", json!({"v": "1"})).await;
    let said = refused.refused(503);
    assert!(said.contains("storage cannot be reached"), "{said}");
    assert_eq!(api.get("kv/kept").await.data(), json!({"v": "1"}), "what is in memory is answered still");
    database.start_again().await;
    let back = async || api.post("kv/more", json!({"v": "2"})).await.is_ok();
    eventually(PATIENCE, "it is used again, by itself", back).await;
    assert_eq!(api.get("kv/more").await.data(), json!({"v": "2"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_the_same_after_a_restart_of_the_server() {
    let database = PostgreSql::start().await;
    let mut server = Server::start_with(Options::on(&database)).await;
    server.register("kv", &go_plugin("kv")).await;
    let api = server.api();
    api.enable_kv("one", 1).await;
    api.enable_kv("two", 2).await;
    api.put("one/app/db", json!({"v": "first"})).await.ok();
    api.put_secret("two", "b", json!({"v": "second"})).await;
    let policy = "path \"one/*\" { capabilities = [\"read\", \"list\"] }";
    api.put("sys/policies/acl/reader", json!({ "policy": policy })).await.ok();
    let made = api.post("auth/token/create", json!({"policies": ["reader"]})).await.ok();
    let token = made["auth"]["client_token"].as_str().unwrap().to_owned();
    assert_eq!(api.get("sys/seal-status").await.ok()["storage_type"], json!("postgresql"));

    assert!(server.stop().await.success());
    server.start_again().await;

    assert_eq!(server.api().secret("two", "b").await, json!({"v": "second"}));
    let reader = server.anonymous().with_token(&token);
    assert_eq!(reader.get("one/app/db").await.data(), json!({"v": "first"}));
    assert_eq!(reader.list("one").await.data()["keys"], json!(["app/"]));
    reader.get("two/data/b").await.refused(403);
}

#[test]
fn a_server_that_cannot_reach_it_says_so_and_ends() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("server.hcl");
    let config = "storage \"postgresql\" {\n  connection_url = \"postgres://u:hunter2@127.0.0.1:1/d\"\n  \
        max_connect_retries = 0\n}\nlistener \"tcp\" {\n  address = \"127.0.0.1:0\"\n  tls_disable = true\n}\n\
        disable_mlock = true\n";
    fs::write(&file, config).unwrap();
    let ended = mortise().arg("server").arg(format!("-config={}", file.display())).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("storage cannot be reached") && said.contains("refused"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}
