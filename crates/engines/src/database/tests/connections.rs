use std::sync::Arc;

use serde_json::{Value, json};
use tenon::{Operation, Reason};

use super::{
    fake::World,
    mount::{Mount, connection},
};
use crate::kv::testing::refusal;

#[tokio::test]
async fn what_is_stored_is_shown_without_the_password() {
    let mount = Mount::with_connection().await;
    let mut expected = json!({
        "allowed_roles": ["*"],
        "connection_details": {
            "connection_url": "fake://{{username}}:{{password}}@host", "username": "root",
            "supported_credential_types": ["password", "rsa_private_key", "client_certificate"],
        },
        "disable_automated_rotation": false, "password_policy": "", "plugin_name": "fake-database-plugin",
        "plugin_version": "", "root_credentials_rotate_statements": [], "rotation_period": 0,
        "rotation_schedule": "", "rotation_window": 0, "skip_static_role_import_rotation": false,
        "verify_connection": true,
    });
    assert_eq!(mount.read("config/db").await, expected);
    mount.write("config/db", json!({ "password_policy": "p" })).await.unwrap();
    expected["password_policy"] = "p".into();
    assert_eq!(mount.read("config/db").await, expected);
    assert_eq!(mount.list("config/").await, json!(["db"]));
    mount.delete("config/db").await;
    assert_eq!(mount.try_read("config/db").await, Ok(None));
}

#[tokio::test]
async fn mistakes_are_refused_in_vaults_words() {
    let mount = Mount::with_connection().await;
    let other = |change: Value| {
        let mut body = connection();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    for (path, body, sentence) in [
        ("config/x", json!({}), "empty plugin name"),
        (
            "config/x",
            other(json!({ "plugin_version": "one" })),
            "version \"one\" is not a valid semantic version",
        ),
        (
            "config/x",
            other(json!({ "connection_url": "" })),
            "error creating database object: connection_url cannot be empty",
        ),
        (
            "config/x",
            other(json!({ "password": "wrong" })),
            "error creating database object: error verifying connection: the password is wrong",
        ),
        ("reset/nope", json!({}), "failed to find entry for connection with name: \"nope\""),
        ("roles/x", json!({}), "database name is required"),
        ("static-roles/dyn", json!({ "db_name": "db" }), "Role and Static Role names must be unique"),
        ("rotate-role/nope", json!({}), "no static role found for role name"),
        ("rotate-root/nope", json!({}), "failed to find entry for connection with name: \"nope\""),
    ] {
        assert_eq!(refusal(mount.write(path, body).await), sentence, "{path}");
    }
    assert_eq!(refusal(mount.try_read("creds/nope").await), "unknown role: nope");
    assert_eq!(refusal(mount.try_read("static-creds/nope").await), "unknown role: nope");
    mount.write("config/db", json!({ "allowed_roles": "other" })).await.unwrap();
    assert_eq!(refusal(mount.try_read("creds/dyn").await), "\"dyn\" is not an allowed role");
}

#[tokio::test]
async fn a_connection_that_is_not_verified_may_be_wrong() {
    let mount = Mount::in_world(&Arc::new(World::default())).await;
    let mut body = connection();
    body["verify_connection"] = false.into();
    mount.write("config/db", body).await.unwrap();
    assert_eq!(mount.read("config/db").await["verify_connection"], false);
}

#[tokio::test]
async fn every_end_of_a_connection_has_its_reason() {
    let mount = Mount::with_connection().await;
    let closed = || std::mem::take(&mut *mount.world.closed.lock().unwrap());
    mount.write("config/db", json!({ "max_open_connections": 2 })).await.unwrap();
    assert_eq!(closed(), [Reason::ConnectionChanged]);
    mount.write("reset/db", json!({})).await.unwrap();
    assert_eq!(closed(), [Reason::ConnectionReset]);
    let reloaded = mount.write("reload/fake-database-plugin", json!({})).await.unwrap().unwrap();
    assert_eq!(crate::kv::testing::data(&reloaded), json!({ "connections": ["db"], "count": 1 }));
    assert_eq!(closed(), [Reason::Reloaded]);
    mount.write("rotate-root/db", json!({})).await.unwrap();
    assert_eq!(closed(), [Reason::RootRotated]);
    mount.read("creds/dyn").await;
    mount.backend.invalidate("config/db").await;
    assert_eq!(closed(), [Reason::ConnectionChanged]);
    mount.read("creds/dyn").await;
    mount.delete("config/db").await;
    assert_eq!(closed(), [Reason::ConnectionDeleted]);
    let none = mount.write("reload/other", json!({})).await.unwrap().unwrap();
    assert_eq!(crate::kv::testing::data(&none), json!({ "connections": [], "count": 0 }));
}

#[tokio::test]
async fn a_change_that_fails_leaves_the_connection_as_it_was() {
    let mount = Mount::with_connection().await;
    mount.write("config/db", json!({ "password": "wrong" })).await.unwrap_err();
    mount.read("creds/dyn").await;
    mount.write("reset/db", json!({})).await.unwrap();
}

#[tokio::test]
async fn a_password_in_the_address_is_warned_of() {
    let mount = Mount::with_connection().await;
    let answer = mount.write("config/db", json!({ "connection_url": "fake://root:first@host" })).await;
    assert!(answer.unwrap().unwrap().warnings[0].starts_with("Password found in connection_url"));
}

#[tokio::test]
async fn all_paths_have_help() {
    let mount = Mount::with_connection().await;
    for path in [
        "config/x",
        "reset/x",
        "reload/x",
        "rotate-root/x",
        "roles/x",
        "creds/x",
        "static-roles/x",
        "static-creds/x",
        "rotate-role/x",
    ] {
        let help = mount.ask(Operation::Help, path, Value::Null).await.unwrap().unwrap();
        assert!(
            !crate::kv::testing::data(&help)["help"].as_str().unwrap().contains("<no help>\n\n##"),
            "{path}"
        );
    }
}
