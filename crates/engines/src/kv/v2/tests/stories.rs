use serde_json::{Value, json};
use tenon::{Error, Operation, Response, Result};

use super::mount;
use crate::kv::testing::{Mount, data, refusal};

async fn ok(outcome: impl Future<Output = Result<Option<Response>>>) -> Value {
    data(&outcome.await.unwrap().unwrap())
}

/// The status and the envelope of an answer with a status of its own.
fn raw(outcome: Result<Option<Response>>) -> (u64, Value) {
    let raw = data(&outcome.unwrap().unwrap());
    let body = raw["http_raw_body"].as_str().map_or(Value::Null, |body| serde_json::from_str(body).unwrap());
    (raw["http_status_code"].as_u64().unwrap(), body)
}

async fn written(kv: &Mount, path: &str, body: &str) -> u64 {
    ok(kv.write(path, body)).await["version"].as_u64().unwrap()
}

#[tokio::test]
async fn every_write_adds_a_version() {
    let kv = mount().await;
    assert!(!kv.exists("data/app/db").await);
    let first = ok(kv.write("data/app/db", r#"{"data":{"user":"u","pw":"p"}}"#)).await;
    assert_eq!(first["version"], 1);
    assert_eq!((&first["custom_metadata"], &first["deletion_time"]), (&Value::Null, &json!("")));
    assert!(kv.exists("data/app/db").await);
    assert_eq!(written(&kv, "data/app/db", r#"{"data":{"big":12345678901234567890,"n":1.50}}"#).await, 2);
    let newest = kv.read("data/app/db").await.unwrap().unwrap();
    assert!(newest.data.starts_with(br#"{"data":{"big":12345678901234567890,"n":1.50},"metadata":{"#));
    let old = ok(kv.send(Operation::Read, "data/app/db", r#"{"version":"1"}"#)).await;
    assert_eq!(old["data"], json!({"user": "u", "pw": "p"}));
    assert_eq!(old["metadata"]["version"], 1);
    assert_eq!(kv.send(Operation::Read, "data/app/db", r#"{"version":3}"#).await, Ok(None));
    assert_eq!(kv.read("data/app/none").await, Ok(None));
}

#[tokio::test]
async fn large_secrets_are_as_good_as_small_ones() {
    let kv = mount().await;
    let large = "x".repeat(100_000);
    for value in ["small", &large, "small again", &large, &large] {
        written(&kv, "data/a", &json!({"data": {"v": value}}).to_string()).await;
    }
    for (version, length) in [(1, 5), (2, 100_000), (3, 11), (4, 100_000), (5, 100_000)] {
        let read = ok(kv.send(Operation::Read, "data/a", &json!({"version": version}).to_string())).await;
        assert_eq!(read["data"]["v"].as_str().map(str::len), Some(length));
    }
}

#[tokio::test]
async fn a_write_without_sense_is_refused() {
    let kv = mount().await;
    assert_eq!(refusal(kv.write("data/a", r#"{"user":"u3"}"#).await), "no data provided");
    assert_eq!(
        refusal(kv.write("data/a", r#"{"data":"text"}"#).await),
        r#"Field validation failed: error converting input for field "data": '' expected a map, got 'string'"#
    );
    assert_eq!(written(&kv, "data/a", r#"{"data":null}"#).await, 1);
    assert_eq!(ok(kv.read("data/a")).await["data"], Value::Null);
    let climbing = kv.write("data/a/../b", r#"{"data":{}}"#).await;
    assert_eq!(climbing, Err(Error::BadRequest("relative paths not supported".to_owned())));
}

#[tokio::test]
async fn check_and_set_writes_only_over_what_was_seen() {
    let kv = mount().await;
    let mismatch = "check-and-set parameter did not match the current version";
    assert_eq!(refusal(kv.write("data/a", r#"{"options":{"cas":1},"data":{}}"#).await), mismatch);
    assert_eq!(written(&kv, "data/a", r#"{"options":{"cas":0},"data":{}}"#).await, 1);
    assert_eq!(refusal(kv.write("data/a", r#"{"options":{"cas":0},"data":{}}"#).await), mismatch);
    assert_eq!(written(&kv, "data/a", r#"{"options":{"cas":"1"},"data":{}}"#).await, 2);
    assert_eq!(refusal(kv.write("data/a", r#"{"options":{"cas":-1},"data":{}}"#).await), mismatch);
    let senseless = "error parsing check-and-set parameter";
    assert_eq!(refusal(kv.write("data/a", r#"{"options":{"cas":"x"},"data":{}}"#).await), senseless);
    kv.write("metadata/a", r#"{"cas_required":true}"#).await.unwrap();
    let required = "check-and-set parameter required for this call";
    assert_eq!(refusal(kv.write("data/a", r#"{"data":{}}"#).await), required);
    assert_eq!(refusal(kv.patch("data/a", r#"{"data":{}}"#).await), required);
    kv.write("config", r#"{"cas_required":true}"#).await.unwrap();
    assert_eq!(refusal(kv.write("data/new", r#"{"data":{}}"#).await), required);
    let overruled = kv.write("metadata/a", r#"{"cas_required":false}"#).await.unwrap().unwrap();
    assert!(overruled.warnings[0].contains("mandated by backend config"));
}

#[tokio::test]
async fn a_patch_changes_only_what_it_names() {
    let kv = mount().await;
    written(&kv, "data/a", r#"{"data":{"user":"u","n":1.50,"in":{"x":1,"y":2}}}"#).await;
    let patched = ok(kv.patch("data/a", r#"{"data":{"user":null,"extra":"e","in":{"x":3}}}"#)).await;
    assert_eq!(patched["version"], 2);
    let read = ok(kv.read("data/a")).await;
    assert_eq!(read["data"].to_string(), r#"{"extra":"e","in":{"x":3,"y":2},"n":1.50}"#);
    let missing = kv.patch("data/none", r#"{"data":{}}"#).await;
    assert_eq!(raw(missing), (404, Value::Null));
    assert_eq!(refusal(kv.patch("data/a", "{}").await), "no data provided");
    kv.delete("data/a").await.unwrap();
    let (status, envelope) = raw(kv.patch("data/a", r#"{"data":{"a":1}}"#).await);
    assert_eq!((status, &envelope["data"]["version"]), (404, &json!(2)));
}

#[tokio::test]
async fn a_deleted_version_is_told_and_can_be_brought_back() {
    let kv = mount().await;
    written(&kv, "data/a", r#"{"data":{"v":1}}"#).await;
    assert_eq!(kv.delete("data/a").await, Ok(None));
    let (status, envelope) = raw(kv.read("data/a").await);
    assert_eq!(status, 404);
    assert_eq!((&envelope["request_id"], &envelope["mount_type"]), (&json!("request-1"), &json!("")));
    assert_eq!(envelope["data"]["data"], Value::Null);
    assert_ne!(envelope["data"]["metadata"]["deletion_time"], "");
    assert_eq!(kv.write("undelete/a", r#"{"versions":"1"}"#).await, Ok(None));
    assert_eq!(ok(kv.read("data/a")).await["data"], json!({"v": 1}));
    let known = ok(kv.read("metadata/a")).await;
    assert_eq!(known["last_updated_by"]["operation"], "undelete");
    assert_eq!(known["versions"]["1"]["deleted_by"], Value::Null);
}

#[tokio::test]
async fn versions_are_deleted_and_destroyed_by_number() {
    let kv = mount().await;
    for v in 1..=3 {
        written(&kv, "data/a", &json!({"data": {"v": v}}).to_string()).await;
    }
    assert_eq!(kv.write("delete/a", r#"{"versions":[1,"2"]}"#).await, Ok(None));
    assert_eq!(kv.write("destroy/a", r#"{"versions":[2,3,9]}"#).await, Ok(None));
    for (version, destroyed) in [(1, false), (2, true), (3, true)] {
        let wanted = json!({"version": version}).to_string();
        let (status, envelope) = raw(kv.send(Operation::Read, "data/a", &wanted).await);
        assert_eq!((status, &envelope["data"]["metadata"]["destroyed"]), (404, &json!(destroyed)));
    }
    kv.write("undelete/a", r#"{"versions":[1,2,3]}"#).await.unwrap();
    assert_eq!(ok(kv.send(Operation::Read, "data/a", r#"{"version":1}"#)).await["data"]["v"], 1);
    assert_eq!(raw(kv.read("data/a").await).0, 404);
    assert_eq!(refusal(kv.write("delete/a", "{}").await), "No version number provided");
    assert_eq!(refusal(kv.write("undelete/a", "{}").await), "No version number provided");
    assert_eq!(refusal(kv.write("destroy/a", "{}").await), "no version number provided");
    assert_eq!(kv.write("destroy/none", r#"{"versions":[1]}"#).await, Ok(None));
}

#[tokio::test]
async fn no_data_of_destroyed_or_dropped_versions_is_left() {
    let kv = mount().await;
    kv.write("config", r#"{"max_versions":2}"#).await.unwrap();
    for v in 1..=4 {
        written(&kv, "data/a", &json!({"data": {"v": format!("value-{v}")}}).to_string()).await;
    }
    kv.write("destroy/a", r#"{"versions":[4]}"#).await.unwrap();
    let everything = stored(&kv, "").await;
    let left: Vec<_> = (1..=4).filter(|v| everything.contains(&format!("value-{v}"))).collect();
    assert_eq!(left, [3]);
    assert_eq!(kv.delete("metadata/a").await, Ok(None));
    assert_eq!(kv.read("data/a").await, Ok(None));
    assert_eq!(kv.read("metadata/a").await, Ok(None));
    assert!(!stored(&kv, "").await.contains("value-"));
}

/// All that is stored below a folder.
async fn stored(kv: &Mount, folder: &str) -> String {
    let mut all = String::new();
    for name in kv.storage.list(&folder.parse().unwrap()).await.unwrap() {
        let path = format!("{folder}{name}");
        if name.ends_with('/') {
            all += &Box::pin(stored(kv, &path)).await;
        } else {
            let value = kv.storage.get(&path.parse().unwrap()).await.unwrap().unwrap();
            all += &String::from_utf8_lossy(&value);
        }
    }
    all
}

#[tokio::test]
async fn metadata_tells_all_and_keeps_settings() {
    let kv = mount().await;
    written(&kv, "data/app/db", r#"{"data":{}}"#).await;
    let body = r#"{"max_versions":3,"delete_version_after":"1h","custom_metadata":{"owner":"me","n":1}}"#;
    assert_eq!(kv.write("metadata/app/db", body).await, Ok(None));
    let known = ok(kv.read("metadata/app/db")).await;
    assert_eq!(known["current_version"], 1);
    assert_eq!(known["oldest_version"], 0);
    assert_eq!(known["delete_version_after"], "1h0m0s");
    assert_eq!(known["custom_metadata"], json!({"owner": "me", "n": "1"}));
    let by = &known["versions"]["1"]["created_by"];
    assert_eq!((&by["actor"], &by["operation"]), (&json!("root"), &json!("update")));
    assert!(!by["client_id"].as_str().unwrap().contains("salted"));
    assert_ne!(ok(kv.write("data/app/db", r#"{"data":{}}"#)).await["deletion_time"], "");
    let patch =
        r#"{"custom_metadata":{"owner":null,"team":"x"},"delete_version_after":null,"max_versions":null}"#;
    assert_eq!(kv.patch("metadata/app/db", patch).await, Ok(None));
    let known = ok(kv.read("metadata/app/db")).await;
    assert_eq!(known["custom_metadata"], json!({"n": "1", "team": "x"}));
    assert_eq!((&known["delete_version_after"], &known["max_versions"]), (&json!("0s"), &json!(0)));
    assert_eq!(raw(kv.patch("metadata/none", r#"{"max_versions":1}"#).await), (404, Value::Null));
    assert_eq!(kv.write("metadata/fresh", "{}").await, Ok(None));
    assert_eq!(kv.read("metadata/fresh").await, Ok(None));
    kv.write("metadata/fresh", r#"{"max_versions":1}"#).await.unwrap();
    assert_eq!(ok(kv.read("metadata/fresh")).await["versions"], json!({}));
    assert_eq!(kv.read("data/fresh").await, Ok(None));
}

#[tokio::test]
async fn keys_are_listed_by_folder() {
    let kv = mount().await;
    for path in ["data/a", "data/app/x", "data/app/y", "data/app/deep/z"] {
        written(&kv, path, r#"{"data":{}}"#).await;
    }
    kv.delete("data/app/x").await.unwrap();
    assert_eq!(kv.list("metadata/").await, ["a", "app/"]);
    assert_eq!(kv.list("metadata/app/").await, ["deep/", "x", "y"]);
    let live = ok(kv.send(Operation::List, "metadata/app/", r#"{"exclude_deleted":"true"}"#)).await;
    assert_eq!(live, json!({"keys": ["deep/", "y"]}));
    assert_eq!(ok(kv.send(Operation::List, "metadata/none/", "")).await, json!({}));
}

#[tokio::test]
async fn settings_hold_for_every_key() {
    let kv = mount().await;
    let plain = json!({"cas_required": false, "delete_version_after": "0s", "max_versions": 0});
    assert_eq!(ok(kv.read("config")).await, plain);
    assert_eq!(kv.write("config", r#"{"max_versions":"5","delete_version_after":"-5m"}"#).await, Ok(None));
    let changed = json!({"cas_required": false, "delete_version_after": "-1s", "max_versions": 5});
    assert_eq!(ok(kv.read("config")).await, changed);
    // Another node writes; we are told.
    let key: tenon::Key = format!("{}/config", crate::kv::testing::UUID).parse().unwrap();
    let other = json!({"cas_required": true, "delete_version_after": 60, "max_versions": 1}).to_string();
    kv.storage.put(key.clone(), other.into()).await.unwrap();
    assert_eq!(ok(kv.read("config")).await, changed);
    kv.backend.invalidate(key.as_str()).await;
    assert_eq!(ok(kv.read("config")).await["delete_version_after"], "1m0s");
}

#[tokio::test]
async fn subkeys_show_structure_only() {
    let kv = mount().await;
    written(&kv, "data/a", r#"{"data":{"a":"secret","b":{"c":"secret"}}}"#).await;
    let read = kv.read("subkeys/a").await.unwrap().unwrap();
    assert_eq!(data(&read)["subkeys"], json!({"a": null, "b": {"c": null}}));
    assert!(!String::from_utf8_lossy(&read.data).contains("secret"));
    let shallow = ok(kv.send(Operation::Read, "subkeys/a", r#"{"depth":1}"#)).await;
    assert_eq!(shallow["subkeys"], json!({"a": null, "b": null}));
    kv.delete("data/a").await.unwrap();
    assert_eq!(raw(kv.read("subkeys/a").await).1["data"]["subkeys"], Value::Null);
    assert_eq!(kv.read("subkeys/none").await, Ok(None));
}

#[tokio::test]
async fn secrets_may_be_nested_deeply() {
    let kv = mount().await;
    let deep = format!(r#"{{"data":{{"a":{}{}}}}}"#, "[".repeat(250), "]".repeat(250));
    assert_eq!(written(&kv, "data/a", &deep).await, 1);
    assert!(kv.read("data/a").await.unwrap().unwrap().data.len() > 500);
    let sentence = refusal(kv.patch("data/a", r#"{"data":{"b":1}}"#).await);
    assert!(sentence.contains("nested"), "{sentence}");
}

#[tokio::test]
async fn paths_of_version_1_get_a_hint() {
    let kv = mount().await;
    for (operation, path, word) in [
        (Operation::Read, "app/db", "get"),
        (Operation::Update, "app/db", "put"),
        (Operation::Patch, "app/db", "patch"),
        (Operation::Delete, "app/db", "delete"),
        (Operation::List, "", "list"),
        (Operation::List, "data/", "list"),
    ] {
        let (status, envelope) = raw(kv.send(operation, path, r#"{"a":1}"#).await);
        let hint = envelope["warnings"][0].as_str().unwrap().to_owned();
        assert!(status == 404 && hint.contains(&format!("'vault kv {word}'")), "{operation} {path}: {hint}");
        assert_eq!(envelope["data"], Value::Null);
    }
    let (_, envelope) = raw(kv.read("metadata").await);
    assert!(envelope["warnings"][0].as_str().unwrap().starts_with("Non-listing operations"));
    assert_eq!(kv.send(Operation::ResolveRole, "login", "").await, Err(Error::UnsupportedOperation));
}
