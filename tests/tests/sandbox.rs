//! Sandboxes: made over the API, and around the plugins that are registered with them.

use std::fs;

use serde_json::{Value, json};
use testkit::{Answer, Api, Plugin, Registration, Server, go_plugin, own_plugin};

const RUNTIMES: &str = "sys/plugins/runtimes/catalog";
const STRICT: &str = "sys/plugins/runtimes/catalog/sandbox/strict";

/// Registers a program that runs in a sandbox only.
async fn register(server: &Server, name: &str, plugin: &Plugin) -> Answer {
    server.install(plugin);
    let entry = json!({"sha256": plugin.sha256, "command": plugin.command(), "runtime": "strict"});
    server.api().put(&format!("sys/plugins/catalog/secret/{name}"), entry).await
}

/// The entry of a plugin, which may be registered under the version that it reports.
async fn entry(api: &Api, name: &str) -> Value {
    let listed = api.get("sys/plugins/catalog").await.data();
    listed["detailed"].as_array().unwrap().iter().find(|entry| entry["name"] == name).unwrap().clone()
}

/// Enables a plugin in the usual sandbox; on a machine that cannot give it, that is said first, and then made do without.
async fn enable(server: &Server, name: &str) {
    let api = server.api();
    let enabled = api.post(&format!("sys/mounts/{name}"), json!({"type": name})).await;
    if enabled.is_ok() {
        return;
    }
    let refusal = enabled.refused(400);
    assert!(refusal.contains("its sandbox cannot be had") && refusal.contains("best_effort"), "{refusal}");
    api.put(STRICT, json!({"best_effort": true})).await.ok();
    server.enable(name, name).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_is_made_read_listed_and_deleted() {
    let mut server = Server::start().await;
    let api = server.api();
    assert_eq!(api.get(STRICT).await.status, 404);
    let asked =
        json!({"user": 1234, "open_files": 64, "read_paths": ["/srv/ca"], "memory_bytes": 67_108_864});
    assert_eq!(api.put(STRICT, asked.clone()).await.status, 204);
    server.restart().await;
    let api = server.api();
    let read = api.get(STRICT).await.data();
    for (name, value) in asked.as_object().unwrap() {
        assert_eq!(&read[name], value, "{name} in {read}");
    }
    assert_eq!((&read["name"], &read["type"]), (&json!("strict"), &json!("sandbox")));
    assert_eq!((&read["filesystem"], &read["best_effort"]), (&json!(true), &json!(false)));
    assert_eq!(api.get(RUNTIMES).await.data()["runtimes"], json!([read]));
    assert_eq!(api.get(&format!("{RUNTIMES}?type=container")).await.data()["runtimes"], json!([]));

    for (wrong, word) in [
        (json!({"cpu_nanos": -1}), "runtime cpu in nanos cannot be negative"),
        (json!({"user": 0}), "user 0 cannot be"),
        (json!({"read_paths": ["../etc"]}), "absolute path"),
    ] {
        let refusal = api.put(STRICT, wrong).await.refused(400);
        assert!(refusal.contains(word), "{refusal}");
    }
    assert_eq!(api.get(STRICT).await.data(), read, "what was refused changed nothing");
    assert_eq!(api.delete(STRICT).await.status, 204);
    assert!(api.delete(STRICT).await.refused(400).contains("plugin runtime not found"));
    let refusal = api.put(&format!("{RUNTIMES}/container/c"), json!({})).await.refused(400);
    assert!(refusal.contains("type sandbox"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn c8_sandboxes_need_sudo() {
    let server = Server::start().await;
    let rules = format!(r#"path "{RUNTIMES}/*" {{ capabilities = ["create", "read", "update", "delete"] }}"#);
    let api = server.api();
    api.put("sys/policies/acl/almost", json!({ "policy": rules })).await.ok();
    let created = api.post("auth/token/create", json!({"policies": ["almost"]})).await.ok();
    let almost = server.anonymous().with_token(created["auth"]["client_token"].as_str().unwrap());
    for refusal in
        [almost.get(STRICT).await, almost.put(STRICT, json!({})).await, almost.delete(STRICT).await]
    {
        refusal.refused(403);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn go_and_rust_plugins_work_in_the_usual_sandbox_and_keep_it_from_being_deleted() {
    let server = Server::start().await;
    let api = server.api();
    for (name, plugin) in [("gokv", go_plugin("kv")), ("rustkv", own_plugin("kv"))] {
        let refusal = register(&server, name, &plugin).await;
        assert!(name == "rustkv" || refusal.refused(400).contains("specified plugin runtime \"strict\""));
        api.put(STRICT, json!({})).await.ok();
        register(&server, name, &plugin).await.ok();
        assert_eq!(entry(&api, name).await["runtime"], "strict");
        enable(&server, name).await;
        api.put(&format!("{name}/a"), json!({"v": "1"})).await.ok();
        assert_eq!(api.get(&format!("{name}/a")).await.data()["v"], "1");
    }
    let refusal = api.delete(STRICT).await.refused(400);
    assert!(
        refusal.contains(
            "unable to delete \"strict\" runtime. Registered plugins=[gokv rustkv] are referencing it."
        ),
        "{refusal}"
    );
    for name in ["gokv", "rustkv"] {
        let entry = entry(&api, name).await;
        let version = entry["version"].as_str().unwrap();
        api.delete(&format!("sys/plugins/catalog/secret/{name}?version={version}")).await.ok();
    }
    api.delete(STRICT).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_in_a_sandbox_cannot_get_out_and_one_without_can() {
    let server = Server::start().await;
    let api = server.api();
    api.put(STRICT, json!({})).await.ok();
    let fixture = go_plugin("fixture");
    register(&server, "jailed", &fixture).await.ok();
    let enabled = api.post("sys/mounts/jailed", json!({"type": "jailed"})).await;
    if !enabled.is_ok() {
        assert!(enabled.errors().contains("its sandbox cannot be had"), "{enabled}");
        return;
    }
    server.register_as("free", &fixture, Registration::default()).await;
    server.enable("free", "free").await;
    let secret = server.plugin_directory().join("../secret");
    fs::write(&secret, "hush").unwrap();
    let reads = async |mount: &str| -> Value {
        api.get(&format!("{mount}/escape/read?path={}", secret.display())).await.data()
    };
    assert_eq!(reads("free").await, json!({"reached": "hush"}));
    assert!(reads("jailed").await["refused"].as_str().unwrap().contains("permission denied"));
    let killed = api.get("jailed/escape/call?path=kill").await.data();
    assert_eq!(killed["refused"], "operation not permitted");
}
