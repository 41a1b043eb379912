//! Initialising, unsealing, sealing, and who notices.

use std::sync::atomic::{AtomicBool, Ordering};

use domain::Kind;
use serde_json::{Value, json};
use wire::{
    catalog::v1::{SealRequest, UnsealRequest},
    router::v1 as api,
};

use crate::common::{Stack, auth, bare, data, done, refused, request};

#[tokio::test]
async fn while_sealed_only_the_endpoints_that_open_it_answer() {
    let stack = Stack::sealed().await;
    for path in ["sys/mounts", "secret/a", "auth/token/lookup-self", "nowhere", "sys/internal/ui/mounts"] {
        assert_eq!(refused(stack.read(path).await), ("sealed", "Vault is sealed".to_owned()), "{path}");
    }
    assert_eq!(refused(stack.ask("", "help", "sys/init", Value::Null).await).0, "sealed");
    let status = bare(stack.ask("", "read", "sys/seal-status", Value::Null).await);
    assert_eq!(status["sealed"], json!(true));
    assert_eq!(status["version"], json!("1.2.3"));
    assert_eq!(status.get("cluster_name"), None);
    assert_eq!(bare(stack.ask("", "read", "sys/leader", Value::Null).await)["ha_enabled"], json!(false));
    done(stack.ask("", "update", "sys/seal", Value::Null).await);
    assert_eq!(
        refused(stack.ask("", "read", "sys/unseal", Value::Null).await),
        ("unsupported", String::new())
    );
}

#[tokio::test]
async fn a_server_is_initialised_once() {
    let stack = Stack::fresh().await;
    assert_eq!(bare(stack.ask("", "read", "sys/init", Value::Null).await), json!({"initialized": false}));
    let body = json!({"secret_shares": 3, "secret_threshold": 2});
    let made = bare(stack.ask("", "update", "sys/init", body.clone()).await);
    assert_eq!(made["keys"].as_array().unwrap().len(), 3);
    assert_eq!(made["keys_base64"].as_array().unwrap().len(), 3);
    assert_eq!(made["root_token"].as_str().unwrap().len(), 28);
    assert_eq!(
        refused(stack.ask("", "update", "sys/init", body).await),
        ("invalid", "Vault is already initialized".to_owned())
    );
    let state = stack.state().await;
    assert!(state.initialized && state.sealed);
}

#[tokio::test]
async fn unsealing_says_how_far_it_has_come_and_what_is_wrong() {
    let stack = Stack::fresh().await;
    let unseal = async |body: Value| stack.ask("", "update", "sys/unseal", body).await;
    assert_eq!(refused(unseal(json!({"key": "00"})).await).1, "'key' must be a valid hex or base64 string");
    let body = json!({"secret_shares": 3, "secret_threshold": 2});
    let made = bare(stack.ask("", "update", "sys/init", body).await);
    assert_eq!(
        refused(unseal(json!({})).await).1,
        "'key' must be specified in request body as JSON, or 'reset' set to true"
    );
    let status = bare(unseal(json!({"key": made["keys"][0], "reset": false, "migrate": false})).await);
    assert_eq!((&status["progress"], &status["t"], &status["n"]), (&json!(1), &json!(2), &json!(3)));
    assert_ne!(status["nonce"], json!(""));
    let status = bare(unseal(json!({"reset": true})).await);
    assert_eq!((&status["progress"], &status["nonce"]), (&json!(0), &json!("")));
    bare(unseal(json!({"key": made["keys_base64"][1]})).await);
    let status = bare(unseal(json!({"key": made["keys"][2]})).await);
    assert_eq!(status["sealed"], json!(false));
    assert!(status["cluster_name"].is_string());
    assert_eq!(bare(unseal(json!({"key": made["keys"][0]})).await)["sealed"], json!(false));
    assert_eq!(refused(unseal(json!({"reset": true})).await).1, "vault is unsealed");
}

#[tokio::test]
async fn sealing_ends_everything_and_unsealing_brings_it_back() {
    let stack = Stack::open().await;
    stack.mount("kv", "kv").await;
    done(stack.write("kv/a", json!({"v": 1})).await);
    assert_eq!(refused(stack.ask("", "update", "sys/seal", Value::Null).await).1, "permission denied");
    done(stack.write("sys/seal", Value::Null).await);
    assert_eq!(refused(stack.read("kv/a").await).0, "sealed");
    stack.unseal().await;
    assert_eq!(data(stack.read("kv/a").await), json!({"v": 1}));
}

