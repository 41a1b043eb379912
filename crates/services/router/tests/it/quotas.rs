//! How often may be asked.

use serde_json::{Value, json};
use wire::{pb, router::v1::Request};

use crate::common::{Outcome, Stack, data, done, refused, request};

/// A request from another address.
async fn from(stack: &Stack, address: &str, token: &str, path: &str) -> Outcome {
    let connection = pb::Connection { remote_addr: address.to_owned(), ..pb::Connection::default() };
    let asked = request("read", path, &Value::Null);
    stack.send(Request { token: token.to_owned(), connection: Some(connection), ..asked }).await
}

async fn limited() -> Stack {
    let stack = Stack::open().await;
    stack.mount("kv", "kv").await;
    let rule = json!({"path": "kv/", "rate": 1, "interval": "1h"});
    done(stack.write("sys/quotas/rate-limit/q1", rule).await);
    stack
}

fn too_many(path: &str) -> (&'static str, String) {
    ("exhausted", format!("request path {path:?}: rate limit quota exceeded"))
}

#[tokio::test]
async fn each_client_may_ask_so_often_and_others_are_not_harmed() {
    let stack = limited().await;
    assert_eq!(refused(stack.read("kv/a").await).0, "not-found");
    assert_eq!(refused(stack.read("kv/a").await), too_many("kv/a"));
    assert_eq!(refused(from(&stack, "10.0.0.1", &stack.root, "kv/a").await).0, "not-found");
    assert!(stack.read("sys/mounts").await.is_ok());
    done(stack.delete("sys/quotas/rate-limit/q1").await);
    assert_eq!(refused(stack.read("kv/a").await).0, "not-found");
}

#[tokio::test]
async fn g1_the_rate_limit_comes_before_the_token() {
    let stack = limited().await;
    assert_eq!(refused(from(&stack, "10.0.0.1", "nonsense", "kv/a").await).0, "denied");
    assert_eq!(refused(from(&stack, "10.0.0.1", "nonsense", "kv/a").await), too_many("kv/a"));
}

#[tokio::test]
async fn clients_are_told_what_is_left_where_that_is_wanted() {
    let stack = limited().await;
    let told = json!({"enable_rate_limit_response_headers": true});
    done(stack.write("sys/quotas/config", told).await);
    stack.write("kv/a", json!({"b": "c"})).await.unwrap();
    let failure = stack.read("kv/a").await.unwrap_err();
    let headers: Vec<&str> = failure.headers.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["Retry-After", "X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset"] {
        assert!(headers.contains(&name), "{name}");
    }
    let answer = from(&stack, "10.0.0.1", &stack.root, "kv/a").await.unwrap();
    assert_eq!(answer.headers["X-Ratelimit-Remaining"].header, ["0"]);
    assert!(!answer.headers.contains_key("Retry-After"));
}

#[tokio::test]
async fn r10_a_quota_holds_after_a_restart_and_what_is_exempt_is_not_counted() {
    let mut stack = limited().await;
    stack.restart();
    let read = data(stack.read("sys/quotas/rate-limit/q1").await);
    assert_eq!(
        read,
        json!({
            "type": "rate-limit", "name": "q1", "path": "kv/", "role": "", "rate": 1, "secondary_rate": 0,
            "group_by": "ip", "interval": 3600, "block_interval": 0, "inheritable": false,
        })
    );
    assert_eq!(data(stack.list("sys/quotas/rate-limit/").await), json!({"keys": ["q1"]}));
    for _ in 0..2 {
        let _ = stack.read("kv/a").await;
    }
    assert_eq!(refused(stack.read("kv/a").await), too_many("kv/a"));
    done(stack.write("sys/quotas/config", json!({"rate_limit_exempt_paths": ["kv/a"]})).await);
    assert_eq!(refused(stack.read("kv/a").await).0, "not-found");
}

#[tokio::test]
async fn a_rule_that_makes_no_sense_is_refused() {
    let stack = limited().await;
    for (body, expected) in [
        (json!({}), "'rate' is invalid"),
        (json!({"rate": "NaN"}), "'rate' is invalid"),
        (json!({"rate": -1}), "'rate' is invalid"),
        (json!({"rate": 1, "interval": "abc"}), "'interval' is invalid"),
        (json!({"rate": 1, "interval": 0}), "'interval' is invalid"),
        (json!({"rate": 1, "block_interval": "x"}), "'block' is invalid"),
        (json!({"rate": 1, "path": "nope/"}), "invalid mount path \"nope/\": there is no such mount"),
        (
            json!({"rate": 1, "path": "kv/"}),
            "quota rule with similar properties exists under the name \"q1\"",
        ),
    ] {
        let outcome = stack.write("sys/quotas/rate-limit/q2", body).await;
        assert_eq!(refused(outcome), ("invalid", expected.to_owned()));
    }
    assert_eq!(refused(stack.read("sys/quotas/rate-limit/q2").await).0, "not-found");
}
