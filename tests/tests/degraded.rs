//! Nothing about a plugin stops unseal; what is broken is said, keeps its data, and can be mended.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Plugin, Registration, Server, eventually, go_plugin};

/// A stopped server with a secret in the built-in engine at `good` and one in the Go plugin at `bad`.
async fn stopped_server() -> Server {
    let mut server = Server::start().await;
    server.mount("bad", &go_plugin("kv")).await;
    let api = server.api();
    api.enable_kv("good", 2).await;
    api.put_secret("good", "a", json!({"v": "good"})).await;
    api.post("bad/a", json!({"v": "bad"})).await.ok();
    server.stop().await;
    server
}

/// Unseals at once, serves the good mount, and says what is wrong with the other one.
async fn is_degraded(server: &mut Server, cause: &str) {
    server.start_again_sealed().await;
    let asked = Instant::now();
    server.unseal().await;
    assert!(asked.elapsed() < Duration::from_secs(2), "unseal took {:?}", asked.elapsed());
    let api = server.api();
    assert_eq!(api.secret("good", "a").await, json!({"v": "good"}));

    let listed = async || reason(server).await.contains(cause);
    eventually(Duration::from_secs(10), "the listing says why, before anybody asked for it", listed).await;

    let refusal = api.get("bad/a").await;
    assert!(refusal.status >= 500, "{refusal}");
    assert!(refusal.errors().contains(cause), "{cause:?} in {refusal}");
    assert!(reason(server).await.contains(cause), "{cause:?} in the listing");
}

/// Why the listing of mounts calls the bad one degraded.
async fn reason(server: &Server) -> String {
    let mounts = server.api().get("sys/mounts").await.data();
    let bad = &mounts["bad/"];
    assert_eq!(bad["type"], json!("bad"), "it is listed: {mounts}");
    bad["degraded"].as_str().unwrap_or_default().into()
}

async fn serves_again(server: &Server) {
    let api = server.api();
    eventually(Duration::from_secs(20), "the plugin serves again", async || api.get("bad/a").await.is_ok())
        .await;
    assert_eq!(api.get("bad/a").await.data(), json!({"v": "bad"}), "its data was kept");
    assert_eq!(reason(server).await, "");
}

fn installed(server: &Server) -> std::path::PathBuf {
    server.plugin_directory().join(go_plugin("kv").command())
}

async fn story(cause: &str, damage: impl Fn(&Path), mend: impl Fn(&Path)) {
    let mut server = stopped_server().await;
    let file = installed(&server);
    damage(&file);
    is_degraded(&mut server, cause).await;
    mend(&file);
    server.install(&go_plugin("kv"));
    serves_again(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_a_deleted_file() {
    story("no such file", |file| fs::remove_file(file).unwrap(), |_| ()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_a_changed_file() {
    let change = |file: &Path| fs::write(file, "something else").unwrap();
    story(&go_plugin("kv").sha256, change, |_| ()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_a_folder_in_its_place() {
    let replace = |file: &Path| {
        fs::remove_file(file).unwrap();
        fs::create_dir(file).unwrap();
    };
    story("not a file", replace, |folder| fs::remove_dir(folder).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_a_missing_catalog_entry() {
    let mut server = stopped_server().await;
    server.start_again().await;
    server.api().delete("sys/plugins/catalog/secret/bad").await.ok();
    server.stop().await;
    is_degraded(&mut server, "catalog").await;
    server.register("bad", &go_plugin("kv")).await;
    serves_again(&server).await;
}

/// The keys of everything that is stored by a stopped server.
fn keys(server: &Server) -> BTreeSet<String> {
    server.sql("SELECT key FROM entry").lines().map(String::from).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_a_damaged_catalog_entry() {
    let mut server = stopped_server().await;
    let before = keys(&server);
    server.start_again().await;
    // Under this name there was none, so that what is new in the storage is the entry.
    server.register("worse", &go_plugin("kv")).await;
    server.stop().await;
    let entry: Vec<String> = keys(&server).difference(&before).cloned().collect();
    assert_eq!(entry.len(), 1, "registering writes one record: {entry:?}");
    let of_bad = entry[0].replace("worse", "bad");
    assert!(before.contains(&of_bad), "{of_bad} is not in {before:?}");
    server.sql(&format!("UPDATE entry SET value = x'00112233' WHERE key = '{of_bad}'"));

    is_degraded(&mut server, "damaged").await;
    server.register("bad", &go_plugin("kv")).await;
    serves_again(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c2_a_degraded_mount_can_be_pointed_at_another_version() {
    let mut server = stopped_server().await;
    fs::remove_file(installed(&server)).unwrap();
    is_degraded(&mut server, "no such file").await;

    let folder = TempDir::new().unwrap();
    let copy = folder.path().join("another");
    fs::copy(go_plugin("kv").path, &copy).unwrap();
    let other = Registration { version: "v2.0.0", ..Registration::default() };
    server.register_as("bad", &Plugin::at(copy), other).await;
    let tune = json!({"plugin_version": "v2.0.0", "description": "mended"});
    server.api().post("sys/mounts/bad/tune", tune).await.ok();
    serves_again(&server).await;
    let mount: Value = server.api().get("sys/mounts/bad").await.data();
    assert_eq!(mount["running_plugin_version"], json!("v2.0.0"), "{mount}");
}

#[tokio::test(flavor = "multi_thread")]
async fn c2_a_degraded_mount_can_be_disabled() {
    let mut server = stopped_server().await;
    fs::remove_file(installed(&server)).unwrap();
    is_degraded(&mut server, "no such file").await;
    server.disable("bad").await;
    let mounts = server.api().get("sys/mounts").await.data();
    assert_eq!(mounts.get("bad/"), None);

    // Its data went with it.
    server.mount("bad", &go_plugin("kv")).await;
    assert_eq!(server.api().get("bad/a").await.status, 404);
}
