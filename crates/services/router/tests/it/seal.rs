//! Initialising, unsealing, sealing, and who notices.

use serde_json::{Value, json};
use wire::catalog::v1::{SealRequest, UnsealRequest};

use crate::common::{Stack, bare, data, done, refused};

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

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_a_node_stepped_down_is_known_after_it() {
    let stack = Stack::open().await;
    let acknowledged = async |n: u32| {
        let path = format!("at-{n}");
        match stack.write(&format!("sys/mounts/{path}"), json!({"type": "kv"})).await {
            Ok(_) => Some(path),
            Err(failure) => {
                assert_eq!(failure.kind, domain::Kind::Unavailable, "{failure}");
                None
            }
        }
    };
    let step_down = async {
        for _ in 0..10 {
            done(stack.write("sys/step-down", Value::Null).await);
            tokio::task::yield_now().await;
        }
    };
    let mounts = async {
        let mut made = Vec::new();
        for n in 0..40 {
            made.extend(acknowledged(n).await);
        }
        made
    };
    let ((), made) = tokio::join!(step_down, mounts);
    let listed = data(stack.read("sys/mounts").await);
    for path in made {
        assert!(listed.get(format!("{path}/")).is_some(), "{path} was acknowledged");
    }
}
