//! What ends every plugin ends those of databases, and what cuts a rotation off ends its connection. Whoever was let in
//! before is known afterwards.

use serde_json::json;
use testkit::{PostgreSql, Server, eventually};

use super::{
    By, PATIENCE, User, World,
    gate::{Gate, Held},
};

/// Longer than a change has to be cut off for, and the time between two looks for such.
const CUT_OFF: std::time::Duration = std::time::Duration::from_secs(240);

/// How the server lets go of all plugins.
#[derive(Clone, Copy, Debug)]
enum LetsGo {
    Seals,
    StepsDown,
}

async fn users_are_made_and_kept_afterwards(how: LetsGo) {
    let world = World::new(By::Go).await;
    let api = world.api();
    world.database.ask("CREATE ROLE app LOGIN PASSWORD 'as it was'").unwrap();
    let role = json!({ "db_name": "pg", "username": "app", "rotation_period": "24h" });
    api.post("database/static-roles/app", role).await.ok();
    let app = async || User::of(&world.api().get("database/static-creds/app").await.ok());
    let (kept, before) = (world.user().await, app().await);
    let plugin = world.server.only_plugin();

    let reason = match how {
        LetsGo::Seals => {
            api.put("sys/seal", json!({})).await.ok();
            "sealed"
        }
        LetsGo::StepsDown => {
            api.put("sys/step-down", json!({})).await.ok();
            "stepped-down"
        }
    };
    eventually(PATIENCE, "its process is gone", async || !plugin.is_alive()).await;
    assert_eq!(world.server.told_ends_of(plugin.pid).await, [reason]);
    if matches!(how, LetsGo::Seals) {
        assert_eq!(world.server.plugins(), []);
        world.server.unseal().await;
    }

    let serves = async || world.api().get("database/creds/dyn").await.is_ok();
    eventually(PATIENCE, "users are made", serves).await;
    world.user().await;
    assert_ne!(world.server.only_plugin(), plugin);
    assert!(world.lets_in(&kept), "its lease is not over");
    api.put("sys/leases/renew", json!({ "lease_id": kept.lease, "increment": 7200 })).await.ok();
    api.put("sys/leases/revoke", json!({ "lease_id": kept.lease })).await.ok();
    assert!(!world.lets_in(&kept));
    assert!(app().await == before && world.lets_in(&before));
    api.put("database/rotate-role/app", json!({})).await.ok();
    assert!(!world.lets_in(&before) && world.lets_in(&app().await));
    assert_eq!(world.server.told_ends_of(plugin.pid).await, [reason], "that is told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn sealing_ends_a_database_plugin_and_its_users_stay() {
    users_are_made_and_kept_afterwards(LetsGo::Seals).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stepping_down_ends_a_database_plugin_and_its_users_stay() {
    users_are_made_and_kept_afterwards(LetsGo::StepsDown).await;
}

/// A rotation of root that fails leaves a note. A connection that is opened before the note is seen to, is not trusted.
#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_of_root_that_failed_is_rolled_back_and_ends_the_connection() {
    let database = PostgreSql::start().await;
    let gate = Gate::to(database.port).await;
    let world = World::through(By::Go, gate.port, Server::start().await, database).await;
    gate.hold(Held::BeforeChange);
    let api = world.api();
    let rotation =
        tokio::spawn(async move { api.try_send("POST", "database/rotate-root/pg", Some(json!({}))).await });
    gate.is_shut().await;
    let rotating = world.server.only_plugin();
    rotating.kill();
    gate.hold(Held::Nothing);
    assert!(!rotation.await.unwrap().is_ok_and(|answer| answer.is_ok()));
    world.server.told_ends_of(rotating.pid).await;

    let serves = async || world.api().get("database/creds/dyn").await.is_ok();
    eventually(PATIENCE, "users are made", serves).await;
    let plugin = world.server.only_plugin();
    let rolled_back = async || !world.server.ends_of(plugin.pid).is_empty();
    eventually(CUT_OFF, "the rotation is rolled back", rolled_back).await;
    assert_eq!(world.server.ends_of(plugin.pid), ["wal-rolled-back"]);
    assert!(!plugin.is_alive());
    // Neither of the two passwords was lost, and nothing is left to be rolled back.
    world.user().await;
    assert!(world.database.lets_in(super::ROOT, "first"));
    world.api().post("database/rotate-root/pg", json!({})).await.ok();
    assert!(!world.database.lets_in(super::ROOT, "first"));
    world.user().await;
    assert_eq!(world.server.ends_of(plugin.pid), ["wal-rolled-back"]);
}
