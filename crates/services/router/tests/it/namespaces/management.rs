//! How namespaces are made, named, listed and changed, and what is asked of all of them.

use serde_json::{Value, json};

use super::there::{There, kind};
use crate::common::{Stack, bare, data, done, envelope, refused};

#[tokio::test]
async fn namespaces_are_made_read_listed_changed_and_deleted() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    assert_eq!(kind(root.list("sys/namespaces/").await), "not-found");
    let made =
        data(root.write("sys/namespaces/team", json!({"custom_metadata": {"a": "1", "b": "2"}})).await);
    assert_eq!(
        (&made["path"], &made["tainted"], &made["locked"]),
        (&json!("team/"), &json!(false), &json!(false))
    );
    assert_eq!(made["id"].as_str().unwrap().len(), 5);
    assert_eq!(made["custom_metadata"], json!({"a": "1", "b": "2"}));
    assert_eq!(data(root.read("sys/namespaces/team").await), made);

    let patch = json!({"custom_metadata": {"a": null, "c": "3"}});
    let patched = data(root.ask("patch", "sys/namespaces/team", patch).await);
    assert_eq!(patched["custom_metadata"], json!({"b": "2", "c": "3"}));
    assert_eq!(patched["id"], made["id"]);

    let inner = root.at("team/").make("inner").await;
    assert_eq!(inner["path"], "team/inner/");
    let listed = data(root.list("sys/namespaces/").await);
    assert_eq!(listed["keys"], json!(["team/"]));
    assert_eq!(listed["key_info"]["team/"], patched);
    assert_eq!(data(root.at("team").list("sys/namespaces/").await)["keys"], json!(["inner/"]));
    assert_eq!(data(root.list("team/sys/namespaces/").await)["keys"], json!(["inner/"]));

    let refusal = root.delete("sys/namespaces/team").await.unwrap_err();
    assert_eq!(
        (refusal.code, refusal.messages),
        (Some(409), vec!["unable to delete namespace containing child namespaces".to_owned()])
    );
    let gone = data(root.at("team").delete("sys/namespaces/inner").await);
    assert_eq!(gone, json!({"status": "in-progress"}));
    root.at("team").is_deleted("inner").await;
    data(root.delete("sys/namespaces/team").await);
    root.is_deleted("team").await;
    assert_eq!(
        envelope(root.delete("sys/namespaces/team").await).warnings,
        ["requested namespace does not exist"]
    );
}

