//! A plugin's file that is no longer the one that was registered does not run.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde_json::json;
use testkit::{Plugin, Server, eventually, go_plugin};

/// Changes one byte in the middle of a file.
fn change_one_byte(path: &Path) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let middle = file.metadata().unwrap().len() / 2;
    let mut byte = [0];
    file.read_exact_at(&mut byte, middle).unwrap();
    file.write_all_at(&[!byte[0]], middle).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_changed_byte_is_refused_at_the_next_start_and_named() {
    let server = Server::start().await;
    let kv = go_plugin("kv");
    server.mount("my-kv", &kv).await;
    let api = server.api();
    api.enable_kv("built-in", 2).await;
    api.post("my-kv/a", json!({"v": "1"})).await.ok();

    let installed = server.plugin_directory().join(kv.command());
    change_one_byte(&installed);
    let changed = Plugin::at(&installed);
    assert_eq!(api.get("my-kv/a").await.data(), json!({"v": "1"}), "the running process goes on");

    server.only_plugin().kill();
    let refusal = api.get("my-kv/a").await;
    assert!(refusal.status >= 500, "{refusal}");
    for named in ["my-kv", kv.sha256.as_str(), changed.sha256.as_str()] {
        assert!(refusal.errors().contains(named), "{named} in {refusal}");
    }
    assert_eq!(server.plugins(), []);
    assert_eq!(api.put_secret("built-in", "a", json!({"v": "2"})).await, 1);

    server.install(&kv);
    eventually(std::time::Duration::from_secs(20), "it serves again", async || {
        api.get("my-kv/a").await.is_ok()
    })
    .await;
    assert_eq!(api.get("my-kv/a").await.data(), json!({"v": "1"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_new_file_runs_once_it_is_registered() {
    let mut server = Server::start().await;
    server.mount("engine", &go_plugin("kv")).await;
    let api = server.api();
    api.post("engine/a", json!({"v": "1"})).await.ok();

    // The same engine in another file: bytes after the end of an ELF file change nothing but its checksum.
    let path = server.plugin_directory().join("newer");
    let mut bytes = fs::read(go_plugin("kv").path).unwrap();
    bytes.extend_from_slice(b"newer");
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let newer = Plugin::at(path);
    api.register(&newer, "engine", testkit::Registration::default()).await.ok();
    assert_eq!(api.get("engine/a").await.data(), json!({"v": "1"}), "the running process goes on");

    server.restart().await;
    assert_eq!(server.api().get("engine/a").await.data(), json!({"v": "1"}));
    let mount = server.api().get("sys/mounts/engine").await.data();
    assert_eq!(mount["running_sha256"], json!(newer.sha256), "{mount}");
}
