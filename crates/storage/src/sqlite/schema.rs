use sqlx::{Connection, SqliteConnection};

/// The steps from an empty database to the present form. A step, once released, never changes.
const STEPS: [&str; 1] = ["
    CREATE TABLE entry (
        key     TEXT    NOT NULL PRIMARY KEY,
        value   BLOB    NOT NULL,
        version INTEGER NOT NULL
    ) WITHOUT ROWID, STRICT;
    CREATE TABLE fence (
        id    INTEGER PRIMARY KEY CHECK (id = 0),
        epoch INTEGER NOT NULL
    ) STRICT;
    INSERT INTO fence (id, epoch) VALUES (0, 0);
    PRAGMA user_version = 1;
"];

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum SchemaError {
    /// Its form is unknown here.
    #[error("the database has form {found}, this server knows forms up to {}; use the server that wrote it", STEPS.len())]
    TooNew {
        /// What the database says.
        found: i64,
    },
    /// A statement failed.
    #[error("cannot prepare the database")]
    Sql(#[from] sqlx::Error),
}

/// Brings the database to the present form and makes this connection's owner its writer: returns the new epoch.
pub(super) async fn take_over(connection: &mut SqliteConnection) -> Result<i64, SchemaError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *transaction).await?;
    let done = usize::try_from(found).map_err(|_| SchemaError::TooNew { found })?;
    for step in STEPS.get(done..).ok_or(SchemaError::TooNew { found })? {
        sqlx::raw_sql(*step).execute(&mut *transaction).await?;
    }
    let epoch = sqlx::query_scalar("UPDATE fence SET epoch = epoch + 1 RETURNING epoch")
        .fetch_one(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(epoch)
}
