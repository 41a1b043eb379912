//! The plugin is asked to end.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{Plugin, Registration, Server, eventually, go_plugin};

use super::watched::{DRAIN, GRACE, Watched, answered, refused};

/// Less than the server gives to requests that are inside when their plugin ends.
const SHORT: Duration = Duration::from_secs(1);

/// More than that.
const LONG: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn disabling_a_mount_ends_its_plugin_and_its_leases() {
    let it = Watched::polite().await;
    let lease = it.lease().await;
    let request = it.inside(SHORT).await;
    it.server.disable("m").await;
    answered(request).await;
    it.has_obeyed("disabled").await;
    assert!(!it.renews(&lease).await, "it was revoked with the mount");
    assert_eq!(it.server.api().get("m/pid").await.status, 404);
    assert_eq!(it.server.plugins(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_does_not_end_is_refused_when_its_mount_is_disabled() {
    let it = Watched::polite().await;
    let request = it.inside(LONG).await;
    let began = Instant::now();
    it.server.disable("m").await;
    refused(request, began).await;
    it.has_ended("disabled").await;
    assert_eq!(it.asked()[0], "Shutdown");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_mount_of_a_shared_process_takes_it_along() {
    let it = Watched::polite().await;
    it.server.enable("other", "fixture").await;
    assert_eq!(it.server.only_plugin(), it.plugin);
    it.server.disable("m").await;
    it.server.api().get("other/pid").await.ok();
    assert_eq!((it.server.only_plugin(), it.asked().len()), (it.plugin, 0));
    it.server.disable("other").await;
    it.has_obeyed("disabled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_lets_the_old_process_finish_what_is_inside() {
    let it = Watched::polite().await;
    let lease = it.lease().await;
    let request = it.inside(Duration::from_secs(4)).await;
    it.server.api().put("sys/plugins/reload/backend", json!({"mounts": ["m/"]})).await.ok();
    assert!(it.plugin.is_alive() && it.asked().is_empty(), "it still has a request inside");
    let served_by = it.server.api().get("m/pid").await.data()["pid"].take();
    assert_ne!(served_by, json!(it.plugin.pid));
    assert_eq!(request.await.unwrap().data()["pid"], json!(it.plugin.pid));
    it.has_obeyed("reloaded").await;
    it.serves_anew().await;
    assert!(it.renews(&lease).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn sealing_ends_every_plugin_and_keeps_the_leases() {
    let it = Watched::polite().await;
    let lease = it.lease().await;
    let request = it.inside(SHORT).await;
    it.server.api().put("sys/seal", json!({})).await.ok();
    answered(request).await;
    it.has_obeyed("sealed").await;
    assert_eq!(it.server.plugins(), []);
    it.server.unseal().await;
    assert_eq!(it.server.plugins(), [], "unsealing starts none");
    it.serves_anew().await;
    assert!(it.renews(&lease).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn stepping_down_ends_every_plugin_and_the_node_serves_on() {
    let it = Watched::polite().await;
    let lease = it.lease().await;
    let request = it.inside(SHORT).await;
    let others = it.server.anonymous().put("sys/step-down", json!({})).await;
    assert_eq!(others.status, 403, "{others}");
    it.server.api().put("sys/step-down", json!({})).await.ok();
    answered(request).await;
    it.has_obeyed("stepped-down").await;
    let status = it.server.anonymous().get("sys/seal-status").await.ok();
    assert_eq!(status["sealed"], json!(false));
    it.serves_anew().await;
    assert!(it.renews(&lease).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_does_not_end_is_refused_when_the_node_steps_down() {
    let it = Watched::polite().await;
    let request = it.inside(LONG).await;
    let began = Instant::now();
    it.server.api().put("sys/step-down", json!({})).await.ok();
    it.has_ended("stepped-down").await;
    // A read is repeated once, in the process that follows; a second time it is refused.
    it.server.api().put("sys/step-down", json!({})).await.ok();
    refused(request, began).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_server_ends_every_plugin() {
    let mut it = Watched::polite().await;
    let lease = it.lease().await;
    let request = it.inside(SHORT).await;
    assert!(it.server.stop().await.success());
    answered(request).await;
    assert!(!it.plugin.is_alive());
    it.server.start_again_sealed().await;
    it.has_obeyed("shutdown").await;
    it.server.unseal().await;
    it.serves_anew().await;
    assert!(it.renews(&lease).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_overrides_a_built_in_one_ends_when_it_is_deregistered_and_reloaded() {
    let server = Server::start().await;
    server.register("kv", &go_plugin("kv")).await;
    server.enable("kv", "kv").await;
    let api = server.api();
    api.post("kv/a", json!({"v": "1"})).await.ok();
    let plugin = server.only_plugin();
    api.delete("sys/plugins/catalog/secret/kv").await.ok();
    assert!(plugin.is_alive(), "it serves on");
    api.put("sys/plugins/reload/backend", json!({"mounts": ["kv/"]})).await.ok();
    assert_eq!(api.get("kv/a").await.data(), json!({"v": "1"}));
    eventually(DRAIN, "the process is gone", async || !plugin.is_alive()).await;
    assert_eq!(server.told_ends_of(plugin.pid).await, ["reloaded"]);
    let running = api.get("sys/mounts/kv").await.data()["running_plugin_version"].take();
    assert!(running.as_str().unwrap().ends_with("+builtin"), "{running}");
    assert_eq!(server.plugins(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn disabling_an_auth_method_ends_its_plugin_and_its_tokens() {
    let server = Server::start().await;
    let program = Plugin::at(server.install(&go_plugin("userpass")));
    let api = server.api();
    let entry = Registration { kind: "auth", ..Registration::default() };
    api.register(&program, "my-userpass", entry).await.ok();
    api.post("sys/auth/people", json!({"type": "my-userpass"})).await.ok();
    api.post("auth/people/users/ann", json!({"password": "secret"})).await.ok();
    let plugin = server.only_plugin();
    let login =
        async || server.anonymous().post("auth/people/login/ann", json!({"password": "secret"})).await;
    let token = login().await.ok()["auth"]["client_token"].as_str().unwrap().to_owned();
    let ann = server.anonymous().with_token(token);
    ann.get("auth/token/lookup-self").await.ok();

    let disable = async || api.delete("sys/auth/people").await.ok();
    let (inside, _) = tokio::join!(login(), disable());
    assert!(inside.is_ok() || (400..=503).contains(&inside.status) && inside.body.is_object(), "{inside}");
    eventually(DRAIN, "the process is gone", async || !plugin.is_alive()).await;
    assert_eq!(server.told_ends_of(plugin.pid).await, ["disabled"]);
    assert_eq!(ann.get("auth/token/lookup-self").await.status, 403);
    assert_eq!(server.plugins(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_hear_the_host_is_asked_by_a_signal() {
    let it = Watched::obeying("deaf").await;
    it.server.disable("m").await;
    it.has_ended("disabled").await;
    assert_eq!(it.asked(), ["Shutdown", "SIGTERM"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_obeys_nobody_is_killed_when_its_time_is_over() {
    let it = Watched::obeying("stubborn").await;
    let began = Instant::now();
    it.server.disable("m").await;
    it.has_ended("disabled").await;
    assert!(began.elapsed() >= GRACE, "it was killed after {:?}", began.elapsed());
    assert_eq!(it.asked(), ["Shutdown", "SIGTERM"]);
}
