//! What version 2 of the kv engine promises; the same for the built-in one and for the Go plugin.

use serde_json::{Value, json};
use testkit::{Api, Server, go_plugin};

async fn each_implementation(promise: impl AsyncFn(Api)) {
    let built_in = Server::start().await;
    built_in.api().enable_kv("kv", 2).await;
    promise(built_in.api()).await;

    let external = Server::start().await;
    external.register("kv", &go_plugin("kv")).await;
    external.api().enable_kv("kv", 2).await;
    promise(external.api()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_with_a_stale_version_is_refused() {
    each_implementation(async |api| {
        let write = async |cas: u64| {
            api.post("kv/data/a", json!({"options": {"cas": cas}, "data": {"cas": cas}})).await
        };
        write(0).await.ok();
        let refusal = write(0).await.refused(400);
        assert!(refusal.contains("check-and-set parameter did not match the current version"), "{refusal}");
        write(1).await.ok();

        api.post("kv/config", json!({"cas_required": true})).await.ok();
        let blind = api.post("kv/data/a", json!({"data": {}})).await.refused(400);
        assert!(blind.contains("check-and-set parameter required for this call"), "{blind}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_versions_are_read_until_they_are_too_many() {
    each_implementation(async |api| {
        api.post("kv/metadata/a", json!({"max_versions": 2})).await.ok();
        for n in 1..=3 {
            assert_eq!(api.put_secret("kv", "a", json!({"n": n})).await, n);
        }
        assert_eq!(api.get("kv/data/a?version=1").await.status, 404);
        assert_eq!(api.get("kv/data/a?version=2").await.data()["data"], json!({"n": 2}));
        let metadata = api.get("kv/metadata/a").await.data();
        assert_eq!((&metadata["oldest_version"], &metadata["current_version"]), (&json!(2), &json!(3)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn destroyed_is_for_good_and_deleted_is_not() {
    each_implementation(async |api| {
        for n in 1..=2 {
            api.put_secret("kv", "a", json!({"n": n})).await;
        }
        api.post("kv/destroy/a", json!({"versions": [1]})).await.ok();
        api.post("kv/undelete/a", json!({"versions": [1]})).await.ok();
        let destroyed = api.get("kv/data/a?version=1").await;
        assert_eq!((destroyed.status, &destroyed.body["data"]["metadata"]["destroyed"]), (404, &json!(true)));

        api.post("kv/delete/a", json!({"versions": ["2"]})).await.ok();
        assert_eq!(api.get("kv/data/a").await.status, 404);
        api.post("kv/undelete/a", json!({"versions": [2]})).await.ok();
        assert_eq!(api.secret("kv", "a").await, json!({"n": 2}));

        api.delete("kv/metadata/a").await.ok();
        assert_eq!(api.get("kv/metadata/a").await.refused(404), "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_disappears_at_its_time() {
    each_implementation(async |api| {
        api.post("kv/metadata/a", json!({"delete_version_after": "1s"})).await.ok();
        api.put_secret("kv", "a", json!({"n": 1})).await;
        testkit::eventually(std::time::Duration::from_secs(5), "the version is deleted", async || {
            api.get("kv/data/a").await.status == 404
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subkeys_and_custom_metadata_show_no_values() {
    each_implementation(async |api| {
        api.put_secret("kv", "a", json!({"user": "u", "deep": {"pw": "hidden"}})).await;
        let keys = api.get("kv/subkeys/a").await.data();
        assert_eq!(keys["subkeys"], json!({"user": null, "deep": {"pw": null}}));

        api.post("kv/metadata/a", json!({"custom_metadata": {"owner": "me"}})).await.ok();
        api.patch("kv/metadata/a", json!({"custom_metadata": {"team": "us"}})).await.ok();
        let metadata = api.get("kv/metadata/a").await.data();
        assert_eq!(metadata["custom_metadata"], json!({"owner": "me", "team": "us"}));
        assert!(!metadata.to_string().contains("hidden"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_of_nothing_is_not_found() {
    each_implementation(async |api| {
        let answer = api.patch("kv/data/none", json!({"data": {"a": "b"}})).await;
        assert_eq!((answer.status, &answer.body), (404, &Value::Null), "{answer}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_of_version_1_is_answered_with_a_hint() {
    each_implementation(async |api| {
        let answer = api.get("kv/app/db").await;
        assert_eq!(answer.status, 404, "{answer}");
        let hint = answer.body["warnings"].to_string();
        assert!(hint.contains("Invalid path for a versioned K/V secrets engine"), "{hint}");
    })
    .await;
}
