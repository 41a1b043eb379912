use std::{sync::atomic::Ordering, time::Duration};

use serde_json::{Value, json};
use tenon::{Operation, database::Credential};

use super::mount::{Mount, eventually};
use crate::kv::testing::data;

#[tokio::test]
async fn a_user_is_made_renewed_and_removed() {
    let mount = Mount::with_connection().await;
    let answer = mount.try_read("creds/dyn").await.unwrap().unwrap();
    let told = data(&answer);
    assert_eq!(told["username"], "v-token-dyn");
    assert_eq!(mount.world.password("v-token-dyn").as_deref(), told["password"].as_str());
    let secret = answer.secret.unwrap();
    assert!(secret.lease.renewable);
    assert_eq!(secret.lease.ttl, Duration::from_secs(3600));

    let renewed = mount.lease(Operation::Renew, secret.clone()).await.unwrap().unwrap();
    assert_eq!(renewed.secret.unwrap().lease.ttl, Duration::from_secs(3600));
    assert_eq!(mount.world.prolonged.load(Ordering::SeqCst), 1);

    mount.lease(Operation::Revoke, secret).await.unwrap();
    assert_eq!(mount.world.password("v-token-dyn"), None);
}

#[tokio::test]
async fn a_user_can_be_removed_when_its_role_is_gone() {
    let mount = Mount::with_connection().await;
    let secret = mount.try_read("creds/dyn").await.unwrap().unwrap().secret.unwrap();
    mount.delete("roles/dyn").await;
    assert!(mount.lease(Operation::Renew, secret.clone()).await.is_err());
    mount.lease(Operation::Revoke, secret).await.unwrap();
    assert_eq!(mount.world.password("v-token-dyn"), None);
}

#[tokio::test]
async fn nobody_is_told_of_a_user_that_could_not_be_made() {
    let mount = Mount::with_connection().await;
    let failing = json!({ "creation_statements": ["FAIL"], "rollback_statements": ["UNDO"] });
    mount.write("roles/dyn", failing).await.unwrap();
    let error = mount.try_read("creds/dyn").await.unwrap_err();
    assert_eq!(error.to_string(), "unable to create new user: no");
}

#[tokio::test]
async fn a_user_whom_nobody_waits_for_is_removed() {
    let mount = Mount::with_connection().await;
    // Looked at once, and left.
    let mut reading = Box::pin(mount.try_read("creds/dyn"));
    let _ = futures::poll!(reading.as_mut());
    drop(reading);
    eventually("it was made", async || mount.world.last.lock().unwrap().is_some()).await;
    eventually("it is gone", async || mount.world.password("v-token-dyn").is_none()).await;
}

#[tokio::test]
async fn a_role_says_what_users_log_in_with() {
    let mount = Mount::with_connection().await;
    mount.write("roles/dyn", json!({ "credential_type": "rsa_private_key" })).await.unwrap();
    let told = mount.read("creds/dyn").await;
    assert!(told["rsa_private_key"].as_str().unwrap().contains("PRIVATE KEY"));
    let public = mount.world.password("v-token-dyn").unwrap();
    assert!(public.contains("BEGIN PUBLIC KEY"));

    let policy = json!({ "credential_type": "password", "credential_config": { "password_policy": "mine" } });
    mount.write("roles/dyn", policy).await.unwrap();
    assert_eq!(mount.read("creds/dyn").await["password"], "after mine");
    mount.write("roles/dyn", json!({ "credential_config": {} })).await.unwrap();
    mount.write("config/db", json!({ "password_policy": "ours" })).await.unwrap();
    assert_eq!(mount.read("creds/dyn").await["password"], "after ours");
    assert!(matches!(mount.world.last.lock().unwrap().as_ref().unwrap().credential, Credential::Password(_)));
}

#[tokio::test]
async fn roles_are_read_listed_and_deleted() {
    let mount = Mount::with_connection().await;
    let expected = json!({
        "creation_statements": [], "credential_type": "password", "db_name": "db", "default_ttl": 3600, "max_ttl": 0,
        "renew_statements": [], "revocation_statements": [], "rollback_statements": [],
    });
    assert_eq!(mount.read("roles/dyn").await, expected);
    assert_eq!(mount.list("roles/").await, json!(["dyn"]));
    mount.delete("roles/dyn").await;
    assert_eq!(mount.try_read("roles/dyn").await, Ok(None));
    assert_eq!(
        mount.ask(Operation::List, "roles/", Value::Null).await.map(|list| data(&list.unwrap())),
        Ok(json!({}))
    );
}
