use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, postgres::PgPoolOptions};
use tenon::database::{Error, Result, Statements};
use tokio::time::timeout;

use super::{config::Config, statements::Fill};

/// How long a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A database that was said how to be reached. It is reached when somebody needs it.
pub(super) struct Connected {
    pub(super) config: Config,
    pub(super) pool: PgPool,
}

impl Connected {
    pub(super) fn new(config: Config) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(config.max_open_connections)
            .max_lifetime(config.max_connection_lifetime)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(config.options.clone());
        Self { config, pool }
    }

    /// Whether the database lets us in. Not by the pool, which would try again and again, and hide why.
    pub(super) async fn verify(&self) -> Result<()> {
        let reached = timeout(PATIENCE, PgConnection::connect_with(&self.config.options)).await;
        let late = |_| Error::Failed(format!("error verifying connection: no answer within {PATIENCE:?}"));
        let connection = reached.map_err(late)?;
        let mut connection = connection.map_err(|error| self.failed("error verifying connection", &error))?;
        let answer = connection.ping().await;
        let _ = connection.close().await;
        answer.map_err(|error| self.failed("error verifying connection", &error))
    }

    /// Runs all statements, or none.
    pub(super) async fn run(&self, statements: &Statements, fill: &Fill<'_>) -> Result<()> {
        let failed = |error: sqlx::Error| {
            let error = self.failed("failed to execute query", &error);
            fill.hide_password_in(error)
        };
        let mut transaction = self.pool.begin().await.map_err(failed)?;
        for statement in &statements.0 {
            // One text may hold several statements: the database itself knows best where each ends.
            let sql = AssertSqlSafe(fill.statement(statement));
            sqlx::raw_sql(sql).execute(&mut *transaction).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    pub(super) async fn has_role(&self, name: &str) -> Result<bool> {
        let found = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1)")
            .bind(name)
            .fetch_one(&self.pool);
        found.await.map_err(|error| self.failed("failed to look for the user", &error))
    }

    pub(super) async fn close(&self) {
        let _ = timeout(Duration::from_secs(1), self.pool.close()).await;
    }

    /// What went wrong, without the password that we log in with.
    pub(super) fn failed(&self, doing: &str, error: &sqlx::Error) -> Error {
        let why = match error {
            sqlx::Error::Database(refusal) => {
                let code = refusal.code().unwrap_or_default();
                format!("{} (SQLSTATE {code})", refusal.message())
            }
            sqlx::Error::PoolTimedOut => format!("no connection to the database within {PATIENCE:?}"),
            error => with_advice(error.to_string()),
        };
        Error::Failed(format!("{doing}: {}", hide(&why, self.config.password.expose())))
    }
}

/// Says what is to be done about a database that is not believed.
fn with_advice(why: String) -> String {
    if why.contains("invalid peer certificate") {
        let name = "and in connection_url the name that it is for";
        return format!("{why}; give in tls_ca the certificate of who issued it, {name}");
    }
    why
}

/// The text without a secret. Very short ones would spoil every text.
pub(super) fn hide(text: &str, secret: &str) -> String {
    if secret.len() < 4 { text.to_owned() } else { text.replace(secret, "[password]") }
}
