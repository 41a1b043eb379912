//! The mount table: where engines are, how they move, and what goes with them.

use std::time::Duration;

use serde_json::json;
use testkit::{Registration, Server, eventually, go_plugin};

#[tokio::test(flavor = "multi_thread")]
async fn mounts_never_overlap() {
    let server = Server::start().await;
    let api = server.api();
    api.enable_kv("team/app", 1).await;
    for taken in ["team/app", "team", "team/app/inner"] {
        let refusal = api.post(&format!("sys/mounts/{taken}"), json!({"type": "kv"})).await.refused(400);
        assert!(refusal.contains("team/app/"), "{taken}: {refusal}");
    }
    api.enable_kv("team/application", 1).await;
    for reserved in ["sys", "sys/x", "auth/x", "cubbyhole", "identity/x"] {
        let refusal = api.post(&format!("sys/mounts/{reserved}"), json!({"type": "kv"})).await;
        assert_eq!(refusal.status, 400, "{refusal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mount_moves_with_its_data_and_its_accessor() {
    let server = Server::start().await;
    server.mount("my-kv", &go_plugin("kv")).await;
    let api = server.api();
    api.post("my-kv/a", json!({"v": "1"})).await.ok();
    let accessor = api.get("sys/mounts/my-kv").await.data()["accessor"].take();

    let moved = api.post("sys/remount", json!({"from": "my-kv", "to": "new/place"})).await.data();
    let migration = moved["migration_id"].as_str().unwrap();
    eventually(Duration::from_secs(10), "the move succeeds", async || {
        let status = api.get(&format!("sys/remount/status/{migration}")).await.data();
        status["migration_info"]["status"] == "success"
    })
    .await;
    assert_eq!(api.get("new/place/a").await.data(), json!({"v": "1"}));
    assert_eq!(api.get("my-kv/a").await.status, 404);
    assert_eq!(api.get("sys/mounts/new/place").await.data()["accessor"], accessor);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_disabled_is_gone_with_its_data() {
    let server = Server::start().await;
    server.register("my-kv", &go_plugin("kv")).await;
    let api = server.api();
    for kind in ["kv", "my-kv"] {
        server.enable("short", kind).await;
        api.post("short/a", json!({"v": "1"})).await.ok();
        server.disable("short").await;
        assert_eq!(api.get("short/a").await.status, 404);
        server.enable("short", kind).await;
        assert_eq!(api.get("short/a").await.refused(404), "", "nothing is found where it was");
        server.disable("short").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mounts_do_not_see_each_other_through_a_shared_process() {
    let server = Server::start().await;
    server.register("my-kv", &go_plugin("kv")).await;
    for path in ["one", "two"] {
        server.enable(path, "my-kv").await;
    }
    let api = server.api();
    api.post("one/a", json!({"v": "of one"})).await.ok();
    assert_eq!(api.get("two/a").await.status, 404);
    assert_eq!(api.list("two").await.status, 404);
    server.disable("two").await;
    assert_eq!(api.get("one/a").await.data(), json!({"v": "of one"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn tuning_is_kept_over_a_restart() {
    let mut server = Server::start().await;
    server.api().enable_kv("kv", 2).await;
    let tune = json!({"description": "tuned", "default_lease_ttl": "30m", "max_lease_ttl": "2h"});
    server.api().post("sys/mounts/kv/tune", tune).await.ok();
    server.restart().await;
    let tuned = server.api().get("sys/mounts/kv/tune").await.data();
    assert_eq!(
        (&tuned["description"], &tuned["default_lease_ttl"], &tuned["max_lease_ttl"]),
        (&json!("tuned"), &json!(1800), &json!(7200)),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_mounts_of_one_plugin_share_its_process() {
    let server = Server::start().await;
    server.register("my-kv", &go_plugin("kv")).await;
    let api = server.api();
    for n in 0..100 {
        server.enable(&format!("m/{n}"), "my-kv").await;
        api.post(&format!("m/{n}/a"), json!({"n": n})).await.ok();
    }
    server.only_plugin();
    server.only_plugin().kill();
    for n in 0..100 {
        assert_eq!(api.get(&format!("m/{n}/a")).await.data(), json!({"n": n}));
    }
    server.only_plugin();
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_change_the_table_side_by_side() {
    let server = Server::start().await;
    let before = server.api().get("sys/mounts").await.data();
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..8 {
        let api = server.api();
        clients.spawn(async move {
            let path = format!("client-{client}");
            for _ in 0..10 {
                api.post(&format!("sys/mounts/{path}"), json!({"type": "kv"})).await.ok();
                api.post(&format!("{path}/a"), json!({"v": "1"})).await.ok();
                api.delete(&format!("sys/mounts/{path}")).await.ok();
                assert_eq!(api.get(&format!("{path}/a")).await.status, 404);
            }
        });
    }
    clients.join_all().await;
    assert_eq!(server.api().get("sys/mounts").await.data(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auth_method_is_no_secrets_engine() {
    let server = Server::start().await;
    server.register("jwt-as-secret", &go_plugin("jwt")).await;
    let refusal = server.api().post("sys/mounts/x", json!({"type": "jwt-as-secret"})).await;
    assert_eq!(refusal.status, 400, "{refusal}");
    assert!(refusal.errors().contains("jwt-as-secret"), "{refusal}");
    assert_eq!(server.plugins(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_does_not_share_its_process_serves_after_each_tuning() {
    let server = Server::start().await;
    let single = Registration { args: &["single"], version: "v1.0.0", ..Registration::default() };
    server.register_as("single", &go_plugin("fixture"), single).await;
    server.enable("s", "single").await;
    let api = server.api();
    api.post("s/store/a", json!({"value": "1"})).await.ok();
    let changes = [
        json!({"description": "tuned"}),
        json!({"default_lease_ttl": "1h"}),
        json!({"plugin_version": "v1.0.0"}),
        json!({"options": {"mode": "other"}}),
    ];
    for change in changes {
        api.post("sys/mounts/s/tune", change.clone()).await.ok();
        // Again, because what the change replaced may end a moment later.
        for _ in 0..20 {
            let read = api.get("s/store/a").await;
            assert_eq!(read.body["data"], json!({"value": "1"}), "after {change}: {read}");
        }
    }
    eventually(Duration::from_secs(5), "one process is left", async || server.plugins().len() == 1).await;
}
