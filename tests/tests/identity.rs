//! Who logs in by an unmodified Go auth method is somebody: one entity, its groups, its own part of the storage, and
//! what a Go engine learns of it when it asks.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Api, Registration, Server, go_plugin};

/// What everybody may do who has the policy `own`.
const OWN: &str = r#"
path "notes/data/{{identity.entity.name}}/*" { capabilities = ["create", "update", "read"] }
path "ssh/sign/own" { capabilities = ["update"] }
"#;

/// With the users ann and bob of the Go plugin userpass, and a kv engine at `notes/`.
async fn with_users() -> Server {
    let server = Server::start().await;
    let api = server.api();
    let auth = Registration { kind: "auth", ..Registration::default() };
    server.register_as("userpass", &go_plugin("userpass"), auth).await;
    api.post("sys/auth/userpass", json!({"type": "userpass"})).await.ok();
    for user in ["ann", "bob"] {
        api.post(&format!("auth/userpass/users/{user}"), json!({"password": "horse"})).await.ok();
    }
    api.enable_kv("notes", 2).await;
    api.put("sys/policies/acl/own", json!({"policy": OWN})).await.ok();
    server
}

async fn log_in(server: &Server, user: &str) -> Value {
    let path = format!("auth/userpass/login/{user}");
    let answer = server.anonymous().post(&path, json!({"password": "horse"})).await.ok();
    answer["auth"].clone()
}

fn holder(server: &Server, auth: &Value) -> Api {
    server.api().with_token(auth["client_token"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_logs_in_twice_is_one_entity_with_what_its_groups_may_do() {
    let server = with_users().await;
    let api = server.api();
    let first = log_in(&server, "ann").await;
    let again = log_in(&server, "ANN").await;
    assert_eq!(first["entity_id"], again["entity_id"]);
    assert_eq!(first["identity_policies"], Value::Null);
    let id = first["entity_id"].as_str().unwrap();
    let entity = api.get(&format!("identity/entity/id/{id}")).await.data();
    assert_eq!(entity["aliases"].as_array().unwrap().len(), 1, "{entity}");
    assert_eq!(entity["aliases"][0]["name"], "ann");
    assert_eq!(entity["aliases"][0]["mount_type"], "userpass");

    api.post(&format!("identity/entity/id/{id}"), json!({"name": "ann"})).await.ok();
    let note = json!({"data": {"a": 1}});
    let ann = holder(&server, &first);
    ann.post("notes/data/ann/x", note.clone()).await.refused(403);
    let group = json!({"name": "writers", "policies": ["own"], "member_entity_ids": [id]});
    api.post("identity/group", group).await.ok();
    ann.post("notes/data/ann/x", note.clone()).await.ok();
    ann.post("notes/data/bob/x", note.clone()).await.refused(403);
    assert_eq!(log_in(&server, "ann").await["identity_policies"], json!(["own"]));

    let bob = holder(&server, &log_in(&server, "bob").await);
    bob.get("notes/data/ann/x").await.refused(403);
    api.post("identity/entity/name/ann", json!({"disabled": true})).await.ok();
    ann.get("notes/data/ann/x").await.refused(403);
    let login = server.anonymous().post("auth/userpass/login/ann", json!({"password": "horse"})).await;
    assert_eq!(login.refused(403), "permission denied");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_go_engine_learns_who_asks_and_what_groups_they_are_in() {
    let server = with_users().await;
    let api = server.api();
    let auth = log_in(&server, "ann").await;
    let id = auth["entity_id"].as_str().unwrap();
    api.post(&format!("identity/entity/id/{id}"), json!({"name": "ann", "policies": "own"})).await.ok();
    let group = api.post("identity/group", json!({"name": "ops", "member_entity_ids": [id]})).await.data();
    let group = group["id"].as_str().unwrap();

    server.mount("ssh", &go_plugin("ssh")).await;
    api.post("ssh/config/ca", json!({"generate_signing_key": true})).await.ok();
    let role = json!({
        "key_type": "ca",
        "allow_user_certificates": true,
        "allowed_users_template": true,
        "allowed_users": "{{identity.entity.name}},{{identity.groups.names.ops.id}}",
    });
    api.post("ssh/roles/own", role).await.ok();
    let folder = TempDir::new().unwrap();
    let key = folder.path().join("key");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
    assert!(made.unwrap().success());
    let public_key = fs::read_to_string(key.with_extension("pub")).unwrap();

    let ann = holder(&server, &auth);
    let sign = async |principal: &str| {
        ann.post("ssh/sign/own", json!({"public_key": public_key, "valid_principals": principal})).await
    };
    sign("ann").await.ok();
    sign(group).await.ok();
    let refusal = sign("bob").await.refused(400);
    assert!(refusal.contains("bob is not a valid value for valid_principals"), "{refusal}");
}
