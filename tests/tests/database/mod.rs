//! The database secrets engine with real databases: by the plugin that is part of the host, and by unmodified Go plugins.

mod cut_off;
mod dynamic;
mod ends;
mod gate;
mod host_ends;
mod kinds;
mod statics;
mod tls;
mod versions;

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Api, PostgreSql, Registration, Server, go_plugin};

const PATIENCE: Duration = Duration::from_secs(60);

/// The user by which the engine reaches the database.
const ROOT: &str = "root_of_engine";

const CREATION: &str =
    r#"CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';"#;

/// Which database plugin is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// The one that is part of the host.
    BuiltIn,
    /// The unmodified Go plugin.
    Go,
}

impl By {
    const fn plugin(self) -> &'static str {
        match self {
            Self::BuiltIn => "postgresql-database-plugin",
            Self::Go => "go-postgresql",
        }
    }
}

/// A server with a database engine, and the database.
struct World {
    server: Server,
    database: PostgreSql,
}

impl World {
    /// One that has a connection `pg` and a role `dyn`.
    async fn new(by: By) -> Self {
        Self::on(by, Server::start().await, PostgreSql::start().await).await
    }

    /// Likewise, on this server.
    async fn on(by: By, server: Server, database: PostgreSql) -> Self {
        Self::through(by, database.port, server, database).await
    }

    /// Likewise; the engine reaches the database at that port.
    async fn through(by: By, port: u16, server: Server, database: PostgreSql) -> Self {
        let create = format!("CREATE ROLE {ROOT} SUPERUSER LOGIN PASSWORD 'first'");
        database.ask(&create).unwrap();
        if by == By::Go {
            let entry = Registration { kind: "database", ..Registration::default() };
            server.register_as(by.plugin(), &go_plugin("postgresql"), entry).await;
        }
        server.enable("database", "database").await;
        let world = Self { server, database };
        let url = format!(
            "postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{port}/postgres?sslmode=disable"
        );
        let connection = json!({
            "plugin_name": by.plugin(), "allowed_roles": "*", "connection_url": url, "username": ROOT,
            "password": "first",
        });
        world.api().post("database/config/pg", connection).await.ok();
        let role = json!({ "db_name": "pg", "creation_statements": CREATION, "default_ttl": "1h" });
        world.api().post("database/roles/dyn", role).await.ok();
        world
    }

    fn api(&self) -> Api {
        self.server.api()
    }

    /// A user of the role, which is let in.
    async fn user(&self) -> User {
        let user = User::of(&self.api().get("database/creds/dyn").await.ok());
        assert!(self.lets_in(&user), "{} is let in", user.name);
        user
    }

    fn lets_in(&self, user: &User) -> bool {
        self.database.lets_in(&user.name, &user.password)
    }
}

/// Somebody who may log in to the database.
#[derive(Clone, PartialEq, Eq)]
struct User {
    name: String,
    password: String,
    lease: String,
}

impl User {
    fn of(answer: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let data = &answer["data"];
        Self {
            name: text(&data["username"]),
            password: text(&data["password"]),
            lease: text(&answer["lease_id"]),
        }
    }
}
