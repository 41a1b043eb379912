use serde_json::json;
use testkit::eventually;

use super::{By, CREATION, PATIENCE, User, World};

/// Users are let in until their lease is revoked, or over, or the mount is gone.
async fn users_live_as_long_as_their_lease(by: By) {
    let world = World::new(by).await;
    let api = world.api();
    let (revoked, kept) = (world.user().await, world.user().await);
    assert!(revoked.name != kept.name && kept.name.starts_with("v-root-dyn-"), "{}", kept.name);
    assert!(kept.lease.starts_with("database/creds/dyn/"));
    let renewed =
        api.put("sys/leases/renew", json!({ "lease_id": kept.lease, "increment": 7200 })).await.ok();
    assert_eq!(renewed["lease_duration"], 7200);
    let until = format!(
        "SELECT rolvaliduntil > now() + interval '110 minutes' FROM pg_roles WHERE rolname = '{}'",
        kept.name
    );
    assert_eq!(world.database.ask(&until).unwrap(), "t");

    api.put("sys/leases/revoke", json!({ "lease_id": revoked.lease })).await.ok();
    assert!(!world.lets_in(&revoked) && world.lets_in(&kept));

    let short =
        json!({ "db_name": "pg", "creation_statements": CREATION, "default_ttl": "2s", "max_ttl": "3s" });
    api.post("database/roles/short", short).await.ok();
    let over = User::of(&api.get("database/creds/short").await.ok());
    eventually(PATIENCE, "its time is over", async || !world.lets_in(&over)).await;
    let known = "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'v-root-short-%'";
    eventually(PATIENCE, "it is removed", async || world.database.ask(known).unwrap() == "0").await;

    world.server.disable("database").await;
    assert!(!world.lets_in(&kept));
    assert_eq!(
        world.database.ask("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'v-root-%'").unwrap(),
        "0"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_the_built_in_plugin_live_as_long_as_their_lease() {
    users_live_as_long_as_their_lease(By::BuiltIn).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_the_go_plugin_live_as_long_as_their_lease() {
    users_live_as_long_as_their_lease(By::Go).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_refuses_is_told_and_leaves_nothing() {
    let world = World::new(By::BuiltIn).await;
    let api = world.api();
    let role = json!({
        "db_name": "pg", "creation_statements": [CREATION, "SELECT * FROM no_such_table;"],
    });
    api.post("database/roles/broken", role).await.ok();
    let refusal = api.get("database/creds/broken").await.refused(500);
    assert!(refusal.contains("no_such_table") && !refusal.contains("PASSWORD"), "{refusal}");
    assert_eq!(
        world.database.ask("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'v-root-%'").unwrap(),
        "0"
    );
    assert_eq!(api.get("database/creds/nope").await.refused(400), "unknown role: nope");
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_made_after_the_policy_that_the_role_names() {
    let world = World::new(By::BuiltIn).await;
    let api = world.api();
    let policy = r#"length = 24 rule "charset" { charset = "abcdef" min-chars = 1 }"#;
    api.put("sys/policies/password/letters", json!({ "policy": policy })).await.ok();
    let config = json!({ "db_name": "pg", "credential_config": { "password_policy": "letters" } });
    api.post("database/roles/dyn", config).await.ok();
    let user = world.user().await;
    assert!(user.password.len() == 24 && user.password.chars().all(|c| "abcdef".contains(c)));
}