#[tokio::test]
async fn a_name_that_cannot_be_one_is_refused() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    root.mount("kv", "kv").await;
    root.mount("deep/kv", "kv").await;
    for (name, sentence) in [
        ("root", r#""root/" is a reserved path and cannot be used as a namespace name"#),
        ("identity", r#""identity/" is a reserved path and cannot be used as a namespace name"#),
        ("..", r#""../" is a reserved path and cannot be used as a namespace name"#),
        ("a b", r#""a b" contains space characters that cannot be used in a namespace name"#),
        ("a/b", "namespace name cannot contain /"),
        ("kv", "new namespace conflicts with existing mount: kv/"),
        ("deep", "new namespace conflicts with existing mount: deep/kv/"),
    ] {
        let outcome = root.write(&format!("sys/namespaces/{name}"), Value::Null).await;
        assert_eq!(refused(outcome), ("invalid", sentence.to_owned()), "{name}");
    }
    root.make("team").await;
    for path in ["team", "team/kv"] {
        let outcome = root.write(&format!("sys/mounts/{path}"), json!({"type": "kv"})).await;
        // The second is a mount of the namespace's own to make, and asked for in the wrong one.
        assert_eq!(kind(outcome), "invalid", "{path}");
    }
    let outcome = root.write("sys/remount", json!({"from": "kv", "to": "team"})).await;
    assert_eq!(kind(outcome), "invalid");
}

#[tokio::test]
async fn a_namespace_is_meant_by_name_by_path_and_by_both_and_an_unknown_name_is_none() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    root.make("a").await;
    root.at("a").make("b").await;
    root.at("a/b").mount("kv", "kv").await;
    done(root.at("a/b").write("kv/x", json!({"v": 1})).await);
    for (called, path) in
        [("a/b", "kv/x"), ("/a/b/", "kv/x"), ("a", "b/kv/x"), ("", "a/b/kv/x"), ("root", "a/b/kv/x")]
    {
        assert_eq!(data(root.at(called).read(path).await), json!({"v": 1}), "{called} {path}");
    }
    for called in ["c", "a/c", "a/b/kv", "..", "a//b"] {
        let outcome = root.at(called).read("kv/x").await;
        assert_eq!(refused(outcome), ("not-found", "namespace not found".to_owned()), "{called}");
    }
    let refusal = refused(root.read("c/kv/x").await);
    assert_eq!(refusal, ("not-found", r#"no handler for route "c/kv/x". route entry not found."#.to_owned()));
}

#[tokio::test]
async fn what_is_of_the_whole_server_is_asked_of_the_root_namespace_only() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    root.make("team").await;
    for (operation, path) in [
        ("update", "sys/seal"),
        ("read", "sys/audit"),
        ("update", "sys/audit/file"),
        ("update", "sys/audit-hash/file"),
        ("read", "sys/generate-root/attempt"),
        ("read", "sys/rekey/init"),
        ("update", "sys/rotate"),
        ("read", "sys/key-status"),
        ("update", "sys/unseal"),
        ("read", "sys/init"),
        ("read", "sys/config/state/sanitized"),
        ("read", "sys/config/cors"),
        ("read", "sys/loggers"),
        ("list", "sys/quotas/rate-limit/"),
        ("list", "sys/plugins/catalog/secret/"),
        ("read", "sys/plugins/processes"),
        ("update", "sys/step-down"),
        ("read", "sys/replication/status"),
        ("read", "sys/raw/core/mounts"),
    ] {
        for there in [
            root.at("team").ask(operation, path, Value::Null).await,
            root.ask(operation, &format!("team/{path}"), Value::Null).await,
        ] {
            let (kind, sentence) = refused(there);
            assert_eq!(kind, "not-found", "{path}");
            assert!(sentence.contains("unsupported path"), "{path}: {sentence}");
        }
    }
    assert_eq!(bare(root.at("team").read("sys/seal-status").await)["sealed"], json!(false));
    data(root.at("team").read("sys/internal/ui/resultant-acl").await);
}

#[tokio::test]
async fn consoles_are_told_which_namespaces_somebody_reaches() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    root.make("one").await;
    root.make("two").await;
    root.policy("reader", r#"path "one/kv/*" { capabilities = ["read"] }"#).await;
    let path = "sys/internal/ui/namespaces";
    assert_eq!(data(root.read(path).await)["keys"], json!(["", "one/", "two/"]));
    let reader = root.token("reader").await;
    assert_eq!(data(root.with(&reader).read(path).await)["keys"], json!(["", "one/"]));
    assert_eq!(data(root.at("one").read(path).await)["keys"], json!([""]));
}

#[tokio::test]
async fn a_plugin_is_reloaded_by_name_in_a_namespace_and_below_and_nowhere_else() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    root.make("team").await;
    root.mount("above", "issuer").await;
    let reload = async |at: &'static str| {
        let answer = root.at(at).write("sys/plugins/reload/backend", json!({"plugin": "issuer"})).await;
        envelope(answer).warnings
    };
    assert_eq!(reload("team").await, ["no plugins were reloaded"]);
    root.at("team").mount("db", "issuer").await;
    assert_eq!(reload("team").await, [""; 0]);
    done(root.delete("sys/mounts/above").await);
    assert_eq!(reload("").await, [""; 0]);
}

#[tokio::test]
async fn a_quota_for_a_namespace_counts_what_is_asked_there_and_nowhere_else() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    root.make("one").await;
    root.make("two").await;
    let rule = json!({"path": "one/", "rate": 1, "interval": "1h"});
    done(root.write("sys/quotas/rate-limit/of-one", rule).await);
    data(root.at("one").read("sys/mounts").await);
    assert_eq!(kind(root.at("one").read("sys/mounts").await), "exhausted");
    for there in [root, root.at("two")] {
        for _ in 0..3 {
            data(there.read("sys/mounts").await);
        }
    }
}
