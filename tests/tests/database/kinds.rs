//! Credentials that are no passwords. Neither PostgreSQL's plugin nor Redis's knows them, so the engine refuses them before
//! anything is made.

use std::{fs, process::Command};

use serde_json::json;

use super::{By, CREATION, World};

/// Who issues certificates, and its key.
fn authority() -> [String; 2] {
    let folder = tempfile::tempdir().unwrap();
    let [ca, key] = ["ca.pem", "key.pem"].map(|name| folder.path().join(name));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=authority"]);
    let made = openssl.arg("-keyout").arg(&key).arg("-out").arg(&ca).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    [ca, key].map(|path| fs::read_to_string(path).unwrap())
}

async fn only_passwords_are_made(by: By) {
    let world = World::new(by).await;
    let api = world.api();
    let [ca, key] = authority();
    let certificate = json!({
        "common_name_template": "{{.RoleName}}", "ca_cert": ca, "ca_private_key": key, "key_type": "ec",
    });
    let kinds = [("rsa_private_key", json!({ "key_bits": 2048 })), ("client_certificate", certificate)];
    for (kind, config) in kinds {
        let role = json!({
            "db_name": "pg", "creation_statements": CREATION, "credential_type": kind,
            "credential_config": config,
        });
        // A role may be written before its connection is.
        api.post(&format!("database/roles/{kind}"), role).await.ok();
        let refusal = api.get(&format!("database/creds/{kind}")).await.refused(400);
        assert_eq!(refusal, format!("unsupported credential_type: {kind:?}"));
    }
    let made = world.database.ask("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'v-root-%'");
    assert_eq!(made.unwrap(), "0");
    world.user().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_built_in_plugin_makes_passwords_only_and_the_engine_says_so() {
    only_passwords_are_made(By::BuiltIn).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_go_plugin_makes_passwords_only_and_the_engine_says_so() {
    only_passwords_are_made(By::Go).await;
}
