//! Database plugins as programs: ours in place of the built-in one, and unmodified Go ones, with real databases.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Options, Plugin, PostgreSql, Redis, Registration, Server, eventually, go_plugin, own_plugin};

const MAKE: &str =
    r#"CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';"#;

const DATABASE: Registration<'_> = Registration { kind: "database", version: "", args: &[], env: &[] };

/// A server with a database engine and this database plugin.
async fn server_with(options: Options, name: &str, plugin: &Plugin) -> Server {
    let server = Server::start_with(options).await;
    server.register_as(name, plugin, DATABASE).await;
    server.enable("database", "database").await;
    server
}

/// A connection of that name, and a role of the same name.
async fn connect(server: &Server, name: &str, creation: &str, mut connection: Value) {
    connection["allowed_roles"] = json!("*");
    server.api().post(&format!("database/config/{name}"), connection).await.ok();
    let role = json!({ "db_name": name, "creation_statements": [creation], "default_ttl": "1h" });
    server.api().post(&format!("database/roles/{name}"), role).await.ok();
}

fn to_postgresql(plugin: &str, database: &PostgreSql) -> Value {
    json!({
        "plugin_name": plugin,
        "connection_url": database.url(),
        "username": PostgreSql::ADMIN,
        "password": PostgreSql::PASSWORD,
    })
}

/// Who was made: name, password and lease.
async fn user(server: &Server, role: &str) -> [String; 3] {
    let made = server.api().get(&format!("database/creds/{role}")).await.ok();
    [&made["data"]["username"], &made["data"]["password"], &made["lease_id"]]
        .map(|value| value.as_str().unwrap().to_owned())
}

async fn revoke(server: &Server, lease: &str) {
    server.api().put("sys/leases/revoke", json!({ "lease_id": lease, "sync": true })).await.ok();
}

async fn processes(server: &Server) -> Vec<Value> {
    let listed = server.api().get("sys/plugins/processes").await.data();
    listed["processes"].as_array().unwrap_or_else(|| panic!("{listed}")).clone()
}

async fn kill_the_plugin(server: &Server) {
    let plugin = server.only_plugin();
    plugin.kill();
    // Until the host knows of it, a request may be lost inside.
    assert_eq!(server.told_ends_of(plugin.pid).await, ["killed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_postgresql_plugin_as_a_program_takes_the_place_of_the_built_in_one() {
    const NAME: &str = "postgresql-database-plugin";
    let database = PostgreSql::start().await;
    let plugin = own_plugin("postgresql");
    let server = server_with(Options::default(), NAME, &plugin).await;
    let api = server.api();
    assert!(server.plugins().is_empty(), "a plugin runs when it is needed, and not before");

    connect(&server, "pg", MAKE, to_postgresql(NAME, &database)).await;
    let [name, password, lease] = user(&server, "pg").await;
    assert!(name.starts_with("v-root-pg-"), "{name}");
    assert!(database.lets_in(&name, &password));
    let listed = processes(&server).await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["mounts"], json!(["database/"]), "{listed:?}");
    assert_eq!(listed[0]["type"], json!("database"), "{listed:?}");
    assert_eq!(listed[0]["sha256"], json!(plugin.sha256), "{listed:?}");

    kill_the_plugin(&server).await;
    let renewed = api.put("sys/leases/renew", json!({ "lease_id": lease, "increment": 7200 })).await;
    renewed.ok();
    kill_the_plugin(&server).await;
    revoke(&server, &lease).await;
    assert!(!database.lets_in(&name, &password));

    api.post("database/rotate-root/pg", json!({})).await.ok();
    assert!(!database.lets_in(PostgreSql::ADMIN, PostgreSql::PASSWORD), "only the engine knows it now");
    let [name, password, _] = user(&server, "pg").await;
    assert!(database.lets_in(&name, &password));
    api.delete("database/config/pg").await.ok();
    assert!(server.plugins().is_empty(), "the process ends with its last connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_moves_every_connection_to_a_new_process() {
    let database = PostgreSql::start().await;
    let server = server_with(Options::default(), "pg-go", &go_plugin("postgresql")).await;
    for name in ["one", "two"] {
        connect(&server, name, MAKE, to_postgresql("pg-go", &database)).await;
    }
    let before = server.only_plugin();
    let reloaded = server.api().post("sys/plugins/reload/database/pg-go", json!({})).await;
    assert!(reloaded.is_ok() && reloaded.body["warnings"].is_null(), "{}", reloaded.body);
    assert_eq!(server.told_ends_of(before.pid).await, ["reloaded"]);
    eventually(Duration::from_secs(10), "the old process is gone", async || !before.is_alive()).await;
    let after = server.only_plugin();
    for name in ["one", "two"] {
        let [user, password, _] = user(&server, name).await;
        assert!(database.lets_in(&user, &password));
    }
    assert_eq!(server.only_plugin(), after);
    let nothing = server.api().post("sys/plugins/reload/database/nothing", json!({})).await;
    assert!(nothing.body["warnings"].to_string().contains("no plugins were reloaded"), "{}", nothing.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unmodified_redis_plugin_makes_users() {
    let database = Redis::start().await;
    let server = server_with(Options::default(), "redis", &go_plugin("redis")).await;
    let connection = json!({
        "plugin_name": "redis", "host": "127.0.0.1", "port": database.port, "tls": false,
        "username": Redis::ADMIN, "password": Redis::PASSWORD,
    });
    connect(&server, "redis", r#"["~*", "+@read"]"#, connection).await;
    let [name, password, lease] = user(&server, "redis").await;
    assert!(database.lets_in(&name, &password));
    kill_the_plugin(&server).await;
    let [second, password_of_second, _] = user(&server, "redis").await;
    assert!(database.lets_in(&second, &password_of_second));
    revoke(&server, &lease).await;
    assert!(!database.lets_in(&name, &password));
    server.disable("database").await;
    assert!(!database.lets_in(&second, &password_of_second), "the mount's leases went with it");
    assert!(server.plugins().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_share_a_process_unless_the_plugin_is_named_as_one_that_does_not() {
    let database = PostgreSql::start().await;
    for (opted_out, expected) in [("", 1), ("other, pg-go", 2)] {
        let environment = vec![("VAULT_PLUGIN_MULTIPLEXING_OPT_OUT".into(), opted_out.into())];
        let options = Options { environment, ..Options::default() };
        let server = server_with(options, "pg-go", &go_plugin("postgresql")).await;
        for name in ["one", "two"] {
            connect(&server, name, MAKE, to_postgresql("pg-go", &database)).await;
            let [user, password, _] = user(&server, name).await;
            assert!(database.lets_in(&user, &password));
        }
        assert_eq!(server.plugins().len(), expected, "opted out: {opted_out:?}");
        assert_eq!(processes(&server).await.len(), expected);
    }
}
