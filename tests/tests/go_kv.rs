//! The unmodified Go kv plugin: one process, two mounts, both versions, and the same data after a restart.

use serde_json::json;
use testkit::{Server, go_plugin};

async fn server_with_go_kv() -> Server {
    let server = Server::start().await;
    // Registered under the name of the built-in engine, an external one wins.
    server.register("kv", &go_plugin("kv")).await;
    server.api().enable_kv("one", 1).await;
    server.api().enable_kv("two", 2).await;
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_runs_nothing_and_mounting_twice_runs_one_process() {
    let server = Server::start().await;
    let kv = go_plugin("kv");
    server.register("kv", &kv).await;
    assert_eq!(server.plugins(), []);

    server.api().enable_kv("one", 1).await;
    let process = server.only_plugin();
    server.api().enable_kv("two", 2).await;
    assert_eq!(server.only_plugin(), process);

    let mounts = server.api().get("sys/mounts").await.data();
    for path in ["one/", "two/"] {
        assert_eq!(mounts[path]["running_sha256"], json!(kv.sha256), "{mounts}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn version_1_writes_reads_lists_and_deletes() {
    let server = server_with_go_kv().await;
    let api = server.api();
    let secret = json!({"user": "u", "n": 3, "nested": {"x": [1, null]}});
    api.put("one/app/db", secret.clone()).await.ok();
    assert_eq!(api.get("one/app/db").await.data(), secret);
    assert_eq!(api.list("one/app").await.data()["keys"], json!(["db"]));
    assert_eq!(api.list("one").await.data()["keys"], json!(["app/"]));
    assert_eq!(api.delete("one/app/db").await.status, 204);
    assert_eq!(api.get("one/app/db").await.refused(404), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn version_2_writes_patches_deletes_and_undeletes() {
    let server = server_with_go_kv().await;
    let api = server.api();
    assert_eq!(api.put_secret("two", "app/db", json!({"user": "u", "pw": "1"})).await, 1);
    let change = json!({"data": {"pw": "2", "user": null}});
    assert_eq!(api.patch("two/data/app/db", change).await.data()["version"], json!(2));
    assert_eq!(api.secret("two", "app/db").await, json!({"pw": "2"}));

    api.delete("two/data/app/db").await.ok();
    let gone = api.get("two/data/app/db").await;
    assert_eq!((gone.status, &gone.body["data"]["data"]), (404, &json!(null)), "{gone}");
    api.post("two/undelete/app/db", json!({"versions": [2]})).await.ok();
    assert_eq!(api.secret("two", "app/db").await, json!({"pw": "2"}));
    assert_eq!(api.list("two/metadata/app").await.data()["keys"], json!(["db"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_is_the_same_after_a_restart_of_the_server() {
    let mut server = server_with_go_kv().await;
    server.api().put("one/a", json!({"v": "first"})).await.ok();
    server.api().put_secret("two", "b", json!({"v": "second"})).await;

    assert!(server.stop().await.success());
    server.start_again().await;

    let api = server.api();
    assert_eq!(api.get("one/a").await.data(), json!({"v": "first"}));
    assert_eq!(api.secret("two", "b").await, json!({"v": "second"}));
    server.only_plugin();
}

#[tokio::test(flavor = "multi_thread")]
async fn under_another_name_it_becomes_version_2_by_tuning() {
    let server = Server::start().await;
    server.mount("my-kv", &go_plugin("kv")).await;
    let api = server.api();
    api.put("my-kv/kept", json!({"v": "1"})).await.ok();
    api.upgrade_kv("my-kv").await;
    assert_eq!(api.secret("my-kv", "kept").await, json!({"v": "1"}));
    assert_eq!(api.put_secret("my-kv", "kept", json!({"v": "2"})).await, 2);
}
