//! What a plugin is told, and what its answers mean.

use serde_json::{Value, json};
use wire::{
    Failure,
    router::v1::{self as api, response::Body},
};

use crate::common::{Outcome, Stack, data, done, envelope, header, refused, request};

async fn odd() -> Stack {
    let stack = Stack::open().await;
    stack.mount("odd", "odd").await;
    stack
}

#[tokio::test]
async fn nothing_is_404_for_readers_and_204_for_writers() {
    let stack = odd().await;
    assert_eq!(stack.read("odd/nothing").await.unwrap_err(), Failure::silent(domain::Kind::NotFound));
    assert_eq!(refused(stack.list("odd/nothing/").await).0, "not-found");
    assert_eq!(refused(stack.list("odd/empty-list/").await).0, "not-found");
    done(stack.write("odd/nothing", json!({})).await);
    done(stack.delete("odd/nothing").await);
}

#[tokio::test]
async fn lists_are_lists_of_texts() {
    let stack = odd().await;
    assert_eq!(data(stack.list("odd/list/").await), json!({"keys": ["a", "b/"]}));
    assert_eq!(data(stack.list("odd/other-list/").await), json!({"other": 1}));
    assert_eq!(refused(stack.list("odd/no-list/").await).0, "internal");
}

#[tokio::test]
async fn errors_that_are_answered_stand_alone_and_others_are_listed() {
    let stack = odd().await;
    assert_eq!(refused(stack.read("odd/error").await), ("invalid", "that is wrong".to_owned()));
    let failure = stack.read("odd/error-with-data").await.unwrap_err();
    assert_eq!((failure.messages[0].as_str(), &*failure.data), ("that is wrong", br#"{"a":1}"#.as_slice()));
    assert_eq!(
        refused(stack.read("odd/other").await),
        ("internal", "1 error occurred:\n\t* a fault\n\n".to_owned())
    );
    let failure = stack.read("odd/coded").await.unwrap_err();
    assert_eq!(failure.code, Some(418));
    assert_eq!(refused(stack.ask(&stack.root, "patch", "odd/x", json!({})).await).0, "unsupported");
    assert_eq!(
        refused(stack.write("odd/exists-error", json!({})).await),
        ("invalid", "no such thing".to_owned())
    );
    assert_eq!(refused(stack.read("odd/garbage").await).0, "internal");
    assert_eq!(refused(stack.read("odd/auth").await).0, "internal");
}

#[tokio::test]
async fn raw_answers_and_redirects_go_out_as_they_are() {
    let stack = odd().await;
    let raw = |outcome: Outcome| match outcome.unwrap().body {
        Some(Body::Raw(raw)) => (raw.code, raw.content_type, raw.body),
        other => panic!("not raw: {other:?}"),
    };
    assert_eq!(raw(stack.read("odd/raw").await), (404, "application/json".to_owned(), r#"{"a":1}"#.into()));
    assert_eq!(raw(stack.read("odd/raw-bytes").await), (200, "text/plain".to_owned(), "hello world".into()));
    assert_eq!(refused(stack.read("odd/raw-bad").await).0, "internal");
    let redirect = stack.read("odd/redirect").await.unwrap().body;
    assert_eq!(redirect, Some(Body::Redirect("/elsewhere".to_owned())));
}

#[tokio::test]
async fn g7_a_plugin_is_told_who_asks_but_not_their_token() {
    let stack = odd().await;
    let seen = data(stack.read("odd/a/b").await);
    assert_eq!(seen["path"], json!("a/b"));
    assert_eq!(seen["mount_point"], json!("odd/"));
    assert_eq!(seen["display_name"], json!("root"));
    assert_eq!(seen["client_token"].as_str().unwrap().len(), 40);
    assert_eq!(seen["data"], json!("{}"));
    let open = data(stack.ask("", "read", "odd/open", Value::Null).await);
    assert_eq!(open["display_name"], json!(""));
    assert_eq!(refused(stack.ask("", "read", "odd/closed", Value::Null).await).1, "permission denied");
}

#[tokio::test]
async fn a_write_is_a_creation_when_there_was_nothing() {
    let stack = odd().await;
    for (path, expected) in [("new", "create"), ("old", "update"), ("whatever", "update")] {
        let seen = data(stack.write(&format!("odd/{path}"), json!({"v": 1})).await);
        assert_eq!(seen["operation"], json!(expected), "{path}");
        assert_eq!(seen["data"], json!(r#"{"v":1}"#));
    }
}

#[tokio::test]
async fn g9_headers_pass_only_where_the_mount_lets_them() {
    let stack = odd().await;
    let headers = ["x-let-in", "x-kept-out", "x-vault-token"].map(|name| header(name, "1")).to_vec();
    let ask = async |path: &str| {
        let asked = request("read", path, &Value::Null);
        stack.send(api::Request { token: stack.root.clone(), headers: headers.clone(), ..asked }).await
    };
    assert_eq!(data(ask("odd/x").await)["headers"], json!([]));
    assert!(ask("odd/headers").await.unwrap().headers.is_empty());
    let tune = json!({
        "passthrough_request_headers": ["x-let-in", "X-Vault-Token"], "allowed_response_headers": "x-let-out",
    });
    done(stack.write("sys/mounts/odd/tune", tune).await);
    assert_eq!(data(ask("odd/x").await)["headers"], json!(["X-Let-In"]));
    let out: Vec<String> = ask("odd/headers").await.unwrap().headers.into_keys().collect();
    assert_eq!(out, ["X-Let-Out"]);
}

#[tokio::test]
async fn an_answers_lease_is_told_within_the_mounts_limits() {
    let stack = odd().await;
    assert_eq!(envelope(stack.read("odd/lease").await).lease_duration, 60);
    done(stack.write("sys/mounts/odd/tune", json!({"max_lease_ttl": "30s"})).await);
    let answer = envelope(stack.read("odd/lease").await);
    assert_eq!((answer.lease_duration, answer.lease_id.as_str()), (30, ""));
    assert_eq!(answer.mount_type, "odd");
}

#[tokio::test]
async fn r5_internal_operations_cannot_be_asked_for() {
    let stack = odd().await;
    for operation in ["rollback", "revoke", "renew", "resolve-role", "alias-lookahead", "nonsense", ""] {
        let outcome = stack.ask(&stack.root, operation, "odd/x", json!({})).await;
        assert_eq!(refused(outcome).0, "unsupported", "{operation}");
    }
}

#[tokio::test]
async fn writes_to_folders_are_refused_unless_the_mount_overlooks_the_slash() {
    let stack = odd().await;
    let refusal = refused(stack.write("odd/a/", json!({})).await);
    assert_eq!(refusal, ("invalid", "cannot write to a path ending in '/'".to_owned()));
    done(stack.write("sys/mounts/odd/tune", json!({"trim_request_trailing_slashes": true})).await);
    assert_eq!(data(stack.write("odd/a/", json!({})).await)["path"], json!("a"));
}
