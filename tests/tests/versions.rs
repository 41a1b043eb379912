//! Several versions of one plugin side by side: which one a mount runs, and how it comes to run another.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Api, Plugin, Registration, Server, eventually, go_plugin};

const OLD: &str = "v0.24.0";
const NEW: &str = "v0.25.0";

/// A server with both versions of the Go kv plugin, and what they are.
async fn server() -> (Server, Plugin, Plugin) {
    let server = Server::start().await;
    let (old, new) = (as_file(&server, "kv-old", "kv-before"), as_file(&server, "kv-new", "kv"));
    for (plugin, version) in [(&old, OLD), (&new, NEW)] {
        register(&server, plugin, version).await;
    }
    (server, old, new)
}

/// A Go plugin under a name of its own: in the plugin directory both versions have to have a place.
fn as_file(server: &Server, name: &str, plugin: &str) -> Plugin {
    let path = server.plugin_directory().join(name);
    std::fs::copy(go_plugin(plugin).path, &path).unwrap();
    Plugin::at(path)
}

async fn register(server: &Server, plugin: &Plugin, version: &str) {
    let entry = Registration { version, ..Registration::default() };
    server.api().register(plugin, "my-kv", entry).await.ok();
}

async fn enable(api: &Api, path: &str, kind: &str, version: &str) {
    let config = if version.is_empty() { json!({}) } else { json!({"plugin_version": version}) };
    api.post(&format!("sys/mounts/{path}"), json!({"type": kind, "config": config})).await.ok();
}

async fn tune(api: &Api, path: &str, version: &str) {
    api.post(&format!("sys/mounts/{path}/tune"), json!({"plugin_version": version})).await.ok();
}

async fn reload(api: &Api, path: &str) -> Value {
    api.put("sys/plugins/reload/backend", json!({"mounts": [path]})).await.data()
}

/// What is asked for, what runs, and its checksum.
async fn runs(api: &Api, path: &str) -> (String, String, String) {
    let mount = api.get(&format!("sys/mounts/{path}")).await.data();
    let text = |key: &str| mount[key].as_str().unwrap().to_owned();
    (text("plugin_version"), text("running_plugin_version"), text("running_sha256"))
}

