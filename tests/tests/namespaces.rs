//! Namespaces over HTTP: one process of a plugin for all of them, and nothing else that they share.

use std::{fs, time::Duration};

use serde_json::{Value, json};
use testkit::{Api, Server, eventually, go_plugin};

const PATIENCE: Duration = Duration::from_secs(60);

const ALL: &str = r#"path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }"#;

async fn make(api: &Api, name: &str) -> Value {
    api.post(&format!("sys/namespaces/{name}"), json!({})).await.data()
}

/// A token for somebody who may do everything in a namespace.
async fn all_powerful(there: &Api) -> Api {
    there.put("sys/policies/acl/all", json!({ "policy": ALL })).await.ok();
    let wish = json!({"policies": ["all"], "no_parent": true});
    let made = there.post("auth/token/create", wish).await.ok();
    there.with_token(made["auth"]["client_token"].as_str().unwrap())
}

/// How many entries are stored for a namespace.
fn stored(server: &Server, namespace: &Value) -> String {
    let uuid = namespace["uuid"].as_str().unwrap();
    let count = server.sql(&format!("SELECT count(*) FROM entry WHERE key LIKE '%{uuid}%'"));
    count.trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_of_the_go_plugin_serves_mounts_of_two_namespaces_that_share_nothing_else() {
    let mut server = Server::start().await;
    server.register("kv", &go_plugin("kv")).await;
    let api = server.api();
    let mut process = None;
    for name in ["one", "two"] {
        make(&api, name).await;
        let there = api.in_namespace(name);
        there.enable_kv("secret", 2).await;
        there.put_secret("secret", "app", json!({ "of": name })).await;
        let now = server.only_plugin();
        assert_eq!(*process.get_or_insert(now), now, "one process for both");
    }
    let processes = api.get("sys/plugins/processes").await.data();
    assert_eq!(processes["processes"][0]["mounts"], json!(["one/secret/", "two/secret/"]), "{processes}");

    for (there, path) in [(api.in_namespace("one"), "secret/data/app"), (api.clone(), "one/secret/data/app")]
    {
        assert_eq!(there.get(path).await.data()["data"], json!({"of": "one"}));
    }
    let one = all_powerful(&api.in_namespace("one")).await;
    assert_eq!(one.secret("secret", "app").await, json!({"of": "one"}));
    let shown = one.get("auth/token/lookup-self").await.data();
    assert_eq!(shown["namespace_path"], "one/");
    for elsewhere in [one.in_namespace("two"), one.in_namespace("")] {
        assert_eq!(elsewhere.get("secret/data/app").await.status, 403);
        assert_eq!(elsewhere.get("sys/mounts").await.status, 403);
    }
    assert_eq!(api.get("secret/data/app").await.status, 404);
    assert_eq!(api.in_namespace("three").get("sys/mounts").await.refused(404), "namespace not found");

    server.kill9().await;
    server.start_again().await;
    let one = server.api().in_namespace("one").with_token(one.token());
    assert_eq!(one.secret("secret", "app").await, json!({"of": "one"}));
    let two = server.api().in_namespace("two");
    assert_eq!(two.secret("secret", "app").await, json!({"of": "two"}));
    server.only_plugin();
    server.api().delete("sys/namespaces/one").await.ok();
    eventually(PATIENCE, "the namespace is gone", async || {
        server.api().get("sys/namespaces/one").await.status == 404
    })
    .await;
    assert_eq!(two.secret("secret", "app").await, json!({"of": "two"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_is_there_after_a_kill_and_what_was_being_deleted_goes() {
    let mut server = Server::start().await;
    let api = server.api();
    let going = make(&api, "going").await;
    let there = api.in_namespace("going");
    for mount in 0..20 {
        there.enable_kv(&format!("kv{mount}"), 1).await;
        there.put(&format!("kv{mount}/secret"), json!({"v": mount})).await.ok();
    }
    let token = all_powerful(&there).await.token().to_owned();
    let stays = make(&api, "stays").await;
    let inner = make(&api.in_namespace("stays"), "inner").await;
    assert_eq!(api.delete("sys/namespaces/going").await.data(), json!({"status": "in-progress"}));
    server.kill9().await;

    server.start_again().await;
    let api = server.api();
    assert_eq!(api.get("sys/namespaces/stays").await.data(), stays);
    assert_eq!(api.get("stays/sys/namespaces/inner").await.data(), inner);
    for asked in [api.clone(), api.with_token(&token)] {
        assert_eq!(asked.in_namespace("going").get("kv0/secret").await.status, 404);
    }
    eventually(PATIENCE, "the namespace is gone", async || {
        api.get("sys/namespaces/going").await.status == 404 && stored(&server, &going) == "0"
    })
    .await;
    assert_ne!(stored(&server, &stays), "0");
    assert_eq!(api.with_token(&token).get("auth/token/lookup-self").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_say_in_which_namespace_something_was_asked() {
    let server = Server::start().await;
    let api = server.api();
    let id = make(&api, "team").await["id"].clone();
    let path = server.data_directory().join("audit.log");
    let device = json!({"type": "file", "options": {"file_path": path}});
    api.put("sys/audit/file", device).await.ok();
    api.in_namespace("team").get("sys/mounts").await.ok();
    api.get("team/sys/auth").await.ok();
    let own = all_powerful(&api.in_namespace("team")).await;
    own.get("sys/policy").await.ok();
    api.get("sys/mounts").await.ok();

    let text = fs::read_to_string(&path).unwrap();
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let there = json!({"id": id, "path": "team/"});
    for (asked, namespace, policies) in [
        ("sys/auth", &there, json!("root")),
        ("sys/policy", &there, id.clone()),
        ("sys/mounts", &json!({"id": "root"}), json!("root")),
    ] {
        let about = records.iter().rfind(|record| record["request"]["path"] == asked).unwrap();
        assert_eq!(&about["request"]["namespace"], namespace, "{asked}");
        let granting = &about["auth"]["policy_results"]["granting_policies"];
        let named = granting
            .as_array()
            .unwrap()
            .iter()
            .find(|policy| policy["type"] == "acl" && policy["name"] != "");
        assert_eq!(named.unwrap()["namespace_id"], policies, "{asked}");
    }
    assert!(!text.contains(own.token()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_refuses_everybody_with_503_and_outlives_a_restart() {
    let mut server = Server::start().await;
    make(&server.api(), "team").await;
    let locked = server.api().put("sys/namespaces/api-lock/lock/team", json!({})).await.data();
    let key = locked["unlock_key"].clone();
    server.kill9().await;
    server.start_again().await;
    let team = server.api().in_namespace("team");
    assert_eq!(
        team.get("sys/mounts").await.refused(503),
        "API access to this namespace has been locked by an administrator - \"team/\" must be unlocked to gain access."
    );
    team.put("sys/namespaces/api-lock/unlock", json!({ "unlock_key": key })).await.ok();
    team.get("sys/mounts").await.ok();
}
