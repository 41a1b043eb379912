//! Words that mean something at their place, elsewhere.

use domain::Operation;
use serde_json::{Value, json};

use crate::common::{Stack, data, done, refused};

/// What begins a path of ours, ends one, asks for something in a query, or stands for others in a policy.
const WORDS: [&str; 30] = [
    "sys",
    "auth",
    "root",
    "cubbyhole",
    "identity",
    "audit",
    "token",
    "namespaces",
    "v1",
    "init",
    "unseal",
    "seal",
    "seal-status",
    "health",
    "leader",
    "login",
    "open",
    "list",
    "help",
    "create",
    "lookup-self",
    "tune",
    "metadata",
    "data",
    "default",
    "deny",
    "sudo",
    "+",
    "*",
    "{{identity.entity.id}}",
];

/// An engine of which `odd/open` is open to everybody and `odd/root/` for who has sudo.
async fn stack() -> Stack {
    let stack = Stack::open().await;
    stack.mount("odd", "odd").await;
    done(stack.write("sys/auth/people", json!({"type": "login"})).await);
    stack
}

#[tokio::test]
async fn r2_no_word_means_anything_in_the_middle_of_a_path() {
    let stack = stack().await;
    let policy = r#"path "odd/safe/*" { capabilities = ["read"] }"#;
    done(stack.write("sys/policies/acl/bob", json!({"policy": policy})).await);
    let bob = stack.log_in("bob").await;
    for word in WORDS {
        for rest in [
            format!("safe/{word}"),
            format!("safe/{word}/seal"),
            format!("safe/{word}/login/bob"),
            format!("safe/a/{word}/b"),
        ] {
            let path = format!("odd/{rest}");
            for token in [&stack.root, &bob] {
                let seen = data(stack.ask(token, "read", &path, Value::Null).await);
                assert_eq!(seen["path"], json!(rest), "the plugin gets it as it is");
            }
            for operation in [Operation::Read, Operation::Update, Operation::Delete] {
                let outcome = stack.ask("", operation.word(), &path, json!({})).await;
                assert_eq!(refused(outcome), ("denied", "permission denied".to_owned()), "{path}");
            }
            let elsewhere = path.replace("safe", "other");
            assert_eq!(
                refused(stack.ask(&bob, "read", &elsewhere, Value::Null).await).0,
                "denied",
                "{elsewhere}"
            );
            assert_eq!(refused(stack.ask(&bob, "update", &path, json!({})).await).0, "denied", "{path}");
        }
    }
}

#[tokio::test]
async fn r2_a_mount_may_have_a_name_that_begins_or_ends_like_one_of_ours() {
    let stack = stack().await;
    for at in
        ["sysx", "systems/sys", "x/auth", "a/sys/seal", "auths", "token/create", "login", "v1", "open/root"]
    {
        stack.mount(at, "odd").await;
        let seen = data(stack.read(&format!("{at}/sys/mounts")).await);
        assert_eq!((&seen["path"], &seen["mount_point"]), (&json!("sys/mounts"), &json!(format!("{at}/"))));
        let stranger = stack.ask("", "read", &format!("{at}/x/open"), Value::Null).await;
        assert_eq!(refused(stranger).0, "denied", "{at}");
    }
    assert!(!stack.state().await.sealed);
}
