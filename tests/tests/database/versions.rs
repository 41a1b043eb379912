//! Versions of a database plugin: which one a connection runs, and what becomes of it when that is taken away.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Plugin, PostgreSql, Registration, Server, eventually, go_plugin};

use super::{By, User};

const OLD: &str = "v1.0.0";
const NEW: &str = "v1.1.0";

async fn versions(server: &Server) -> Vec<Value> {
    let listed = server.api().get("sys/plugins/processes").await.data();
    let all = listed["processes"].as_array().unwrap_or_else(|| panic!("{listed}")).iter();
    all.map(|process| process["version"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_of_a_database_plugin_goes_before_everything_from_the_next_reload_on() {
    let (database, server) = (PostgreSql::start().await, Server::start().await);
    let api = server.api();
    let name = By::Go.plugin();
    let program = Plugin::at(server.install(&go_plugin("postgresql")));
    for version in [OLD, NEW] {
        let entry = Registration { kind: "database", version, ..Registration::default() };
        api.register(&program, name, entry).await.ok();
    }
    server.enable("database", "database").await;
    let connection = json!({
        "plugin_name": name, "allowed_roles": "*", "connection_url": database.url(),
        "username": PostgreSql::ADMIN, "password": PostgreSql::PASSWORD,
    });
    api.post("database/config/pg", connection).await.ok();
    let role = json!({ "db_name": "pg", "creation_statements": super::CREATION });
    api.post("database/roles/dyn", role).await.ok();
    let serves = async || {
        let user = User::of(&api.get("database/creds/dyn").await.ok());
        assert!(database.lets_in(&user.name, &user.password));
    };
    serves().await;
    assert_eq!(versions(&server).await, [NEW], "the highest, unless it is said otherwise");

    api.put(&format!("sys/plugins/pins/database/{name}"), json!({ "version": OLD })).await.ok();
    let pin = api.get(&format!("sys/plugins/pins/database/{name}")).await.data();
    assert_eq!(pin, json!({ "name": name, "type": "database", "version": OLD }));
    serves().await;
    assert_eq!(versions(&server).await, [NEW]);
    let reload = async || {
        let before = server.only_plugin();
        let reloaded = api.put(&format!("sys/plugins/reload/database/{name}"), json!({})).await;
        assert!(reloaded.is_ok(), "{reloaded}");
        assert_eq!(server.told_ends_of(before.pid).await, ["reloaded"]);
        eventually(Duration::from_secs(20), "the old process is gone", async || !before.is_alive()).await;
    };
    reload().await;
    assert_eq!(versions(&server).await, [OLD]);
    serves().await;
    let kept = api.delete(&format!("sys/plugins/catalog/database/{name}?version={OLD}")).await;
    assert!(!kept.is_ok() && kept.errors().contains("cannot delete a pinned version"), "{kept}");

    api.delete(&format!("sys/plugins/pins/database/{name}")).await.ok();
    reload().await;
    assert_eq!(versions(&server).await, [NEW]);

    // What runs goes on, though it is in the catalog no more; another takes its place with the next reload.
    assert_eq!(api.delete(&format!("sys/plugins/catalog/database/{name}?version={NEW}")).await.status, 204);
    serves().await;
    assert_eq!(versions(&server).await, [NEW]);
    reload().await;
    serves().await;
    assert_eq!(versions(&server).await, [OLD]);

    // With the last of them gone nothing can take its place.
    assert_eq!(api.delete(&format!("sys/plugins/catalog/database/{name}?version={OLD}")).await.status, 204);
    serves().await;
    let refusal = api.post("database/reset/pg", json!({})).await.refused(503);
    assert!(refusal.contains(&format!("plugin not found in the catalog: {name}")), "{refusal}");
    let entry = Registration { kind: "database", version: NEW, ..Registration::default() };
    api.register(&program, name, entry).await.ok();
    serves().await;
    assert_eq!(versions(&server).await, [NEW]);
}
