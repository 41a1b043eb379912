//! Every end of a connection ends its process, or opens it anew, and says why.

use serde_json::json;
use testkit::{PostgreSql, Redis, Registration, Server, eventually, go_plugin, own_plugin};

use super::{By, PATIENCE, World};

/// Waits until a process has ended, once and for that reason.
async fn gone(server: &Server, pid: u32, reason: &str) {
    eventually(PATIENCE, reason, async || server.ends_of(pid) == [reason]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_end_of_a_go_connection_has_its_reason() {
    let world = World::new(By::Go).await;
    let api = world.api();
    let pid = world.server.only_plugin().pid;
    api.post("database/config/pg", json!({ "max_open_connections": 3 })).await.ok();
    assert_eq!(world.server.only_plugin().pid, pid, "the new connection is in the same process");

    api.post("database/reset/pg", json!({})).await.ok();
    gone(&world.server, pid, "connection-reset").await;
    let pid = world.server.only_plugin().pid;
    let reloaded = api.post("database/reload/go-postgresql", json!({})).await.data();
    assert_eq!(reloaded, json!({ "connections": ["pg"], "count": 1 }));
    gone(&world.server, pid, "reloaded").await;
    let pid = world.server.only_plugin().pid;
    let reloaded = api.put("sys/plugins/reload/database/go-postgresql", json!({})).await.ok();
    assert_eq!(reloaded["warnings"], json!(null));
    gone(&world.server, pid, "reloaded").await;

    let pid = world.server.only_plugin().pid;
    api.post("database/rotate-root/pg", json!({})).await.ok();
    gone(&world.server, pid, "root-rotated").await;
    assert!(!world.database.lets_in(super::ROOT, "first"));
    assert_eq!(world.server.plugins(), []);
    world.user().await;

    let pid = world.server.only_plugin().pid;
    api.delete("database/config/pg").await.ok();
    gone(&world.server, pid, "connection-deleted").await;
    assert_eq!(world.server.plugins(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_go_plugin_that_is_not_shared_ends_when_its_connection_is_changed() {
    let (redis, server) = (Redis::start().await, Server::start().await);
    let entry = Registration { kind: "database", ..Registration::default() };
    server.register_as("redis-database-plugin", &go_plugin("redis"), entry).await;
    server.enable("database", "database").await;
    let api = server.api();
    let connection = json!({
        "plugin_name": "redis-database-plugin", "allowed_roles": "*", "host": "127.0.0.1", "port": redis.port,
        "username": Redis::ADMIN, "password": Redis::PASSWORD,
    });
    api.post("database/config/redis", connection.clone()).await.ok();
    let role = json!({ "db_name": "redis", "creation_statements": r#"["+@read", "~*"]"# });
    api.post("database/roles/dyn", role).await.ok();
    let user = super::User::of(&api.get("database/creds/dyn").await.ok());
    assert!(redis.lets_in(&user.name, &user.password));

    let pid = server.only_plugin().pid;
    api.post("database/config/redis", connection).await.ok();
    gone(&server, pid, "connection-changed").await;
    assert_ne!(server.only_plugin().pid, pid);
    api.put("sys/leases/revoke", json!({ "lease_id": user.lease })).await.ok();
    assert!(!redis.lets_in(&user.name, &user.password));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_serves_as_a_program_of_its_own_in_place_of_the_built_in_one() {
    let server = Server::start().await;
    server.register("database", &own_plugin("database")).await;
    let world = World::on(By::BuiltIn, server, PostgreSql::start().await).await;
    world.user().await;
    assert!(world.server.only_plugin().executable().is_some());
    let other = json!({ "plugin_name": "mysql-database-plugin" });
    let refusal = world.api().post("database/config/other", other).await.refused(400);
    assert!(refusal.contains("has only the database plugins postgresql-database-plugin"), "{refusal}");
    let pid = world.server.only_plugin().pid;
    world.api().post("database/rotate-root/pg", json!({})).await.ok();
    world.user().await;
    assert_eq!(world.server.only_plugin().pid, pid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_go_plugin_that_is_killed_serves_the_next_request() {
    let world = World::new(By::Go).await;
    let first = world.user().await;
    let plugin = world.server.only_plugin();
    plugin.kill();
    // Until the host knows of it, a request may be lost inside.
    assert_eq!(world.server.told_ends_of(plugin.pid).await, ["killed"]);
    let second = world.user().await;
    assert!(first.name != second.name && world.lets_in(&first));
}
