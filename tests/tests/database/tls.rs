//! PostgreSQL over TLS, with a certificate of its own.

use serde_json::{Value, json};
use testkit::{PostgreSql, Server};

use super::{CREATION, User};

const PLUGIN: &str = "postgresql-database-plugin";

fn connection(database: &PostgreSql, host: &str, ca: &str) -> Value {
    let address = format!("{host}:{}", database.port);
    json!({
        "plugin_name": PLUGIN, "allowed_roles": "*", "username": PostgreSql::ADMIN, "password": PostgreSql::PASSWORD,
        "connection_url": format!("postgresql://{{{{username}}}}:{{{{password}}}}@{address}/postgres?sslmode=verify-full"),
        "tls_ca": ca,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_built_in_plugin_believes_only_the_database_that_it_was_told_to_believe() {
    let (database, other) = (PostgreSql::start_with_tls().await, PostgreSql::start_with_tls().await);
    let server = Server::start().await;
    server.enable("database", "database").await;
    let api = server.api();
    let (own, wrong) = (database.certificate(), other.certificate());
    for (host, ca) in [("127.0.0.1", wrong.as_str()), ("127.0.0.1", ""), ("localhost", own.as_str())] {
        let refusal = api.post("database/config/pg", connection(&database, host, ca)).await.refused(400);
        assert!(refusal.contains("invalid peer certificate"), "{refusal}");
        assert!(refusal.contains("give in tls_ca the certificate of who issued it"), "{refusal}");
        assert!(!refusal.contains(PostgreSql::PASSWORD), "{refusal}");
    }
    let plain = PostgreSql::start().await;
    let refusal = api.post("database/config/pg", connection(&plain, "127.0.0.1", &own)).await.refused(400);
    assert!(refusal.contains("server does not support TLS"), "{refusal}");

    api.post("database/config/pg", connection(&database, "127.0.0.1", &own)).await.ok();
    let role = json!({ "db_name": "pg", "creation_statements": CREATION });
    api.post("database/roles/dyn", role).await.ok();
    let user = User::of(&api.get("database/creds/dyn").await.ok());
    assert!(database.lets_in(&user.name, &user.password));
    let sessions = |encrypted: bool| {
        let those = "pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name <> 'psql'";
        let ours = format!(
            "SELECT count(*) FROM {those} AND usename = '{}' AND ssl = {encrypted}",
            PostgreSql::ADMIN
        );
        database.ask(&ours).unwrap().parse::<u32>().unwrap()
    };
    assert!(sessions(true) > 0 && sessions(false) == 0, "nothing is said in the open");
    api.post("database/rotate-root/pg", json!({})).await.ok();
    let user = User::of(&api.get("database/creds/dyn").await.ok());
    assert!(database.lets_in(&user.name, &user.password));
}
