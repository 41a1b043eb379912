//! Who asks, and what they may do.

use serde_json::{Value, json};
use wire::{pb, router::v1 as api};

use crate::common::{Stack, data, done, envelope, refused, request};

const BAD: &str = "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n";
const FORBIDDEN: &str = "1 error occurred:\n\t* permission denied\n\n";

async fn with_login() -> Stack {
    let stack = Stack::open().await;
    done(stack.write("sys/auth/people", json!({"type": "login"})).await);
    stack
}

#[tokio::test]
async fn a_request_needs_a_good_token() {
    let stack = Stack::open().await;
    for path in ["sys/mounts", "nowhere/a", "auth/nowhere/login/bob"] {
        let ask = async |token: &str| refused(stack.ask(token, "read", path, Value::Null).await);
        assert_eq!(ask("").await, ("denied", "permission denied".to_owned()), "{path}");
        assert_eq!(ask("hvs.wrong").await, ("denied", BAD.to_owned()), "{path}");
    }
}

#[tokio::test]
async fn the_root_token_is_looked_up_in_full() {
    let stack = Stack::open().await;
    let answer = envelope(stack.read("auth/token/lookup-self").await);
    assert_eq!(answer.mount_type, "token");
    let mut looked_up: Value = serde_json::from_slice(&answer.data).unwrap();
    assert_eq!(looked_up["accessor"].take().as_str().unwrap().len(), 24);
    assert!(looked_up["creation_time"].take().is_i64());
    assert_eq!(
        looked_up,
        json!({
            "accessor": null, "creation_time": null, "creation_ttl": 0, "display_name": "root", "entity_id": "",
            "expire_time": null, "explicit_max_ttl": 0, "id": stack.root, "meta": null, "num_uses": 0,
            "orphan": true, "path": "auth/token/root", "policies": ["root"], "ttl": 0, "type": "service",
        })
    );
}

#[tokio::test]
async fn no_token_is_stored_in_clear() {
    let stack = with_login().await;
    let token = stack.log_in("bob").await;
    let ids = stack.stored_below("core/token/id/").await;
    assert_eq!(ids.len(), 2);
    for id in ids {
        let record = stack.stored(&format!("core/token/id/{id}")).await.unwrap().to_string();
        for secret in [&stack.root, &token] {
            assert!(!record.contains(secret.as_str()) && !id.contains(secret.as_str()));
        }
    }
}

#[tokio::test]
async fn a_login_yields_a_token_with_the_policies_and_life_that_its_plugin_says() {
    let stack = with_login().await;
    let answer = envelope(stack.ask("hvs.ignored", "update", "auth/people/login/bob", json!({})).await);
    assert_eq!((answer.mount_type.as_str(), &*answer.data), ("", b"null".as_slice()));
    let auth: Value = serde_json::from_slice(&answer.auth).unwrap();
    assert_eq!(auth["policies"], json!(["bob", "default"]));
    assert_eq!(auth["metadata"], json!({"username": "bob"}));
    assert_eq!((&auth["lease_duration"], &auth["renewable"]), (&json!(600), &json!(true)));
    let token = auth["client_token"].as_str().unwrap();

    let looked_up = data(stack.ask(token, "read", "auth/token/lookup-self", Value::Null).await);
    assert_eq!(looked_up["display_name"], json!("people-bob"));
    assert_eq!(looked_up["path"], json!("auth/people/login/bob"));
    assert_eq!(looked_up["creation_ttl"], json!(600));
    assert!(looked_up["expire_time"].is_string());
    for (operation, path) in [
        ("read", "sys/mounts"),
        ("update", "auth/token/lookup-self"),
        ("read", "people/a"),
        ("update", "sys/seal"),
    ] {
        let outcome = stack.ask(token, operation, path, Value::Null).await;
        assert_eq!(refused(outcome), ("denied", FORBIDDEN.to_owned()), "{operation} {path}");
    }
}