fn told(asked: &str, running: &str, plugin: &Plugin) -> (String, String, String) {
    (asked.into(), running.into(), plugin.sha256.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mount_runs_the_version_that_it_asks_for_and_else_the_highest() {
    let (server, old, new) = server().await;
    let api = server.api();
    enable(&api, "old", "my-kv", OLD).await;
    enable(&api, "new", "my-kv", "").await;
    assert_eq!(runs(&api, "old").await, told(OLD, OLD, &old));
    assert_eq!(runs(&api, "new").await, told(NEW, NEW, &new));
    assert_eq!(server.plugins().len(), 2, "a process for each version");
    assert_eq!(api.get("sys/mounts/old").await.data().get("deprecation_status"), None);

    let unversioned = as_file(&server, "kv-plain", "kv-before");
    register(&server, &unversioned, "").await;
    enable(&api, "plain", "my-kv", "").await;
    assert_eq!(runs(&api, "plain").await, told("", "", &unversioned));
    let missing = json!({"type": "my-kv", "config": {"plugin_version": "v9.0.0"}});
    let refusal = api.post("sys/mounts/none", missing).await.refused(400);
    assert_eq!(refusal, "plugin not found in the catalog: my-kv, version=v9.0.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_and_a_downgrade_are_a_tune_and_a_reload() {
    let (server, old, new) = server().await;
    let api = server.api();
    enable(&api, "kv", "my-kv", OLD).await;
    api.post("kv/a", json!({"v": "1"})).await.ok();
    for (from, to, before, after) in [(OLD, NEW, &old, &new), (NEW, OLD, &new, &old)] {
        let process = server.only_plugin();
        tune(&api, "kv", to).await;
        assert_eq!(runs(&api, "kv").await, told(to, from, before), "a tune starts nothing");
        let warned = api.get("sys/mounts/kv").await.ok()["warnings"][0].take();
        assert!(warned.as_str().unwrap().contains("upgraded and not yet reloaded"), "{warned}");
        assert_eq!(server.only_plugin(), process);

        reload(&api, "kv/").await;
        assert_eq!(runs(&api, "kv").await, told(to, to, after));
        assert_eq!(api.get("kv/a").await.data(), json!({"v": "1"}));
        eventually(Duration::from_secs(10), "the old process goes", async || {
            !process.is_alive() && server.plugins().len() == 1
        })
        .await;
        assert_eq!(server.told_ends_of(process.pid).await, ["reloaded"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mounts_that_come_to_one_version_come_to_one_process() {
    let (server, ..) = server().await;
    let api = server.api();
    for (path, version) in [("early", OLD), ("late", NEW)] {
        enable(&api, path, "my-kv", version).await;
    }
    tune(&api, "early", NEW).await;
    api.put("sys/plugins/reload/backend", json!({"plugin": "my-kv"})).await.ok();
    eventually(Duration::from_secs(10), "one process serves both", async || server.plugins().len() == 1)
        .await;
    let listed = api.get("sys/plugins/processes").await.data();
    assert_eq!(listed["processes"][0]["mounts"].as_array().map(Vec::len), Some(2), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_goes_before_everything_from_the_next_reload_on() {
    let (server, old, new) = server().await;
    let api = server.api();
    enable(&api, "kv", "my-kv", NEW).await;
    api.put("sys/plugins/pins/secret/my-kv", json!({"version": OLD})).await.ok();
    assert_eq!(runs(&api, "kv").await, told(NEW, NEW, &new));
    reload(&api, "kv/").await;
    assert_eq!(runs(&api, "kv").await, told(NEW, OLD, &old));
    let warning = async |path: &str| api.get(path).await.ok()["warnings"][0].take();
    assert_eq!(
        warning("sys/mounts/kv").await,
        r#"Plugin version is configured as "v0.25.0", but running "v0.24.0" because that version is pinned"#
    );
    assert_eq!(
        warning("sys/mounts/kv/tune").await,
        "plugin_version is configured as v0.25.0 but a version pin for v0.24.0 is in effect"
    );
    let tuned = api.post("sys/mounts/kv/tune", json!({"plugin_version": OLD})).await.refused(400);
    assert!(tuned.contains("as a pinned version v0.24.0 is in effect"), "{tuned}");
    let kept = api.delete(&format!("sys/plugins/catalog/secret/my-kv?version={OLD}")).await;
    assert!(!kept.is_ok() && kept.errors().contains("cannot delete a pinned version"), "{kept}");

    api.delete("sys/plugins/pins/secret/my-kv").await.ok();
    reload(&api, "kv/").await;
    assert_eq!(runs(&api, "kv").await, told(NEW, NEW, &new));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_in_use_can_be_deregistered_and_serves_on() {
    let (server, old, _) = server().await;
    let api = server.api();
    enable(&api, "kv", "my-kv", OLD).await;
    let entry = format!("sys/plugins/catalog/secret/my-kv?version={OLD}");
    assert_eq!(api.delete(&entry).await.status, 204);
    let process = server.only_plugin();
    let refusal = api.put("sys/plugins/reload/backend", json!({"mounts": ["kv/"]})).await.refused(500);
    let sentence =
        r#"cannot reload plugin on "kv/": plugin not found in the catalog: my-kv, version=v0.24.0"#;
    assert_eq!(refusal, format!("1 error occurred:\n\t* {sentence}\n\n"));
    assert_eq!((server.only_plugin(), runs(&api, "kv").await), (process, told(OLD, OLD, &old)));
    api.post("kv/a", json!({"v": "1"})).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mount_of_the_built_in_plugin_stays_that_until_somebody_says_otherwise() {
    let mut server = Server::start().await;
    let new = as_file(&server, "kv-new", "kv");
    server.api().enable_kv("before", 1).await;
    let (_, builtin, _) = runs(&server.api(), "before").await;
    assert!(builtin.ends_with("+builtin"), "{builtin}");
    assert_eq!(server.api().get("sys/mounts/before").await.data()["deprecation_status"], "supported");

    let entry = Registration { version: NEW, ..Registration::default() };
    server.api().register(&new, "kv", entry).await.ok();
    reload(&server.api(), "before/").await;
    server.restart().await;
    let api = server.api();
    api.kv_serves("before", 1).await;
    assert_eq!(runs(&api, "before").await.1, builtin, "what is registered later changes nothing");
    enable(&api, "after", "kv", "").await;
    assert_eq!(runs(&api, "after").await, told(NEW, NEW, &new));
    enable(&api, "asked", "kv", &builtin).await;
    assert_eq!(runs(&api, "asked").await.1, builtin);
    tune(&api, "before", NEW).await;
    reload(&api, "before/").await;
    assert_eq!(runs(&api, "before").await, told(NEW, NEW, &new));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_the_version_that_it_says_it_is() {
    let server = Server::start().await;
    let mock = Plugin::at(server.install(&go_plugin("mock")));
    let says = ["TESTING_MOCK_VAULT_PLUGIN_VERSION=v1.2.3"];
    let api = server.api();
    let wrong = Registration { version: "v2.0.0", env: &says, ..Registration::default() };
    let refusal = api.register(&mock, "mock", wrong).await.refused(400);
    assert_eq!(
        refusal,
        "plugin version mismatch: mock reported version (v1.2.3) did not match requested version (v2.0.0)"
    );
    api.register(&mock, "mock", Registration { env: &says, ..Registration::default() }).await.ok();
    enable(&api, "mock", "mock", "").await;
    assert_eq!(runs(&api, "mock").await, told("v1.2.3", "v1.2.3", &mock));
}

#[tokio::test(flavor = "multi_thread")]
async fn auth_methods_have_versions_as_well() {
    let server = Server::start().await;
    let jwt = Plugin::at(server.install(&go_plugin("jwt")));
    let api = server.api();
    for version in ["v1.0.0", "v1.10.0-rc1", "v1.9.0+build5"] {
        let entry = Registration { kind: "auth", version, ..Registration::default() };
        api.register(&jwt, "my-jwt", entry).await.ok();
    }
    api.post("sys/auth/jwt", json!({"type": "my-jwt"})).await.ok();
    let mount = api.get("sys/auth/jwt").await.data();
    assert_eq!(
        (&mount["plugin_version"], &mount["running_plugin_version"], &mount["running_sha256"]),
        (&json!("v1.10.0-rc1"), &json!("v1.10.0-rc1"), &json!(jwt.sha256))
    );
    api.post("sys/auth/jwt/tune", json!({"plugin_version": "v1.9.0+build5"})).await.ok();
    let reloaded = api.put("sys/plugins/reload/auth/my-jwt", json!({})).await.data();
    assert_eq!(api.get("sys/auth/jwt").await.data()["running_plugin_version"], "v1.9.0+build5");
    let id = reloaded["reload_id"].as_str().unwrap();
    for path in ["backend/status", "auth/my-jwt/status"] {
        let status = api.get(&format!("sys/plugins/reload/{path}?reload_id={id}")).await.data();
        let results = status["results"].as_object().unwrap();
        assert_eq!((&status["reload_id"], results.len()), (&json!(id), 1));
        assert!(results.values().all(|node| node["error"] == "" && node["success"] == true), "{status}");
    }
    let global = json!({"plugin": "my-jwt", "scope": "global"});
    let answer = api.put("sys/plugins/reload/backend", global).await;
    assert_eq!(answer.status, 202, "{answer}");
    assert_eq!(api.get("sys/plugins/reload/backend/status?reload_id=none").await.status, 404);
}
