//! The programs of plugins on their way to where they run.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use testkit::{Form, Options, Plugin, Registration, Server, eventually, go_plugin};

/// As much is put behind a program: what is loaded of it is the same, but it takes its time on the way.
const PADDING: usize = 160 << 20;

/// The Go kv plugin as a file that is large.
fn large(folder: &Path) -> Plugin {
    let path = folder.join("large-kv");
    fs::copy(go_plugin("kv").path, &path).unwrap();
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    let mebibyte = vec![0; 1 << 20];
    for _ in 0..PADDING >> 20 {
        file.write_all(&mebibyte).unwrap();
    }
    drop(file);
    Plugin::at(path)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launcher_elsewhere_goes_on_with_a_transfer_when_the_catalog_was_killed_in_the_middle_of_it() {
    let own = tempfile::tempdir().unwrap();
    let cache = own.path().join("cache");
    let extra = format!("plugin_cache_directory = \"{}\"", cache.display());
    let mut server = Server::start_with(Options { form: Form::Apart, extra, ..Options::default() }).await;
    let plugin = large(own.path());
    server.install(&plugin);
    let (part, whole) = (cache.join(format!("{}.part", plugin.sha256)), cache.join(&plugin.sha256));
    let length = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());

    // To register is to ask the plugin who it is, for which it has to be where it runs.
    let registering = tokio::spawn({
        let (api, plugin) = (server.api(), plugin.clone());
        async move { api.register(&plugin, "large", Registration::default()).await.status }
    });
    while length(&part) < 1 << 20 {
        assert!(!registering.is_finished(), "the transfer was over before it was looked at");
        tokio::task::yield_now().await;
    }
    server.kill9_catalog().await;
    let cut = length(&part);
    assert!(cut >= 1 << 20 && !whole.exists(), "{cut} bytes have arrived");
    server.start_catalog_again().await;

    let mut arrived = cut;
    eventually(Duration::from_secs(30), "all has arrived", async || {
        let now = if whole.exists() { length(&whole) } else { length(&part) };
        assert!(now >= arrived || whole.exists(), "{now} bytes, after {arrived}");
        arrived = now;
        whole.exists()
    })
    .await;
    let _ = registering.await;
    assert_eq!(Plugin::at(&whole).sha256, plugin.sha256);
    let api = server.api();
    api.register(&plugin, "large", Registration::default()).await.ok();
    server.enable("large", "large").await;
    api.put("large/a", json!({"v": "1"})).await.ok();
    assert_eq!(api.get("large/a").await.data()["v"], "1");
    // What came in the place of it later is not what runs.
    server.disable("large").await;
    File::create(&whole).unwrap();
    server.enable("large", "large").await;
    assert_eq!(Plugin::at(&whole).sha256, plugin.sha256);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unpacked_release_is_registered_by_its_version_alone() {
    let server = Server::start().await;
    let (api, plugin) = (server.api(), go_plugin("kv"));
    let entry = "sys/plugins/catalog/secret/released";
    let refusal = api.put(entry, json!({"version": "v1.0.0"})).await.refused(400);
    let folder = refusal.trim().rsplit('/').next().unwrap().to_owned();
    assert!(
        refusal.contains("extracted artifact directory not found") && folder.starts_with("released_1.0.0_")
    );
    let folder = server.plugin_directory().join(folder);
    fs::create_dir(&folder).unwrap();
    fs::copy(&plugin.path, folder.join("released")).unwrap();
    api.put(entry, json!({"version": "v1.0.0"})).await.ok();
    let read = api.get(&format!("{entry}?version=v1.0.0")).await.data();
    assert_eq!(read["sha256"], json!(plugin.sha256));
    server.enable("released", "released").await;
    api.put("released/a", json!({"v": "1"})).await.ok();
    assert_eq!(api.get("released/a").await.data()["v"], "1");
}

/// The outcome of a registration by command line: what it printed, or the error.
fn register_by_upload(server: &Server, flags: &[&str]) -> Result<String, String> {
    let api = server.api();
    let run = testkit::mortise()
        .args(["plugin", "register"])
        .args(flags)
        .env("VAULT_ADDR", api.address())
        .env("VAULT_TOKEN", api.token())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if run.status.success() { Ok(text(&run.stdout)) } else { Err(text(&run.stderr)) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_uploaded_and_registered_from_elsewhere() {
    let extra = "plugin_upload = true".to_owned();
    let server = Server::start_with(Options { extra, ..Options::default() }).await;
    let (api, plugin) = (server.api(), go_plugin("kv"));
    let file = format!("-upload={}", plugin.path.display());
    // As if an earlier upload had been cut off.
    let upload = format!("sys/plugins/upload/{}", plugin.sha256);
    let head = "f0VMRg==";
    api.post(&upload, json!({"offset": 0, "data": head})).await.ok();
    assert_eq!(api.get(&upload).await.data()["received"], 4);
    assert!(
        api.post(&upload, json!({"offset": 9, "data": head}))
            .await
            .refused(400)
            .contains("4 bytes have arrived")
    );
    assert_eq!(fs::read_dir(server.plugin_directory()).unwrap().count(), 1);

    let said = register_by_upload(&server, &[&file, "-command=sent-kv", "secret", "sent"]).unwrap();
    assert_eq!(said, "Success! Registered plugin: sent\n");
    let placed: Vec<_> =
        fs::read_dir(server.plugin_directory()).unwrap().flatten().map(|file| file.file_name()).collect();
    assert_eq!(placed, ["sent-kv"], "nothing is left of the upload");
    server.enable("sent", "sent").await;
    api.put("sent/a", json!({"v": "1"})).await.ok();
    // Again is no mistake; another program under its name is.
    register_by_upload(&server, &[&file, "-command=sent-kv", "secret", "sent"]).unwrap();
    let other = format!("-upload={}", go_plugin("fixture").path.display());
    let refusal = register_by_upload(&server, &[&other, "-command=sent-kv", "secret", "other"]).unwrap_err();
    assert!(refusal.contains("another file called \"sent-kv\", which is not overwritten"), "{refusal}");
    assert_eq!(Plugin::at(server.plugin_directory().join("sent-kv")).sha256, plugin.sha256);
}

#[tokio::test(flavor = "multi_thread")]
async fn c8_nothing_is_uploaded_unless_it_is_configured_and_by_nobody_without_sudo() {
    let server = Server::start().await;
    let plugin = go_plugin("kv");
    let file = format!("-upload={}", plugin.path.display());
    let refusal = register_by_upload(&server, &[&file, "secret", "kv2"]).unwrap_err();
    assert!(refusal.contains("plugin_upload = true"), "{refusal}");
    let upload = format!("sys/plugins/upload/{}", plugin.sha256);
    for stranger in [server.anonymous(), server.anonymous().with_token("hvs.invalid")] {
        stranger.post(&upload, json!({"data": ""})).await.refused(403);
        stranger.get(&upload).await.refused(403);
        stranger.delete(&upload).await.refused(403);
    }
    assert_eq!(fs::read_dir(server.plugin_directory()).unwrap().count(), 0);
}