#[tokio::test]
async fn a_barrier_that_was_closed_and_opened_by_others_is_noticed() {
    let stack = Stack::open().await;
    stack.mount("kv", "kv").await;
    done(stack.write("kv/a", json!({"v": 1})).await);
    let barrier = stack.catalog.barrier_client();
    barrier.seal(SealRequest {}).await.unwrap();
    assert!(stack.state().await.sealed);
    assert_eq!(refused(stack.read("kv/a").await).0, "sealed");
    let share = hex::decode(&stack.key).unwrap().into();
    barrier.unseal(UnsealRequest { share, reset: false }).await.unwrap();
    assert_eq!(data(stack.read("kv/a").await), json!({"v": 1}));
    barrier.seal(SealRequest {}).await.unwrap();
    assert_eq!(refused(stack.read("kv/a").await).0, "sealed");
    assert_eq!(refused(stack.read("sys/mounts").await).0, "sealed");
}

#[tokio::test]
async fn rotating_adds_a_term() {
    let stack = Stack::open().await;
    assert_eq!(data(stack.read("sys/key-status").await)["term"], json!(1));
    done(stack.write("sys/rotate", Value::Null).await);
    done(stack.write("sys/rotate/keyring", Value::Null).await);
    assert_eq!(data(stack.read("sys/key-status").await)["term"], json!(3));
}

#[tokio::test]
async fn a_node_that_steps_down_keeps_everything_and_serves_on() {
    let stack = Stack::open().await;
    stack.mount("kv", "kv").await;
    done(stack.write("kv/a", json!({"v": "1"})).await);
    assert_eq!(refused(stack.ask("", "update", "sys/step-down", Value::Null).await).0, "denied");
    for round in 0..3 {
        done(stack.write("sys/step-down", Value::Null).await);
        assert!(!stack.state().await.sealed);
        assert_eq!(data(stack.read("kv/a").await), json!({"v": "1"}), "{round}");
    }
}

/// Mounts one engine after the other, while this goes on beside; those that are acknowledged have to be there then.
async fn mounts_stay_that_are_made_during(stack: &Stack, trouble: impl Future<Output = ()>) {
    let acknowledged = async |n: u32| {
        let path = format!("at-{n}");
        match stack.write(&format!("sys/mounts/{path}"), json!({"type": "kv"})).await {
            Ok(_) => Some(path),
            Err(failure) => {
                assert!(matches!(failure.kind, Kind::Unavailable | Kind::Sealed), "{failure}");
                None
            }
        }
    };
    let mounts = async {
        let mut made = Vec::new();
        for n in 0..40 {
            made.extend(acknowledged(n).await);
            tokio::task::yield_now().await;
        }
        made
    };
    let ((), made) = tokio::join!(trouble, mounts);
    let listed = data(stack.read("sys/mounts").await);
    for path in made {
        assert!(listed.get(format!("{path}/")).is_some(), "{path} was acknowledged");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_a_node_stepped_down_is_known_after_it() {
    let stack = Stack::open().await;
    let step_down = async {
        for _ in 0..10 {
            done(stack.write("sys/step-down", Value::Null).await);
            tokio::task::yield_now().await;
        }
    };
    mounts_stay_that_are_made_during(&stack, step_down).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_a_seal_is_known_after_it() {
    let stack = Stack::open().await;
    let seal = async {
        for _ in 0..10 {
            done(stack.write("sys/seal", Value::Null).await);
            stack.unseal().await;
            tokio::task::yield_now().await;
        }
    };
    mounts_stay_that_are_made_during(&stack, seal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_that_their_token_is_bad_because_a_node_steps_down() {
    let stack = Stack::open().await;
    let at = async |namespace: &str, token: &str, operation: &str, path: &str, body: Value| {
        let asked = request(operation, path, &body);
        let (token, namespace) = (token.to_owned(), namespace.to_owned());
        stack.send(api::Request { token, namespace, ..asked }).await
    };
    data(at("", &stack.root, "update", "sys/namespaces/team", Value::Null).await);
    data(at("team", &stack.root, "update", "sys/namespaces/sub", Value::Null).await);
    let policy = json!({"policy": r#"path "sub/sys/mounts" { capabilities = ["read"] }"#});
    done(at("team", &stack.root, "update", "sys/policies/acl/look", policy).await);
    let made = at("team", &stack.root, "update", "auth/token/create", json!({"policies": ["look"]})).await;
    let token = auth(made)["client_token"].as_str().unwrap().to_owned();
    let over = AtomicBool::new(false);
    let step_down = async {
        for _ in 0..50 {
            done(stack.write("sys/step-down", Value::Null).await);
        }
        over.store(true, Ordering::Relaxed);
    };
    let look = async {
        while !over.load(Ordering::Relaxed) {
            if let Err(failure) = at("team/sub", &token, "read", "sys/mounts", Value::Null).await {
                assert_eq!(failure.kind, Kind::Unavailable, "{failure}");
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(step_down, look);
    data(at("team/sub", &token, "read", "sys/mounts", Value::Null).await);
}
