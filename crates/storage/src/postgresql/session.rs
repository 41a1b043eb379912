//! How a connection that writes begins.

use sqlx::PgConnection;

use super::{
    schema::{self, SchemaError, Tables},
    statements::Statements,
};

/// A commit is acknowledged when it is on the disk, whatever else the database is used for.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// For a handle that takes over writing: its epoch.
pub(super) async fn open(
    connection: &mut PgConnection,
    tables: &Tables,
    make: bool,
    owner: &str,
) -> Result<i64, SchemaError> {
    sqlx::query(DURABLE).execute(&mut *connection).await?;
    let fsync: String = sqlx::query_scalar("SHOW fsync").fetch_one(&mut *connection).await?;
    if fsync == "off" {
        tracing::warn!(
            "the database runs with fsync=off: it loses what it has acknowledged when its machine fails"
        );
    }
    schema::take_over(connection, tables, make, owner).await
}

/// For the handle that wrote last: its next epoch, unless another has taken over.
pub(super) async fn again(
    connection: &mut PgConnection,
    statements: &Statements,
    owner: &str,
) -> sqlx::Result<Option<i64>> {
    sqlx::query(DURABLE).execute(&mut *connection).await?;
    statements.take_over_again(connection, owner).await
}
