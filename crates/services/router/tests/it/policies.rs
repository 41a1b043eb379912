//! What the holders of policies may do, and how policies are looked after.

use serde_json::{Value, json};

use crate::common::{Outcome, Stack, auth, data, done, envelope, refused};

const FORBIDDEN: (&str, &str) = ("denied", "1 error occurred:\n\t* permission denied\n\n");

/// With a secrets engine at `odd/`, and an auth method that gives everybody the policy of their name.
async fn with_login() -> Stack {
    let stack = Stack::open().await;
    stack.mount("odd", "odd").await;
    done(stack.write("sys/auth/people", json!({"type": "login"})).await);
    stack
}

async fn login(stack: &Stack, name: &str) -> Value {
    auth(stack.ask("", "update", &format!("auth/people/login/{name}"), json!({})).await)
}

async fn policy(stack: &Stack, name: &str, text: &str) {
    done(stack.write(&format!("sys/policies/acl/{name}"), json!({"policy": text})).await);
}

fn is_forbidden(outcome: Outcome) -> bool {
    outcome.is_err_and(|failure| (failure.kind.word(), failure.messages.join("; ").as_str()) == FORBIDDEN)
}

#[tokio::test]
async fn a_login_may_do_what_its_policies_say_and_nothing_else() {
    let stack = with_login().await;
    let token = stack.log_in("bob").await;
    let ask = async |operation: &str, path: &str| stack.ask(&token, operation, path, Value::Null).await;
    assert!(is_forbidden(ask("read", "odd/a").await));

    policy(&stack, "bob", r#"path "odd/a" { capabilities = ["read"] }"#).await;
    assert_eq!(data(ask("read", "odd/a").await)["path"], json!("a"));
    for (operation, path) in [
        ("update", "odd/a"),
        ("delete", "odd/a"),
        ("list", "odd/a/"),
        ("read", "odd/b"),
        ("read", "sys/mounts"),
        ("update", "sys/seal"),
        ("update", "sys/policies/acl/bob"),
        ("read", "auth/people/users/bob"),
    ] {
        assert!(is_forbidden(ask(operation, path).await), "{operation} {path}");
    }

    policy(&stack, "bob", r#"path "odd/a" { capabilities = ["deny"] }"#).await;
    assert!(is_forbidden(ask("read", "odd/a").await));
}

#[tokio::test]
async fn to_create_and_to_change_are_different_things() {
    let stack = with_login().await;
    policy(&stack, "maker", r#"path "odd/*" { capabilities = ["create"] }"#).await;
    policy(&stack, "mender", r#"path "odd/*" { capabilities = ["update"] }"#).await;
    for (name, allowed, forbidden) in [("maker", "new", "old"), ("mender", "old", "new")] {
        let token = stack.log_in(name).await;
        let write = async |path: &str| stack.ask(&token, "update", &format!("odd/{path}"), json!({})).await;
        assert!(write(allowed).await.is_ok(), "{name}");
        assert!(is_forbidden(write(forbidden).await), "{name}");
    }
}

#[tokio::test]
async fn parameters_are_looked_at() {
    let stack = with_login().await;
    policy(
        &stack,
        "bob",
        r#"path "odd/a" { capabilities = ["update"] allowed_parameters = {"a" = ["x*"]} required_parameters = ["a"] }"#,
    )
    .await;
    let token = stack.log_in("bob").await;
    let write = async |body: Value| stack.ask(&token, "update", "odd/a", body).await;
    assert!(write(json!({"a": "xyz"})).await.is_ok());
    for body in [json!({"a": "y"}), json!({"a": "x", "b": 1}), json!({}), Value::Null] {
        assert!(is_forbidden(write(body.clone()).await), "{body}");
    }
}

#[tokio::test]
async fn c8_the_catalog_needs_sudo_and_so_do_the_paths_that_plugins_name() {
    let stack = with_login().await;
    let all = r#"["create", "read", "update", "delete", "list"]"#;
    policy(&stack, "bob", &format!(r#"path "*" {{ capabilities = {all} }}"#)).await;
    let token = stack.log_in("bob").await;
    for (operation, path) in [
        ("update", "sys/plugins/catalog/secret/mine"),
        ("read", "sys/plugins/catalog/secret/kv"),
        ("delete", "sys/plugins/catalog/secret/mine"),
        ("list", "sys/plugins/catalog/secret/"),
        ("read", "sys/plugins/pins/secret/mine"),
        ("update", "sys/plugins/pins/secret/mine"),
        ("delete", "sys/plugins/pins/secret/mine"),
        ("read", "sys/plugins/runtimes/catalog/container/mine"),
        ("update", "sys/plugins/runtimes/catalog/container/mine"),
        ("delete", "sys/plugins/runtimes/catalog/container/mine"),
        ("update", "sys/auth/more"),
        ("update", "sys/seal"),
        ("read", "odd/root/a"),
    ] {
        assert!(is_forbidden(stack.ask(&token, operation, path, json!({})).await), "{operation} {path}");
    }
    for path in [
        "sys/plugins/catalog/mine",
        "sys/plugins/catalog/secret/mine",
        "sys/plugins/catalog/secret/team/mine",
        "sys/plugins/pins/secret/mine",
        "sys/plugins/runtimes/catalog/container/mine",
    ] {
        for operation in ["create", "read", "update", "patch", "delete", "list"] {
            let outcome = stack.ask(&token, operation, path, json!({})).await;
            assert!(is_forbidden(outcome), "{operation} {path}");
        }
    }
    assert!(stack.ask(&token, "read", "odd/a", Value::Null).await.is_ok());

    policy(&stack, "bob", r#"path "*" { policy = "sudo" }"#).await;
    assert!(stack.ask(&token, "read", "odd/root/a", Value::Null).await.is_ok());
    assert!(stack.ask(&token, "read", "sys/plugins/catalog/secret/kv", Value::Null).await.is_ok());
}

#[tokio::test]
async fn r4_what_is_forbidden_and_what_is_absent_look_the_same() {
    let stack = with_login().await;
    let token = stack.log_in("bob").await;
    for path in ["odd/a", "absent/a", "sys/mounts", "sys/absent", "auth/people/x", "auth/absent/x"] {
        assert!(is_forbidden(stack.ask(&token, "read", path, Value::Null).await), "{path}");
    }
    let preflight = async |path: &str| {
        let (kind, message) =
            refused(stack.ask(&token, "read", &format!("sys/internal/ui/mounts/{path}"), Value::Null).await);
        (kind, message.replace(path, ""))
    };
    assert_eq!(preflight("odd/a").await, preflight("absent/a").await);
}

#[tokio::test]
async fn mounts_are_shown_to_those_who_may_do_something_in_them() {
    let stack = with_login().await;
    policy(&stack, "bob", r#"path "odd/some/+" { capabilities = ["read"] }"#).await;
    let token = stack.log_in("bob").await;
    let seen = data(stack.ask(&token, "read", "sys/internal/ui/mounts", Value::Null).await);
    assert_eq!(
        seen["secret"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["cubbyhole/", "identity/", "odd/", "sys/"]
    );
    assert_eq!(seen["auth"].as_object().unwrap().keys().collect::<Vec<_>>(), ["token/"]);
    let one = data(stack.ask(&token, "read", "sys/internal/ui/mounts/odd/x", Value::Null).await);
    assert_eq!(one["path"], json!("odd/"));

    policy(&stack, "bob", r#"path "odd/*" { capabilities = ["deny"] }"#).await;
    let seen = data(stack.ask(&token, "read", "sys/internal/ui/mounts", Value::Null).await);
    assert_eq!(
        seen["secret"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["cubbyhole/", "identity/", "sys/"]
    );
}

#[tokio::test]
async fn callers_learn_what_they_may_do() {
    let stack = with_login().await;
    policy(
        &stack,
        "bob",
        r#"path "odd/+/a*" { capabilities = ["read", "list"] }
           path "odd/x" { capabilities = ["update"] denied_parameters = {"D" = []} }"#,
    )
    .await;
    let made = login(&stack, "bob").await;
    let token = made["client_token"].as_str().unwrap();

    let acl = data(stack.ask(token, "read", "sys/internal/ui/resultant-acl", Value::Null).await);
    assert_eq!(acl["chroot_namespace"], json!(""));
    assert_eq!(acl["glob_paths"]["odd/+/a"], json!({"capabilities": ["list", "read"]}));
    assert_eq!(
        acl["exact_paths"]["odd/x"],
        json!({"capabilities": ["update"], "denied_parameters": {"d": []}})
    );
    assert_eq!(acl["exact_paths"]["auth/token/lookup-self"], json!({"capabilities": ["read"]}));

    let expected = json!({"odd/b/a": ["list", "read"], "odd/y": ["deny"]});
    let paths = json!(["odd/b/a", "odd/y"]);
    let own = stack.ask(token, "update", "sys/capabilities-self", json!({"paths": paths})).await;
    assert_eq!(data(own), expected);
    let by_token = json!({"token": token, "paths": paths});
    assert_eq!(data(stack.write("sys/capabilities", by_token).await), expected);
    let by_accessor = json!({"accessor": made["accessor"], "paths": paths});
    assert_eq!(data(stack.write("sys/capabilities-accessor", by_accessor).await), expected);

    let one = data(stack.write("sys/capabilities-self", json!({"path": "odd/x"})).await);
    assert_eq!(one, json!({"odd/x": ["root"], "capabilities": ["root"]}));
}

#[tokio::test]
async fn questions_about_tokens_that_do_not_exist_are_refused() {
    let stack = with_login().await;
    let made = login(&stack, "bob").await;
    let token = made["client_token"].as_str().unwrap();
    done(stack.ask(token, "update", "auth/token/revoke-self", json!({})).await);
    for (path, body, kind, why) in [
        ("capabilities", json!({"token": token, "paths": "a"}), "invalid", "invalid token"),
        ("capabilities", json!({"paths": "a"}), "internal", "no token found"),
        ("capabilities-accessor", json!({"accessor": made["accessor"]}), "invalid", "invalid accessor"),
        ("capabilities-accessor", json!({"accessor": ""}), "invalid", "invalid accessor"),
    ] {
        let listed = format!("1 error occurred:\n\t* {why}\n\n");
        assert_eq!(refused(stack.write(&format!("sys/{path}"), body).await), (kind, listed), "{path}");
    }
    let none = refused(stack.write("sys/capabilities-self", json!({"paths": []})).await);
    assert_eq!(none, ("invalid", "paths must be supplied".to_owned()));
    assert_eq!(stack.stored_below("core/token/accessor/").await.len(), 1);
}

#[tokio::test]
async fn policies_outlive_a_restart_and_may_have_any_name() {
    let mut stack = Stack::open().await;
    let text = r#"path "a" { capabilities = ["read"] }"#;
    for name in ["team/a", "a..b", "p%2f"] {
        policy(&stack, name, text).await;
    }
    policy(&stack, "default", text).await;
    stack.restart();
    let keys = data(stack.list("sys/policies/acl/").await)["keys"].take();
    assert_eq!(keys, json!(["a..b", "default", "p%2f", "team/a", "root"]));
    for name in ["team/a", "default"] {
        let read = data(stack.read(&format!("sys/policies/acl/{name}")).await);
        assert_eq!(read, json!({"name": name, "policy": text}));
    }
    done(stack.delete("sys/policies/acl/team/a").await);
    stack.restart();
    assert_eq!(refused(stack.read("sys/policy/team/a").await).0, "not-found");
}

#[tokio::test]
async fn t1_root_is_no_policy_that_can_be_written() {
    let stack = Stack::open().await;
    for name in ["root", "ROOT", "response-wrapping"] {
        let body = json!({"policy": r#"path "a" { capabilities = ["read"] }"#});
        let (kind, message) = refused(stack.write(&format!("sys/policies/acl/{name}"), body).await);
        assert_eq!((kind, message), ("invalid", format!("cannot update {:?} policy", name.to_lowercase())));
        let (kind, message) = refused(stack.delete(&format!("sys/policy/{name}")).await);
        assert_eq!((kind, message), ("invalid", format!("cannot delete {:?} policy", name.to_lowercase())));
    }
}

#[tokio::test]
async fn c1_a_damaged_policy_stops_its_holders_and_nothing_else() {
    let mut stack = with_login().await;
    policy(&stack, "bob", r#"path "odd/*" { capabilities = ["read"] }"#).await;
    let token = stack.log_in("bob").await;
    stack.store("core/policies/acl/bob", b"{").await;
    stack.restart();
    assert!(is_forbidden(stack.ask(&token, "read", "odd/a", Value::Null).await));
    assert!(is_forbidden(stack.ask(&token, "read", "auth/token/lookup-self", Value::Null).await));

    policy(&stack, "bob", r#"path "odd/*" { capabilities = ["read"] }"#).await;
    assert!(stack.ask(&token, "read", "odd/a", Value::Null).await.is_ok());
}

#[tokio::test]
async fn texts_may_be_sent_in_base64_and_names_in_upper_case() {
    let stack = Stack::open().await;
    // printf 'path "a" { policy = "read" }' | base64
    let body = json!({"policy": "cGF0aCAiYSIgeyBwb2xpY3kgPSAicmVhZCIgfQ=="});
    let answer = envelope(stack.write("sys/policies/acl/Encoded", body).await);
    assert_eq!(answer.warnings, ["policy name was converted to encoded"]);
    let read = data(stack.read("sys/policy/encoded").await);
    assert_eq!(read, json!({"name": "encoded", "rules": r#"path "a" { policy = "read" }"#}));
}
