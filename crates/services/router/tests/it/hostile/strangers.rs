//! Who has no token asks for everything that there is.

use domain::Kind;
use serde_json::json;

use crate::common::{Stack, bare, done};

/// Where people log in: open by the word of the plugins.
const LOGINS: [&str; 2] = ["/auth/userpass/login/", "/auth/approle/login"];

#[tokio::test]
async fn g5_a_stranger_is_refused_wherever_it_is_not_said_that_everybody_may_ask() {
    let stack = Stack::open().await;
    for (path, kind) in [("kv", "kv"), ("kv2", "kv-v2")] {
        stack.mount(path, kind).await;
    }
    for kind in ["userpass", "approle"] {
        done(stack.write(&format!("sys/auth/{kind}"), json!({"type": kind})).await);
    }
    let document = bare(stack.read("sys/internal/specs/openapi").await);
    let mut refused = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let login = LOGINS.iter().any(|login| path.starts_with(login));
        if login || item["x-vault-unauthenticated"] == json!(true) {
            continue;
        }
        let path = path.trim_start_matches('/').replace(['{', '}'], "x");
        for operation in ["create", "read", "update", "patch", "delete", "list"] {
            for token in ["", "root", "hvs.nobody", "hvb.nobody"] {
                let failure = stack.ask(token, operation, &path, json!({"token": token})).await.unwrap_err();
                assert!(
                    matches!(failure.kind, Kind::Denied | Kind::Invalid),
                    "{operation} {path}: {failure:?}"
                );
                refused += 1;
            }
        }
    }
    assert!(refused > 2_000, "{refused}");
    // Nothing has come of any of it.
    assert!(!stack.state().await.sealed);
    assert!(stack.stored_below("core/policies/").await.is_empty());
}
