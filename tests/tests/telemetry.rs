//! What a server tells about itself while it runs, and to whom.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Api, Form, Options, Registration, Server, go_plugin};
use tokio::time::timeout;

const SETTINGS: &str = r#"
telemetry {
  prometheus_retention_time = "1h"
  disable_hostname = true
}
user_lockout "all" {
  lockout_threshold = "2"
}
raw_storage_endpoint = true
"#;

/// Nothing below an error is logged where operators look.
fn quiet() -> Options {
    Options { log_level: "error", extra: SETTINGS.to_owned(), ..Options::default() }
}

fn names(counts: &Value) -> Vec<&str> {
    let gauges = counts["Gauges"].as_array().into_iter().flatten();
    gauges.filter_map(|gauge| gauge["Name"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_are_told_to_everybody_where_the_listener_says_so() {
    let listener = "telemetry {\n    unauthenticated_metrics_access = true\n  }".to_owned();
    let server = Server::start_with(Options { listener, ..quiet() }).await;
    server.api().post("sys/mounts/counted", json!({"type": "kv"})).await.ok();
    server.api().post("counted/a", json!({"b": "c"})).await.ok();
    let anybody = server.anonymous();
    let text = anybody.get("sys/metrics?format=prometheus").await.ok();
    let text = text.as_str().unwrap();
    for name in [
        "vault_core_handle_request_count",
        "vault_core_unsealed 1",
        "vault_expire_num_leases",
        "vault_route_update_counted__count 1",
    ] {
        assert!(text.contains(name), "{name} is missing:\n{text}");
    }
    let counts = anybody.get("sys/metrics").await.ok();
    assert!(names(&counts).contains(&"vault.core.in_flight_requests"), "{counts}");
    assert!(counts["Samples"].is_array() && counts["Timestamp"].is_string(), "{counts}");
    assert_eq!(anybody.get("sys/in-flight-req").await.status, 403);
    assert_eq!(anybody.get("sys/host-info").await.status, 403);
}

/// Reads the log until a line has this in it.
async fn monitor(api: &Api, query: &str, awaited: &str) -> Vec<String> {
    let url = format!("{}/v1/sys/monitor?{query}", api.address());
    let asked = api.http().get(url).header("X-Vault-Token", api.token()).send();
    let mut stream = asked.await.unwrap();
    assert_eq!(stream.status(), 200);
    // What happens from now on is told.
    let sealing = tokio::spawn({
        let api = api.clone();
        async move { api.post("sys/seal", json!({})).await.status }
    });
    let mut text = String::new();
    while !text.contains(awaited) {
        let chunk = timeout(Duration::from_secs(30), stream.chunk()).await;
        let chunk = chunk.unwrap_or_else(|_| panic!("no line with {awaited:?} in:\n{text}"));
        text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap());
    }
    assert_eq!(sealing.await.unwrap(), 204);
    text.lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_told_at_the_level_of_whoever_reads_it() {
    let server = Server::start_with(quiet()).await;
    let api = server.api();
    assert_eq!(api.get("sys/monitor?log_level=loud").await.refused(400), "unknown log level");
    let lines = monitor(&api, "log_level=info", " sealed").await;
    assert!(lines.iter().all(|line| !line.contains("DEBUG")), "{lines:?}");
    server.unseal().await;
    let lines = monitor(&api, "log_level=debug&log_format=json", "\"sealed\"").await;
    for line in &lines {
        serde_json::from_str::<Value>(line).unwrap();
    }
    assert_eq!(server.anonymous().get("sys/monitor").await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_locked_out_and_storage_is_open_as_configured() {
    let server = Server::start_with(quiet()).await;
    let api = server.api();
    api.post("sys/auth/userpass", json!({"type": "userpass"})).await.ok();
    api.post("auth/userpass/users/bob", json!({"password": "right"})).await.ok();
    let login = async |password: &str| {
        server.anonymous().post("auth/userpass/login/bob", json!({ "password": password })).await.status
    };
    assert_eq!(login("wrong").await, 400);
    assert_eq!(login("wrong").await, 403);
    assert_eq!(login("right").await, 403);
    let keys = api.list("sys/raw/core").await.data()["keys"].clone();
    assert!(keys.as_array().is_some_and(|keys| !keys.is_empty()), "{keys}");
}

/// What one metric with these labels says, in Prometheus' text.
fn told(text: &str, metric: &str, labels: &str) -> f64 {
    let found = text.lines().find_map(|line| line.strip_prefix(&format!("{metric}{{{labels}}} ")));
    found.unwrap_or_else(|| panic!("no {metric}{{{labels}}} in:\n{text}")).parse().unwrap()
}

async fn plugins_are_counted(form: Form) {
    let listener = "telemetry {\n    unauthenticated_metrics_access = true\n  }".to_owned();
    let server = Server::start_with(Options { form, listener, ..quiet() }).await;
    let entry = Registration { version: "v1.2.3", env: &["TOKEN=not-to-be-told"], ..Registration::default() };
    server.register_as("fixture", &go_plugin("fixture"), entry).await;
    server.enable("counted", "fixture").await;
    let api = server.api();
    api.post("counted/store/a-path-of-a-request", json!({"value": "a-value-of-a-request"})).await.ok();
    for _ in 0..3 {
        api.get("counted/store/a-path-of-a-request").await.ok();
    }
    api.get("counted/crash?how=exit").await;
    api.get("counted/pid").await.ok();

    let text = server.anonymous().get("sys/metrics?format=prometheus").await.ok();
    let text = text.as_str().unwrap();
    let labels = r#"plugin="fixture",type="secret",version="v1.2.3""#;
    let with = |more: &str| format!("{labels},{more}");
    // Registering asks it who it is; the mount starts it; a read that it dies of is repeated once.
    assert_eq!(told(text, "vault_plugin_starts", labels), 4.0);
    assert_eq!(told(text, "vault_plugin_restarts", labels), 2.0);
    assert_eq!(told(text, "vault_plugin_exits", &with(r#"reason="probed""#)), 1.0);
    assert_eq!(told(text, "vault_plugin_exits", &with(r#"reason="crashed""#)), 2.0);
    assert_eq!(told(text, "vault_plugin_handshake_milliseconds_count", labels), 4.0);
    assert_eq!(told(text, "vault_plugin_processes", &with(r#"state="running""#)), 1.0);
    assert_eq!(told(text, "vault_plugin_in_flight", labels), 0.0);
    assert!(told(text, "vault_plugin_rss_bytes", labels) > 1e6);
    assert!(told(text, "vault_plugin_storage_calls", &with(r#"operation="get""#)) >= 3.0);
    assert!(told(text, "vault_plugin_storage_calls", &with(r#"operation="put""#)) >= 1.0);
    let calls = told(text, "vault_plugin_calls", labels);
    assert!(calls >= 6.0, "{calls}");
    assert_eq!(told(text, "vault_plugin_call_milliseconds_bucket", &with(r#"le="+Inf""#)), calls);
    let of_plugins = text.lines().filter(|line| line.starts_with("vault_plugin_"));
    for line in of_plugins {
        for secret in ["a-path", "a-value", "not-to-be-told"] {
            assert!(!line.contains(secret), "{line}");
        }
    }

    let counts = server.anonymous().get("sys/metrics").await.ok();
    assert!(names(&counts).contains(&"vault.plugin.rss_bytes"), "{counts}");
    server.disable("counted").await;
    let text = server.anonymous().get("sys/metrics?format=prometheus").await.ok();
    let text = text.as_str().unwrap();
    assert_eq!(told(text, "vault_plugin_exits", &with(r#"reason="disabled""#)), 1.0);
    assert_eq!(told(text, "vault_plugin_processes", &with(r#"state="running""#)), 0.0);
    assert_eq!(told(text, "vault_plugin_rss_bytes", labels), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_plugins_do_and_use_is_counted() {
    plugins_are_counted(Form::One).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_plugins_do_and_use_is_counted_in_another_process() {
    plugins_are_counted(Form::Apart).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_are_told_while_sealed_only_where_the_listener_is_open_for_them() {
    let listener = "telemetry {\n    unauthenticated_metrics_access = true\n  }".to_owned();
    let open = Server::start_with(Options { listener, ..quiet() }).await;
    open.api().put("sys/seal", json!({})).await.ok();
    let text = open.anonymous().get("sys/metrics?format=prometheus").await.ok();
    assert!(text.as_str().unwrap().contains("vault_core_unsealed 0\n"), "{text}");
    let elsewhere = open.anonymous().in_namespace("elsewhere").get("sys/metrics").await;
    assert!(!elsewhere.is_ok(), "{elsewhere}");
    let closed = Server::start_with(quiet()).await;
    closed.api().put("sys/seal", json!({})).await.ok();
    assert_eq!(closed.api().get("sys/metrics").await.status, 503);
}
