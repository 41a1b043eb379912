//! The server is killed while its mount table changes; it starts with a table that is whole.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use serde_json::json;
use testkit::{Api, Server, eventually, go_plugin, soak};
use tokio::task::JoinSet;
use tokio::time::sleep;

const CLIENTS: usize = 4;

/// Enables, moves and disables mounts below `client` until the server is gone.
async fn change_mounts(api: Api, client: usize) {
    let kind = if client.is_multiple_of(2) { "kv" } else { "my-kv" };
    for n in 0.. {
        let (old, new) = (format!("c{client}/old-{n}"), format!("c{client}/new-{n}"));
        let steps = [
            ("POST", format!("sys/mounts/{old}"), Some(json!({"type": kind}))),
            ("POST", format!("{old}/a"), Some(json!({"v": "1"}))),
            ("POST", "sys/remount".into(), Some(json!({"from": old, "to": new}))),
            ("DELETE", format!("sys/mounts/{new}"), None),
        ];
        for (method, path, body) in steps {
            if api.try_send(method, &path, body).await.is_err() {
                return;
            }
        }
    }
}

async fn change_until_killed(server: &mut Server, life: usize) {
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(change_mounts(server.api(), client));
    }
    sleep(Duration::from_micros(20_000 + RandomState::new().hash_one(life) % 480_000)).await;
    server.kill9().await;
    clients.join_all().await;
}

/// The mounts of the clients.
async fn theirs(api: &Api) -> Vec<String> {
    let mounts = api.get("sys/mounts").await.data();
    let paths = mounts.as_object().unwrap().keys().filter(|path| path.starts_with("c") && path.contains("/"));
    paths.filter(|path| *path != "cubbyhole/").map(|path| path.trim_end_matches('/').into()).collect()
}

/// Every mount that is listed serves, keeps what is written, and can be disabled; none is left in between.
async fn the_table_is_whole(server: &Server) {
    let api = server.api();
    eventually(
        Duration::from_secs(10),
        "each listed mount serves, and what was cut off is finished",
        async || {
            for path in theirs(&api).await {
                if !api.post(&format!("{path}/b"), json!({"v": "2"})).await.is_ok() {
                    return false;
                }
            }
            true
        },
    )
    .await;
    for path in theirs(&api).await {
        assert_eq!(api.get(&format!("{path}/b")).await.data(), json!({"v": "2"}));
        server.disable(&path).await;
    }
    for client in 0..CLIENTS {
        nothing_is_in_the_way(&api, &format!("c{client}")).await;
    }
}

/// What was cut off while it was enabled is not listed, and is removed soon.
async fn nothing_is_in_the_way(api: &Api, path: &str) {
    let mount = format!("sys/mounts/{path}");
    eventually(Duration::from_secs(10), &format!("{path} can be enabled"), async || {
        api.post(&mount, json!({"type": "kv"})).await.is_ok()
    })
    .await;
    api.delete(&mount).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn c11_a_server_killed_while_mounts_change_starts_with_a_whole_table() {
    let mut server = Server::start().await;
    server.register("my-kv", &go_plugin("kv")).await;
    for life in 0..soak(6, 60) {
        change_until_killed(&mut server, life).await;
        server.start_again().await;
        the_table_is_whole(&server).await;
    }
}
