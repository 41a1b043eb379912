//! What every token keeps for itself.

use domain::Kind;
use futures::future::{join, join_all};
use serde_json::{Value, json};
use wire::router::v1 as api;

use crate::common::{Outcome, Stack, data, done, envelope, eventually, refused, request};

const FORBIDDEN: &str = "1 error occurred:\n\t* permission denied\n\n";

async fn stack() -> Stack {
    let stack = Stack::open().await;
    done(stack.write("sys/auth/people", json!({"type": "login"})).await);
    stack
}

fn nothing(outcome: Outcome) {
    assert_eq!(refused(outcome), ("not-found", String::new()));
}

#[tokio::test]
async fn what_is_written_is_read_listed_and_deleted() {
    let stack = Stack::open().await;
    nothing(stack.list("cubbyhole/").await);
    for path in ["a", "folder/b", "folder/c/d"] {
        done(stack.write(&format!("cubbyhole/{path}"), json!({"at": path, "n": 1.50})).await);
    }
    let read = envelope(stack.read("cubbyhole/folder/b").await);
    assert_eq!((read.mount_type.as_str(), read.lease_duration), ("cubbyhole", 0));
    assert_eq!(&*read.data, br#"{"at":"folder/b","n":1.5}"#);
    assert_eq!(data(stack.list("cubbyhole/").await), json!({"keys": ["a", "folder/"]}));
    assert_eq!(data(stack.list("cubbyhole/folder/").await), json!({"keys": ["b", "c/"]}));
    done(stack.delete("cubbyhole/a").await);
    done(stack.delete("cubbyhole/a").await);
    nothing(stack.read("cubbyhole/a").await);
    nothing(stack.list("cubbyhole/a/").await);
}

#[tokio::test]
async fn nothing_is_kept_without_a_name_or_without_a_value() {
    let stack = Stack::open().await;
    let said = |sentence: &str| ("invalid", format!("1 error occurred:\n\t* {sentence}\n\n"));
    assert_eq!(refused(stack.write("cubbyhole/a", json!({})).await), said("missing data fields"));
    assert_eq!(refused(stack.write("cubbyhole/a", Value::Null).await), said("missing data fields"));
    assert_eq!(refused(stack.write("cubbyhole", json!({"a": 1})).await), said("missing path"));
    assert_eq!(refused(stack.read("cubbyhole").await), said("missing path"));
    nothing(stack.read("cubbyhole/a").await);
}

#[tokio::test]
async fn no_token_sees_what_another_keeps() {
    let stack = stack().await;
    let (alice, bob) = (stack.log_in("alice").await, stack.log_in("bob").await);
    done(stack.ask(&alice, "update", "cubbyhole/a", json!({"mine": true})).await);
    for other in [&bob, &stack.root] {
        nothing(stack.ask(other, "read", "cubbyhole/a", Value::Null).await);
        nothing(stack.ask(other, "list", "cubbyhole/", Value::Null).await);
        done(stack.ask(other, "delete", "cubbyhole/a", Value::Null).await);
    }
    assert_eq!(data(stack.ask(&alice, "read", "cubbyhole/a", Value::Null).await), json!({"mine": true}));
}

#[tokio::test]
async fn what_a_token_keeps_outlives_a_restart_and_is_gone_with_the_token() {
    let mut stack = stack().await;
    let alice = stack.log_in("alice").await;
    for path in ["a", "b/c"] {
        done(stack.ask(&alice, "update", &format!("cubbyhole/{path}"), json!({"mine": true})).await);
    }
    stack.restart();
    assert_eq!(data(stack.ask(&alice, "read", "cubbyhole/b/c", Value::Null).await), json!({"mine": true}));
    assert_eq!(stack.stored_below("core/cubbyhole/").await.len(), 1);
    done(stack.ask(&alice, "update", "auth/token/revoke-self", Value::Null).await);
    assert!(stack.stored_below("core/cubbyhole/").await.is_empty());
}

#[tokio::test]
async fn a_policy_may_allow_to_create_and_not_to_change() {
    let stack = stack().await;
    let policy = r#"path "cubbyhole/*" { capabilities = ["create", "read"] }"#;
    done(stack.write("sys/policies/acl/default", json!({"policy": policy})).await);
    let alice = stack.log_in("alice").await;
    let write = async || stack.ask(&alice, "update", "cubbyhole/a", json!({"n": 1})).await;
    done(write().await);
    assert_eq!(refused(write().await), ("denied", FORBIDDEN.to_owned()));
}

#[tokio::test]
async fn the_mount_is_always_there_and_stays() {
    let mut stack = Stack::open().await;
    // A store from before there were cubbyholes.
    for uuid in stack.stored_below("core/mounts/").await {
        let key = format!("core/mounts/{uuid}");
        if stack.stored(&key).await.unwrap()["path"] == json!("cubbyhole/") {
            stack.unstore(&key).await;
        }
    }
    stack.restart();
    let mounts = data(stack.read("sys/mounts").await);
    let mount = &mounts["cubbyhole/"];
    assert_eq!((&mount["type"], &mount["local"]), (&json!("cubbyhole"), &json!(true)));
    assert_eq!(mount["description"], json!("per-token private secret storage"));
    let accessor = mount["accessor"].as_str().unwrap();
    assert!(accessor.starts_with("cubbyhole_"), "{accessor}");

    assert_eq!(refused(stack.delete("sys/mounts/cubbyhole").await).0, "invalid");
    stack.restart();
    assert_eq!(data(stack.read("sys/mounts").await)["cubbyhole/"]["accessor"], json!(accessor));
}

#[tokio::test]
async fn a_batch_token_has_none() {
    let stack = Stack::open().await;
    let config = json!({"type": "login", "config": {"token_type": "batch"}});
    done(stack.write("sys/auth/people", config).await);
    let token = stack.log_in("alice").await;
    assert!(token.starts_with("hvb."));
    let sentence = "cubbyhole operations are only supported by \"service\" type tokens".to_owned();
    for (operation, path) in [("update", "a"), ("read", "a"), ("list", ""), ("delete", "a")] {
        let outcome = stack.ask(&token, operation, &format!("cubbyhole/{path}"), json!({"a": 1})).await;
        assert_eq!(refused(outcome), ("invalid", sentence.clone()), "{operation}");
    }
    assert!(stack.stored_below("core/cubbyhole/").await.is_empty());
}

#[tokio::test]
async fn a_path_cannot_lead_out() {
    let stack = Stack::open().await;
    for path in ["cubbyhole/../x", "cubbyhole/a/../../../token/id/x", "cubbyhole/a\0b"] {
        let asked = request("update", path, &json!({"a": 1}));
        let outcome = stack.send(api::Request { token: stack.root.clone(), ..asked }).await;
        assert_eq!(refused(outcome).0, "invalid", "{path:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_left_of_what_a_token_writes_while_it_is_revoked() {
    let stack = stack().await;
    let tokens: Vec<String> = join_all((0..50).map(|_| stack.log_in("alice"))).await;
    let ended = tokens.iter().map(async |token| {
        let writes = (0..8).map(async |n| {
            let written = stack.ask(token, "update", &format!("cubbyhole/{n}"), json!({"mine": true})).await;
            if let Err(failure) = written {
                assert_eq!(failure.kind, Kind::Denied);
            }
        });
        let revoked = stack.write("auth/token/revoke", json!({ "token": token }));
        done(join(join_all(writes), revoked).await.1);
    });
    join_all(ended).await;
    assert_eq!(stack.stored_below("core/cubbyhole/").await, Vec::<String>::new());
    assert_eq!(stack.stored_below("core/token/ending/").await, Vec::<String>::new());
}

#[tokio::test]
async fn the_last_use_of_a_token_may_be_a_write_and_nothing_is_left_of_it() {
    let stack = stack().await;
    let asked = json!({"num_uses": 1, "policies": ["default"]});
    let made = envelope(stack.write("auth/token/create", asked).await);
    let auth: Value = serde_json::from_slice(&made.auth).unwrap();
    let token = auth["client_token"].as_str().unwrap();
    done(stack.ask(token, "update", "cubbyhole/a", json!({"mine": true})).await);
    eventually("the token is gone with what it held", async || {
        stack.stored_below("core/cubbyhole/").await.is_empty()
            && stack.stored_below("core/token/ending/").await.is_empty()
    })
    .await;
}
