//! The plugin catalog: what it lists, and everything that it refuses.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::{Value, json};
use testkit::{Options, Plugin, Registration, Server, go_plugin};

const ENTRY: &str = "sys/plugins/catalog/secret/engine";

/// A server with the Go kv plugin in its plugin directory, registered nowhere.
async fn server() -> (Server, Plugin) {
    let server = Server::start().await;
    let plugin = Plugin::at(server.install(&go_plugin("kv")));
    (server, plugin)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_registered_read_listed_and_deleted() {
    let (server, plugin) = server().await;
    let api = server.api();
    let entry =
        Registration { args: &["--flag"], env: &["A=B"], version: "v1.2.3", ..Registration::default() };
    api.register(&plugin, "engine", entry).await.ok();

    assert_eq!(api.get(ENTRY).await.status, 404, "only a version is registered");
    let read = api.get(&format!("{ENTRY}?version=v1.2.3")).await.data();
    let expected = json!({"name": "engine", "version": "v1.2.3", "builtin": false, "args": ["--flag"],
        "command": plugin.command(), "sha256": plugin.sha256});
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&read[key], value, "{key} in {read}");
    }
    assert_eq!(read.get("env"), None, "the environment may hold secrets");

    let listed = api.get("sys/plugins/catalog").await.data();
    let detailed = listed["detailed"].as_array().unwrap();
    assert!(
        detailed.iter().any(|entry| entry["name"] == "engine" && entry["version"] == "v1.2.3"),
        "{listed}"
    );
    assert!(listed["secret"].as_array().unwrap().contains(&json!("kv")), "the built-in is listed: {listed}");

    api.delete(&format!("{ENTRY}?version=v1.2.3")).await.ok();
    assert_eq!(api.get(&format!("{ENTRY}?version=v1.2.3")).await.status, 404);
    assert_eq!(
        api.delete(&format!("{ENTRY}?version=v1.2.3")).await.status,
        204,
        "deleting twice is no mistake"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_survive_a_restart() {
    let (mut server, plugin) = server().await;
    server.api().register(&plugin, "engine", Registration::default()).await.ok();
    server.restart().await;
    assert_eq!(server.api().get(ENTRY).await.data()["sha256"], json!(plugin.sha256));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_registration_is_refused_in_its_own_words() {
    let (server, plugin) = server().await;
    let directory = server.plugin_directory();
    fs::create_dir(directory.join("folder")).unwrap();
    fs::write(directory.join("plain"), "text").unwrap();
    symlink("/bin/ls", directory.join("link-out")).unwrap();
    let plain = Plugin::at(directory.join("plain")).sha256;
    let (command, sha256) = (plugin.command(), plugin.sha256.as_str());
    let other = "0".repeat(64);

    let cases: Vec<(Value, &str)> = vec![
        (json!({"command": command}), "sha256"),
        (json!({"sha256": sha256}), "command"),
        (json!({"command": command, "sha256": "zzzz"}), "SHA256"),
        (json!({"command": command, "sha256": "abcd"}), "64"),
        (json!({"command": command, "sha256": other}), sha256),
        (json!({"command": "missing", "sha256": sha256}), "missing"),
        (json!({"command": "folder", "sha256": sha256}), "not a file"),
        (json!({"command": "plain", "sha256": plain}), "executable"),
        (json!({"command": "../escape", "sha256": sha256}), "parent"),
        (json!({"command": "/bin/ls", "sha256": sha256}), "absolute path"),
        (json!({"command": "link-out", "sha256": sha256}), "outside of configured plugin directory"),
        (json!({"command": command, "sha256": sha256, "version": "one"}), "semantic version"),
        (json!({"command": command, "sha256": sha256, "version": "v1.0.0+builtin"}), "builtin"),
        (json!({"command": format!("{command} -a"), "args": ["-b"], "sha256": sha256}), "args"),
    ];
    for (body, word) in cases {
        let refusal = server.api().put(ENTRY, body.clone()).await;
        assert_eq!(refusal.status, 400, "{body}: {refusal}");
        assert!(refusal.errors().contains(word), "{word:?} for {body} in {refusal}");
        assert_eq!(server.api().get(ENTRY).await.status, 404, "nothing is stored for {body}");
    }
    let unknown =
        server.api().register(&plugin, "x", Registration { kind: "potato", ..Default::default() }).await;
    assert!((400..500).contains(&unknown.status), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_root_token_nothing_is_registered() {
    let (server, plugin) = server().await;
    for client in [server.anonymous(), server.anonymous().with_token("hvs.invalid")] {
        let refusal = client.register(&plugin, "engine", Registration::default()).await.refused(403);
        assert!(refusal.contains("permission denied"), "{refusal}");
    }
    assert_eq!(server.api().get(ENTRY).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_plugin_directory_nothing_is_registered() {
    let server = Server::start_with(Options { plugin_directory: false, ..Options::default() }).await;
    let answer = server.api().register(&go_plugin("kv"), "engine", Registration::default()).await;
    let refusal = answer.refused(400);
    assert!(refusal.contains("plugin directory is not configured"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_directory_that_is_not_a_folder_is_refused_in_its_own_words() {
    let (server, plugin) = server().await;
    let directory = server.plugin_directory();
    let aside = directory.with_extension("aside");
    fs::rename(&directory, &aside).unwrap();
    let refused = async |word: &str| {
        let refusal = server.api().register(&plugin, "engine", Registration::default()).await;
        assert_eq!(refusal.status, 400, "{refusal}");
        assert!(refusal.errors().contains(word), "{word:?} in {refusal}");
    };

    refused("does not exist").await;
    fs::write(&directory, "a file").unwrap();
    refused("not a directory").await;
    fs::remove_file(&directory).unwrap();
    symlink(&aside, &directory).unwrap();
    refused("outside of configured plugin directory").await;

    fs::remove_file(&directory).unwrap();
    fs::rename(&aside, &directory).unwrap();
    server.api().register(&plugin, "engine", Registration::default()).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_lost_its_right_to_run_is_named_at_the_mount() {
    let (server, plugin) = server().await;
    server.api().register(&plugin, "engine", Registration::default()).await.ok();
    fs::set_permissions(&plugin.path, PermissionsExt::from_mode(0o644)).unwrap();
    let refusal = server.api().post("sys/mounts/engine", json!({"type": "engine"})).await;
    assert!(!refusal.is_ok() && refusal.errors().contains("executable"), "{refusal}");
}
