//! What operators set beside mounts, policies and tokens, and what the server says about itself.

use serde_json::{Value, json};

use crate::common::{Stack, bare, data, done, envelope, invalid, not_found, refused};

#[tokio::test]
async fn gateways_are_told_which_pages_may_ask_and_still_are_after_a_restart() {
    let mut stack = Stack::open().await;
    assert_eq!(data(stack.read("sys/config/cors").await), json!({"enabled": false}));
    assert_eq!(stack.state().await.cross_origin, None);
    let cors = json!({"allowed_origins": "http://a.example", "allowed_headers": ["X-Custom"]});
    done(stack.write("sys/config/cors", cors).await);
    stack.restart();
    let answer = envelope(stack.read("sys/config/cors").await);
    assert!(answer.data_on_top);
    let setting: Value = serde_json::from_slice(&answer.data).unwrap();
    assert_eq!(setting["allowed_origins"], json!(["http://a.example"]));
    assert_eq!(setting["allowed_headers"].as_array().unwrap().len(), 11);
    let told = stack.state().await.cross_origin.unwrap();
    assert_eq!((told.origins.len(), told.headers.last().map(String::as_str)), (1, Some("X-Custom")));
    done(stack.delete("sys/config/cors").await);
    assert_eq!(stack.state().await.cross_origin, None);
}

#[tokio::test]
async fn an_origin_is_needed_to_allow_pages_from_elsewhere() {
    let stack = Stack::open().await;
    assert_eq!(
        refused(stack.write("sys/config/cors", json!({})).await),
        invalid("1 error occurred:\n\t* at least one origin or the wildcard must be provided\n\n")
    );
    let both = json!({"allowed_origins": ["*", "http://a.example"]});
    assert_eq!(
        refused(stack.write("sys/config/cors", both).await),
        invalid("to allow all origins the '*' must be the only value for allowed_origins")
    );
}

#[tokio::test]
async fn headers_of_a_console_are_set_read_listed_and_removed() {
    let stack = Stack::open().await;
    assert_eq!(refused(stack.list("sys/config/ui/headers/").await).0, "not-found");
    let write = async |name: &str, values: Value| {
        stack.write(&format!("sys/config/ui/headers/{name}"), json!({"values": values})).await
    };
    done(write("X-Frame-Options", json!(["DENY"])).await);
    assert_eq!(data(stack.list("sys/config/ui/headers/").await), json!({"keys": ["X-Frame-Options"]}));
    assert_eq!(data(stack.read("sys/config/ui/headers/x-frame-options").await), json!({"value": "DENY"}));
    let many = stack.ask(
        &stack.root,
        "read",
        "sys/config/ui/headers/X-Frame-Options",
        json!({"multivalue": "true"}),
    );
    assert_eq!(data(many.await), json!({"values": ["DENY"]}));
    assert_eq!(refused(write("X-Vault-A", json!(["a"])).await), invalid("X-Vault headers cannot be set"));
    for (name, values) in [("a b", json!(["a"])), ("X-A", json!([])), ("X-A", json!(["a\r\nX-B: c"]))] {
        assert_eq!(refused(write(name, values).await).0, "invalid");
    }
    done(stack.delete("sys/config/ui/headers/x-frame-options").await);
    assert_eq!(refused(stack.read("sys/config/ui/headers/X-Frame-Options").await).0, "not-found");
}

#[tokio::test]
async fn a_damaged_setting_is_as_good_as_none_and_can_be_set_anew() {
    let mut stack = Stack::open().await;
    stack.store("core/cors", b"{").await;
    stack.restart();
    assert_eq!(data(stack.read("sys/config/cors").await), json!({"enabled": false}));
    done(stack.write("sys/config/cors", json!({"allowed_origins": "*"})).await);
    assert_eq!(data(stack.read("sys/config/cors").await)["enabled"], json!(true));
}

