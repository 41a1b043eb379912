use std::{
    fmt,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use super::{
    config::{ConfigError, PostgreSqlConfig},
    failure::{Failure, Why, within},
    schema::{self, Tables},
    statements::Statements,
};
use crate::Result;

/// How long the database may take to let us in.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// How the database is reached, what is asked there, and whether it answers.
pub(super) struct Link {
    options: PgConnectOptions,
    password_file: Option<PathBuf>,
    pub(super) tables: Tables,
    pub(super) statements: Statements,
    lost: AtomicBool,
}

impl Link {
    pub(super) fn new(config: &PostgreSqlConfig) -> Result<Self, ConfigError> {
        let [entry, fence] = config.tables()?;
        Ok(Self {
            options: config.options()?,
            password_file: config.password_file.clone(),
            statements: Statements::new(&entry, &fence),
            tables: Tables { entry, fence },
            lost: AtomicBool::new(false),
        })
    }

    /// A new connection.
    pub(super) async fn connect(&self) -> Result<PgConnection, Failure> {
        let options = self.options().await?;
        let made = within(CONNECT_PATIENCE, PgConnection::connect_with(&options)).await;
        match &made {
            Ok(_) => self.is_back(),
            Err(failure) => self.is_lost(failure.why()),
        }
        made.map_err(|failure| match failure {
            // Such as a wrong password: somebody has to do something about it.
            Failure::Refused(_) => failure,
            passing => passing.unreached(),
        })
    }

    /// How it is connected to today.
    async fn options(&self) -> Result<PgConnectOptions, ConfigError> {
        let options = self.options.clone();
        let Some(path) = &self.password_file else { return Ok(options) };
        match tokio::fs::read_to_string(path).await {
            Ok(text) => Ok(options.password(text.trim_end_matches(['\r', '\n']))),
            Err(error) => Err(ConfigError::PasswordFile { path: path.clone(), error }),
        }
    }

    /// Whether the tables are there.
    pub(super) async fn has_tables(&self) -> Result<bool> {
        let mut connection = self.connect().await?;
        let form = schema::form(&mut connection, &self.tables).await.map_err(Failure::from)?;
        Ok(form > 0)
    }

    /// Says so, once.
    pub(super) fn is_lost(&self, why: &Why) {
        if !self.lost.swap(true, Ordering::Relaxed) {
            tracing::error!(%why, "the database does not answer; it is tried again until it does");
        }
    }

    fn is_back(&self) {
        if self.lost.swap(false, Ordering::Relaxed) {
            tracing::info!("the database answers again");
        }
    }
}

/// Nothing of how the database is reached is shown: it may hold a password.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("tables", &self.tables).finish_non_exhaustive()
    }
}