#[tokio::test]
async fn on_login_paths_an_error_stands_alone() {
    let stack = with_login().await;
    let outcome = stack.ask("", "read", "auth/people/login/bob", Value::Null).await;
    assert_eq!(refused(outcome), ("unsupported", "unsupported operation".to_owned()));
}

#[tokio::test]
async fn l11_no_auth_method_makes_a_root_token() {
    let stack = with_login().await;
    for name in ["root", "ROOT"] {
        let outcome = stack.ask("", "update", &format!("auth/people/login/{name}"), json!({})).await;
        assert_eq!(refused(outcome), ("invalid", "auth methods cannot create root tokens".to_owned()));
    }
    assert_eq!(stack.stored_below("core/token/id/").await.len(), 1);
}

#[tokio::test]
async fn t6_a_revoked_token_is_worth_nothing_at_once_and_after_a_restart() {
    let mut stack = with_login().await;
    let token = stack.log_in("bob").await;
    let lookup = async |stack: &Stack| stack.ask(&token, "read", "auth/token/lookup-self", Value::Null).await;
    envelope(lookup(&stack).await);
    done(stack.ask(&token, "update", "auth/token/revoke-self", Value::Null).await);
    assert_eq!(refused(lookup(&stack).await).1, BAD);
    stack.restart();
    assert_eq!(refused(lookup(&stack).await).1, BAD);
    assert_eq!(stack.stored_below("core/token/id/").await.len(), 1);
}

#[tokio::test]
async fn uses_are_counted_once_each_however_many_ask_at_the_same_time() {
    let stack = with_login().await;
    let token = stack.log_in("limited").await;
    let asks = (0..16).map(|_| stack.ask(&token, "read", "auth/token/lookup-self", Value::Null));
    let outcomes = futures::future::join_all(asks).await;
    let mut left: Vec<i64> = outcomes
        .into_iter()
        .filter(Result::is_ok)
        .map(|outcome| data(outcome)["num_uses"].as_i64().unwrap())
        .collect();
    left.sort_unstable();
    assert_eq!(left, [-1, 1, 2]);
}

#[tokio::test]
async fn a_token_bound_to_a_network_is_refused_elsewhere() {
    let stack = with_login().await;
    let token = stack.log_in("bound").await;
    let from = async |address: &str| {
        let connection =
            Some(pb::Connection { remote_addr: address.to_owned(), ..pb::Connection::default() });
        let asked = request("read", "auth/token/lookup-self", &Value::Null);
        stack.send(api::Request { token: token.clone(), connection, ..asked }).await
    };
    assert_eq!(refused(from("127.0.0.1").await).1, FORBIDDEN);
    envelope(from("10.1.2.3").await);
}

#[tokio::test]
async fn a_login_is_renewed_by_the_plugin_that_vouched_for_it() {
    let stack = with_login().await;
    let renew = async |token: &str| {
        stack.ask(token, "update", "auth/token/renew-self", json!({"increment": "20m"})).await
    };
    let token = stack.log_in("bob").await;
    let auth = crate::common::auth(renew(&token).await);
    assert_eq!((&auth["lease_duration"], &auth["client_token"]), (&json!(1200), &json!(token)));
    let forgotten = stack.log_in("forgotten").await;
    done(renew(&forgotten).await);
    let seen = data(stack.ask(&forgotten, "read", "auth/token/lookup-self", Value::Null).await);
    assert!(seen["ttl"].as_u64().unwrap() <= 600);
}

#[tokio::test]
async fn a_mount_may_say_that_its_logins_yield_batch_tokens() {
    let stack = with_login().await;
    done(stack.write("sys/auth/people/tune", json!({"token_type": "batch"})).await);
    let token = stack.log_in("bob").await;
    assert!(token.starts_with("hvb."));
    let seen = data(stack.ask(&token, "read", "auth/token/lookup-self", Value::Null).await);
    assert_eq!((&seen["type"], &seen["display_name"]), (&json!("batch"), &json!("people-bob")));
    let limited = stack.ask("", "update", "auth/people/login/limited", json!({})).await;
    assert_eq!(refused(limited).1, r#"batch tokens cannot have "num_uses" set"#);
}
