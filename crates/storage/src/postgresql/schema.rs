use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// The steps from no tables to their present form; `{entry}` and `{fence}` stand for their names. A step, once
/// released, never changes. Names are compared by their bytes, as everywhere else.
const STEPS: [&str; 1] = [r#"
    CREATE TABLE {entry} (
        key     text COLLATE "C" NOT NULL PRIMARY KEY,
        value   bytea            NOT NULL,
        version bigint           NOT NULL
    );
    CREATE TABLE {fence} (
        id    integer PRIMARY KEY CHECK (id = 0),
        form  integer NOT NULL,
        epoch bigint  NOT NULL,
        owner text    NOT NULL
    );
    INSERT INTO {fence} (id, form, epoch, owner) VALUES (0, 1, 0, '');
"#];

/// Whoever makes tables is alone while he does.
const MAKING: i64 = 0x006d_6f72_7469_7365;

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum SchemaError {
    /// The form of the tables is unknown here.
    #[error("the table {fence} has form {found}, this server knows forms up to {}; use the server that wrote it", STEPS.len())]
    TooNew {
        /// The table that says it.
        fence: String,
        /// What it says.
        found: i32,
    },
    /// There is a table of that name without the one beside it.
    #[error("the table {0} is there already and is not ours; name another one with `table`")]
    Foreign(String),
    /// They are not to be made here.
    #[error("the tables {0} and {1} are not there, and skip_create_table says that they are not to be made")]
    Missing(String, String),
    /// Keys would not be kept as they are.
    #[error("the database's encoding is {0}; make one with ENCODING 'UTF8'")]
    Encoding(String),
    /// A statement failed.
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
}

/// The two tables, their names quoted.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) entry: String,
    pub(super) fence: String,
}

/// Brings the tables to their present form and makes `owner` the one that writes: returns the new epoch.
///
/// Waits for what an earlier writer has under way; what it begins later, it begins in vain.
pub(super) async fn take_over(
    connection: &mut PgConnection,
    tables: &Tables,
    make: bool,
    owner: &str,
) -> Result<i64, SchemaError> {
    let mut transaction = connection.begin().await?;
    let encoding: String = sqlx::query_scalar("SHOW server_encoding").fetch_one(&mut *transaction).await?;
    if encoding != "UTF8" {
        return Err(SchemaError::Encoding(encoding));
    }
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MAKING).execute(&mut *transaction).await?;
    upgrade(&mut transaction, tables, make).await?;
    let turn = format!("UPDATE {} SET epoch = epoch + 1, owner = $1 RETURNING epoch", tables.fence);
    let epoch = sqlx::query_scalar(AssertSqlSafe(turn)).bind(owner).fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(epoch)
}

async fn upgrade(connection: &mut PgConnection, tables: &Tables, make: bool) -> Result<(), SchemaError> {
    let found = form(connection, tables).await?;
    let too_new = || SchemaError::TooNew { fence: tables.fence.clone(), found };
    let steps = usize::try_from(found).ok().and_then(|done| STEPS.get(done..)).ok_or_else(too_new)?;
    if found == 0 && !make {
        return Err(SchemaError::Missing(tables.entry.clone(), tables.fence.clone()));
    }
    for step in steps {
        let step = step.replace("{entry}", &tables.entry).replace("{fence}", &tables.fence);
        sqlx::raw_sql(AssertSqlSafe(step)).execute(&mut *connection).await?;
    }
    Ok(())
}

/// What the tables say; 0: there are none.
pub(super) async fn form(connection: &mut PgConnection, tables: &Tables) -> Result<i32, SchemaError> {
    if exists(connection, &tables.fence).await? {
        let form = format!("SELECT form FROM {}", tables.fence);
        return Ok(sqlx::query_scalar(AssertSqlSafe(form)).fetch_one(connection).await?);
    }
    if exists(connection, &tables.entry).await? {
        return Err(SchemaError::Foreign(tables.entry.clone()));
    }
    Ok(0)
}

async fn exists(connection: &mut PgConnection, table: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(table).fetch_one(connection).await
}
