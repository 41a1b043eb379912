//! The other endpoints of the system.

use serde_json::{Value, json};

use crate::common::{Stack, bare, data, envelope, invalid, refused};

#[tokio::test]
async fn reloading_names_what_it_cannot_find() {
    let stack = Stack::open().await;
    stack.mount("kv", "kv").await;
    let reload = async |body: Value| stack.write("sys/plugins/reload/backend", body).await;
    assert!(data(reload(json!({"mounts": ["kv/"]})).await)["reload_id"].is_string());
    assert!(envelope(reload(json!({"plugin": "kv"})).await).warnings.is_empty());
    assert_eq!(envelope(reload(json!({"plugin": "nope"})).await).warnings, ["no plugins were reloaded"]);
    assert!(reload(json!({"plugin": "kv", "scope": "global"})).await.unwrap().accepted);
    assert_eq!(refused(reload(json!({})).await), invalid("plugin or mounts must be provided"));
    assert_eq!(
        refused(reload(json!({"mounts": ["zzz/"]})).await),
        ("internal", "1 error occurred:\n\t* cannot fetch mount entry on \"zzz/\"\n\n".to_owned())
    );
    let other = stack.write("sys/plugins/reload/foo/kv", json!({})).await;
    assert_eq!(refused(other).1, "1 error occurred:\n\t* unsupported path\n\n");
}

#[tokio::test]
async fn plugins_are_listed_and_read() {
    let stack = Stack::open().await;
    let all = data(stack.read("sys/plugins/catalog").await);
    assert_eq!(all["auth"], json!(["approle", "login", "userpass", "voucher"]));
    assert_eq!(all["secret"], json!(["broken", "database", "issuer", "kv", "odd"]));
    assert_eq!(all["detailed"][0]["type"], json!("auth"));
    assert_eq!(
        data(stack.list("sys/plugins/catalog/auth/").await),
        json!({"keys": ["approle", "login", "userpass", "voucher"]})
    );
    assert_eq!(refused(stack.list("sys/plugins/catalog/").await).0, "unsupported");
    assert_eq!(refused(stack.list("sys/plugins/catalog/unknown/").await).0, "unsupported");
    let kv = data(stack.read("sys/plugins/catalog/secret/kv").await);
    assert_eq!((&kv["builtin"], &kv["args"]), (&json!(true), &json!(null)));
    assert_eq!(refused(stack.read("sys/plugins/catalog/secret/nope").await).0, "not-found");
    let warned = envelope(stack.read("sys/plugins/catalog/kv").await).warnings;
    assert_eq!(warned, [r#"Deprecated API endpoint, cannot read plugin information from catalog for "kv""#]);
    let body = json!({"command": "kv", "sha256": "00".repeat(32)});
    let (kind, text) = refused(stack.write("sys/plugins/catalog/secret/mine", body).await);
    assert_eq!(kind, "invalid");
    assert!(text.contains("directory"), "{text}");
    assert_eq!(data(stack.read("sys/plugins/processes").await), json!({"processes": []}));
}

#[tokio::test]
async fn help_explains_a_path_to_everybody_with_a_token() {
    let stack = Stack::open().await;
    stack.mount("kv", "kv").await;
    let help = bare(stack.ask(&stack.root, "help", "sys/mounts/kv", Value::Null).await);
    assert!(help["help"].as_str().unwrap().contains("secrets engine"));
    assert!(help["openapi"]["paths"].is_object());
    assert!(bare(stack.ask(&stack.root, "help", "sys/", Value::Null).await)["help"].is_string());
    assert!(bare(stack.ask(&stack.root, "help", "kv/", Value::Null).await)["help"].is_string());
    assert_eq!(refused(stack.ask("", "help", "sys/mounts", Value::Null).await).1, "permission denied");
}