#[tokio::test]
async fn versions_that_have_served_are_listed_once() {
    let mut stack = Stack::open().await;
    stack.restart();
    let history = data(stack.list("sys/version-history/").await);
    assert_eq!(history["keys"], json!(["1.2.3"]));
    assert_eq!(history["key_info"]["1.2.3"]["previous_version"], Value::Null);
    assert_eq!(refused(stack.read("sys/version-history").await).0, "not-found");
}

#[tokio::test]
async fn the_level_of_the_log_is_one_that_exists() {
    let stack = Stack::open().await;
    let set = async |path: &str, level: &str| stack.write(path, json!({"level": level})).await;
    done(set("sys/loggers", "debug").await);
    assert_eq!(
        refused(set("sys/loggers", "zzz").await),
        invalid("invalid level provided: unknown log level: zzz")
    );
    assert_eq!(refused(set("sys/loggers/nope", "debug").await), invalid("logger \"nope\" not found"));
    assert_eq!(data(stack.read("sys/loggers/nope").await), json!({}));
    assert_eq!(data(stack.read("sys/loggers/router").await), json!({"router": "info"}));
    done(stack.delete("sys/loggers/router").await);
}

#[tokio::test]
async fn the_server_says_what_it_is_and_what_it_is_not() {
    let stack = Stack::open().await;
    let node = &data(stack.read("sys/ha-status").await)["nodes"][0];
    assert_eq!((&node["active_node"], &node["version"]), (&json!(true), &json!("1.2.3")));
    assert_eq!(
        data(stack.ask("", "read", "sys/replication/status", Value::Null).await)["mode"],
        json!("disabled")
    );
    for path in ["sys/license/status", "sys/replication/performance/status"] {
        assert_eq!(refused(stack.read(path).await), not_found("enterprise-only feature"), "{path}");
    }
    done(stack.write("sys/config/reload/license", json!({})).await);
    let other = stack.write("sys/config/reload/foo", json!({})).await;
    assert_eq!(refused(other), not_found("1 error occurred:\n\t* unsupported path\n\n"));
    assert!(data(stack.read("sys/config/state/sanitized").await).is_object());
}

#[tokio::test]
async fn consoles_and_counters_get_their_answers() {
    let stack = Stack::open().await;
    let anybody = async |path: &str| stack.ask("", "read", path, Value::Null).await;
    assert_eq!(bare(anybody("sys/internal/ui/feature-flags").await), json!({"feature_flags": null}));
    assert_eq!(data(anybody("sys/internal/ui/unauthenticated-messages").await), json!({}));
    assert_eq!(
        refused(anybody("sys/internal/ui/namespaces").await),
        ("denied", "permission denied".to_owned())
    );
    assert_eq!(data(stack.read("sys/internal/ui/namespaces").await), json!({"keys": [""]}));
    assert_eq!(
        refused(stack.read("sys/internal/counters/requests").await),
        not_found("The functionality has been removed on this path")
    );
    let counters = data(stack.read("sys/internal/counters/tokens").await);
    assert_eq!(counters, json!({"counters": {"service_tokens": {"total": 1}}}));
    let counters = data(stack.read("sys/internal/counters/entities").await);
    assert_eq!(counters, json!({"counters": {"entities": {"total": 0}}}));
    assert_eq!(refused(stack.read("sys/internal/inspect/router/accessor").await).0, "invalid");
}

#[tokio::test]
async fn one_document_describes_what_the_caller_can_reach() {
    let stack = Stack::open().await;
    done(stack.write("sys/auth/people", json!({"type": "userpass"})).await);
    let document = async |token: &str| {
        let asked = stack.ask(token, "read", "sys/internal/specs/openapi", Value::Null);
        bare(asked.await)["paths"].as_object().unwrap().clone()
    };
    let all = document(&stack.root).await;
    assert!(all.contains_key("/sys/mounts/{path}") && all.contains_key("/auth/token/lookup-self"));
    assert!(all.keys().any(|path| path.starts_with("/auth/people/login/")), "{:?}", all.keys());
    let open = document("").await;
    assert!(open.contains_key("/sys/seal-status"));
    assert!(open.values().all(|item| item["x-vault-unauthenticated"] == json!(true)));
}
