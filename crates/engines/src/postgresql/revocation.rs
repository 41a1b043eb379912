use sqlx::AssertSqlSafe;
use tenon::database::Result;

use super::connected::Connected;

impl Connected {
    /// Takes everything from a role that can be taken, and drops it. What it owns has to go first: a role that still
    /// owns something is not dropped, and that is told.
    pub(super) async fn drop_role(&self, name: &str) -> Result<()> {
        if !self.has_role(name).await? {
            return Ok(());
        }
        let role = identifier(name);
        let (database, schemas) = self.granted(name).await?;
        let mut statements = Vec::new();
        for schema in schemas.iter().map(|schema| identifier(schema)) {
            statements.push(format!("REVOKE ALL PRIVILEGES ON ALL TABLES IN SCHEMA {schema} FROM {role}"));
            statements.push(format!("REVOKE ALL PRIVILEGES ON ALL SEQUENCES IN SCHEMA {schema} FROM {role}"));
            statements.push(format!("REVOKE ALL PRIVILEGES ON ALL FUNCTIONS IN SCHEMA {schema} FROM {role}"));
            statements.push(format!("REVOKE USAGE ON SCHEMA {schema} FROM {role}"));
        }
        statements.push(format!("REVOKE CONNECT ON DATABASE {} FROM {role}", identifier(&database)));
        for statement in statements {
            // What cannot be taken may not hinder the role from being dropped. If it does, that is told.
            if let Err(error) = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&self.pool).await {
                tracing::debug!(%error, "a privilege cannot be revoked");
            }
        }
        let dropped = sqlx::raw_sql(AssertSqlSafe(format!("DROP ROLE IF EXISTS {role}"))).execute(&self.pool);
        dropped.await.map_err(|error| self.failed("could not drop the user", &error))?;
        Ok(())
    }

    /// The database, and the schemas in which a role may have been granted something.
    async fn granted(&self, name: &str) -> Result<(String, Vec<String>)> {
        let failed = |error| self.failed("could not read what the user was granted", &error);
        let database: String = sqlx::query_scalar("SELECT current_database()::text")
            .fetch_one(&self.pool)
            .await
            .map_err(failed)?;
        let schemas = sqlx::query_scalar(
            "SELECT DISTINCT table_schema::text FROM information_schema.role_column_grants WHERE grantee = $1 \
             UNION SELECT 'public'",
        )
        .bind(name)
        .fetch_all(&self.pool);
        Ok((database, schemas.await.map_err(failed)?))
    }
}

/// A name as SQL quotes it.
fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
