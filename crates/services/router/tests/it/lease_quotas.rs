//! How many leases there may be below a path.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::common::{
    Outcome, Stack, data, done, envelope, eventually,
    issuer::{Mood, known, set_mood},
    refused,
};

fn exceeded(path: &str) -> (&'static str, String) {
    ("exhausted", format!("request path \"{path}\": lease count quota exceeded"))
}

async fn limit(stack: &Stack, name: &str, path: &str, max_leases: u64) {
    let body = json!({ "path": path, "max_leases": max_leases });
    done(stack.write(&format!("sys/quotas/lease-count/{name}"), body).await);
}

/// A token with which everything may be asked for.
async fn token(stack: &Stack) -> String {
    let policy =
        json!({"policy": "path \"*\" { capabilities = [\"read\", \"create\", \"update\", \"sudo\"] }"});
    done(stack.write("sys/policies/acl/all", policy).await);
    let made = envelope(stack.write("auth/token/create", json!({"policies": ["all"], "ttl": "1h"})).await);
    let auth: Value = serde_json::from_slice(&made.auth).unwrap();
    auth["client_token"].as_str().unwrap().to_owned()
}

async fn issue(stack: &Stack, token: &str, path: &str) -> Outcome {
    stack.ask(token, "read", path, Value::Null).await
}

#[tokio::test]
async fn a_quota_is_written_read_listed_removed_and_kept_over_a_restart() {
    let mut stack = Stack::open().await;
    stack.mount("issuer", "issuer").await;
    assert_eq!(refused(stack.list("sys/quotas/lease-count/").await).0, "not-found");
    limit(&stack, "q", "issuer", 2).await;
    stack.restart();
    assert_eq!(data(stack.list("sys/quotas/lease-count/").await), json!({"keys": ["q"]}));
    let expected = json!({
        "type": "lease-count", "name": "q", "path": "issuer/", "role": "", "max_leases": 2, "counter": 0,
        "inheritable": false,
    });
    assert_eq!(data(stack.read("sys/quotas/lease-count/q").await), expected);
    for body in [
        json!({"path": "issuer"}),
        json!({"path": "issuer", "max_leases": 0}),
        json!({"path": "nowhere", "max_leases": 1}),
        json!({"max_leases": 1, "role": "r"}),
        json!({"path": "issuer", "max_leases": 9}),
    ] {
        assert_eq!(refused(stack.write("sys/quotas/lease-count/other", body).await).0, "invalid");
    }
    done(stack.delete("sys/quotas/lease-count/q").await);
    assert_eq!(refused(stack.read("sys/quotas/lease-count/q").await).0, "not-found");
}

#[tokio::test]
async fn one_lease_too_many_is_refused_and_what_was_issued_is_taken_back() {
    let stack = Stack::open().await;
    stack.mount("issuer", "issuer").await;
    let token = token(&stack).await;
    limit(&stack, "q", "issuer/", 2).await;
    let first = envelope(issue(&stack, &token, "issuer/creds/count-a/600").await);
    envelope(issue(&stack, &token, "issuer/creds/count-b/600").await);
    let path = "issuer/creds/count-c/600";
    assert_eq!(refused(issue(&stack, &token, path).await), exceeded(path));
    eventually("the secret is taken back", async || known("count-c").revoked == 1).await;
    assert_eq!(data(stack.read("sys/quotas/lease-count/q").await)["counter"], json!(2));
    done(stack.write("sys/leases/revoke", json!({"lease_id": first.lease_id, "sync": true})).await);
    envelope(issue(&stack, &token, path).await);
    set_mood("count-a", Mood::Willing);
}

#[tokio::test]
async fn of_many_who_ask_at_once_no_more_get_a_lease_than_there_is_room_for() {
    let stack = Stack::open().await;
    stack.mount("issuer", "issuer").await;
    let token = token(&stack).await;
    limit(&stack, "q", "issuer/creds/at-once*", 5).await;
    let paths: Vec<String> = (0..40).map(|number| format!("issuer/creds/at-once-{number}/600")).collect();
    let answers = join_all(paths.iter().map(|path| issue(&stack, &token, path))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 5);
    // Elsewhere at the same mount there is room.
    envelope(issue(&stack, &token, "issuer/creds/elsewhere/600").await);
}

#[tokio::test]
async fn tokens_count_too_except_those_of_the_root() {
    let stack = Stack::open().await;
    let create = async |body: Value| stack.write("auth/token/create", body).await;
    limit(&stack, "all", "", 1).await;
    envelope(create(json!({"policies": ["default"], "ttl": "1h"})).await);
    let exceeded = exceeded("auth/token/create");
    assert_eq!(refused(create(json!({"policies": ["default"], "ttl": "1h"})).await), exceeded);
    assert_eq!(refused(create(json!({"policies": ["default"], "type": "batch"})).await), exceeded);
    envelope(create(json!({"policies": ["root"]})).await);
}
