//! What operators look at while the server runs.

use futures::TryStreamExt;
use serde_json::{Value, json};
use tonic::Request;
use wire::router::v1::{self as api, Raw, response::Body, router_server::Router as _};

use crate::common::{Outcome, Stack, bare, data, done, envelope, invalid, refused, request};

fn raw(outcome: Outcome) -> Raw {
    match outcome.unwrap().body {
        Some(Body::Raw(raw)) => raw,
        other => panic!("not raw: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_stored_is_read_listed_written_and_deleted_past_everything() {
    let stack = Stack::open().await;
    stack.mount("kv", "kv").await;
    done(stack.write("sys/raw/test/a", json!({"value": "text"})).await);
    done(stack.write("sys/raw/test/b", json!({"value": "/w==", "encoding": "base64"})).await);
    assert_eq!(data(stack.list("sys/raw/test/").await), json!({"keys": ["a", "b"]}));
    assert_eq!(data(stack.read("sys/raw/test/a").await), json!({"value": "text"}));
    let refusal = refused(stack.read("sys/raw/test/b").await);
    assert_eq!(refusal, invalid("what is stored at 'test/b' is no text; read it with encoding=base64"));
    let encoded = stack.ask(&stack.root, "read", "sys/raw/test/b", json!({"encoding": "base64"}));
    assert_eq!(data(encoded.await), json!({"value": "/w=="}));
    done(stack.delete("sys/raw/test/a").await);
    assert_eq!(refused(stack.read("sys/raw/test/a").await), ("not-found", String::new()));
    let top = data(stack.list("sys/raw/").await)["keys"].clone();
    assert!(top.as_array().unwrap().contains(&json!("core/")), "{top}");
}

#[tokio::test]
async fn g5_what_the_barrier_and_the_cluster_stand_on_is_nobodys_and_the_rest_needs_sudo() {
    let stack = Stack::open().await;
    for path in ["core/keyring", "core/cluster"] {
        let whole = format!("sys/raw/{path}");
        assert_eq!(refused(stack.read(&whole).await), invalid(&format!("cannot read '{path}'")));
        let write = stack.write(&whole, json!({"value": "x"})).await;
        assert_eq!(refused(write), invalid(&format!("cannot write '{path}'")));
        assert_eq!(refused(stack.delete(&whole).await), invalid(&format!("cannot delete '{path}'")));
    }
    let policy = json!({"policy": "path \"sys/raw/*\" { capabilities = [\"read\", \"list\", \"update\"] }"});
    done(stack.write("sys/policies/acl/nosudo", policy).await);
    let made = envelope(stack.write("auth/token/create", json!({"policies": ["nosudo"]})).await);
    let auth: Value = serde_json::from_slice(&made.auth).unwrap();
    let token = auth["client_token"].as_str().unwrap();
    let read = stack.ask(token, "read", "sys/raw/core/mounts", Value::Null).await;
    assert_eq!(refused(read).0, "denied");
    for body in [
        json!({}),
        json!({"value": "x", "compression_type": "gzip"}),
        json!({"value": "!", "encoding": "base64"}),
    ] {
        assert_eq!(refused(stack.write("sys/raw/test/a", body).await).0, "invalid");
    }
}

#[tokio::test]
async fn the_machine_is_described_to_those_with_a_token() {
    let stack = Stack::open().await;
    let info = data(stack.read("sys/host-info").await);
    assert!(info["cpu_times"].is_array() && info["memory"]["total"].is_number(), "{info}");
    assert_eq!(refused(stack.ask("", "read", "sys/host-info", Value::Null).await).0, "denied");
}

#[tokio::test]
async fn requests_are_listed_while_they_are_worked_on() {
    let stack = Stack::open().await;
    let listed = bare(stack.read("sys/in-flight-req").await);
    let own = &listed["request-id"];
    assert_eq!(own["request_path"], json!("/v1/sys/in-flight-req"));
    assert_eq!((&own["request_method"], &own["client_remote_address"]), (&json!("GET"), &json!("127.0.0.1")));
    assert!(own["start_time"].is_string() && own["client_id"].is_string());
    assert_eq!(listed.as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn g5_only_a_listener_that_is_open_lets_everybody_look() {
    let stack = Stack::open().await;
    for path in ["sys/metrics", "sys/in-flight-req"] {
        assert_eq!(refused(stack.ask("", "read", path, Value::Null).await).0, "denied");
        let request = request("read", path, &Value::Null);
        let open = api::Request { open_metrics: true, open_in_flight: true, ..request };
        assert!(bare(stack.send(open.clone()).await).is_object());
        let other = api::Request { path: "sys/host-info".to_owned(), ..open };
        assert_eq!(refused(stack.send(other).await).0, "denied");
    }
}

#[tokio::test]
async fn counts_are_told_in_the_form_that_is_asked_for() {
    let stack = Stack::open().await;
    let counts = bare(stack.read("sys/metrics").await);
    for part in ["Gauges", "Points", "Counters", "Samples"] {
        assert!(counts[part].is_array(), "{counts}");
    }
    let asked = async |format: &str| {
        raw(stack.ask(&stack.root, "read", "sys/metrics", json!({ "format": format })).await)
    };
    let off = asked("prometheus").await;
    assert_eq!((off.code, &off.body[..]), (400, &b"prometheus is not enabled"[..]));
    let unknown = asked("zzz").await;
    assert_eq!((unknown.code, &unknown.body[..]), (400, &b"metric response format \"zzz\" unknown"[..]));
}

#[tokio::test]
async fn the_log_is_told_to_those_who_may_at_the_level_that_they_want() {
    let stack = Stack::open().await;
    let watch = async |token: &str, wish: Value| {
        let request = request("read", "sys/monitor", &wish);
        let request = api::Request { token: token.to_owned(), ..request };
        stack.router.watch(Request::new(request)).await
    };
    let lines = watch(&stack.root, json!({"log_level": "DEBUG"})).await.unwrap().into_inner();
    let lines: Vec<api::Lines> = lines.try_collect().await.unwrap();
    assert_eq!(lines[0].text, "one line at debug\n");
    for wish in [json!({"log_level": "loud"}), json!({"log_format": "xml"})] {
        let refusal = watch(&stack.root, wish).await.err().unwrap();
        assert!(wire::failure_of(&refusal).messages[0].starts_with("unknown log "));
    }
    let refusal = watch("", json!({})).await.err().unwrap();
    assert_eq!(wire::failure_of(&refusal).messages, ["permission denied"]);
}

#[tokio::test]
async fn clients_are_not_counted_and_that_is_said_as_a_server_without_a_licence_does() {
    let stack = Stack::open().await;
    done(stack.read("sys/internal/counters/activity").await);
    done(stack.read("sys/internal/counters/activity/monthly").await);
    let config = data(stack.read("sys/internal/counters/config").await);
    assert_eq!(
        (&config["enabled"], &config["queries_available"]),
        (&json!("default-disabled"), &json!(false))
    );
    done(stack.write("sys/internal/counters/config", json!({"enabled": "disable"})).await);
    for enabled in ["enable", "zzz"] {
        let refusal = stack.write("sys/internal/counters/config", json!({ "enabled": enabled })).await;
        assert_eq!(refused(refusal).0, "invalid");
    }
}
