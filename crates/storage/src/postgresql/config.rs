use std::{io, path::PathBuf};

use domain::Secret;
use sqlx::{ConnectOptions, postgres::PgConnectOptions};

use super::failure::Failure;
use crate::Error;

/// What is appended to the table's name to make that of the table beside it.
pub(super) const FENCE: &str = "_fence";

/// Longer names are cut by the database, and would then be another's.
const LONGEST_NAME: usize = 63 - FENCE.len();

/// What a connection's URL may say after its question mark. Anything else would be passed over, and logged.
const PARAMETERS: [&str; 17] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

/// How a PostgreSQL database is used.
#[derive(Clone, Debug)]
pub struct PostgreSqlConfig {
    /// Where it is, and who we are there.
    pub connection_url: Secret<String>,
    /// The password is what this file says, less the end of its line. It is read for each connection, so that it can be
    /// changed.
    pub password_file: Option<PathBuf>,
    /// The table that everything is kept in; beside it lies another one, whose name has `_fence` at its end.
    pub table: String,
    /// Connections at most; one of them writes.
    pub max_parallel: u32,
    /// Connections that are kept though nobody reads by them.
    pub max_idle_connections: u32,
    /// How often it is tried again to reach the database at the start.
    pub max_connect_retries: u32,
    /// The tables are made by somebody else.
    pub skip_create_table: bool,
}

/// What is wrong with it.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConfigError {
    /// Another form of it than a URL, or none.
    #[error("connection_url has to be a URL: postgres://USER:PASSWORD@HOST:5432/DATABASE")]
    NoUrl,
    /// Nothing of it is shown: what is wrong may well be the password.
    #[error(
        "connection_url is malformed; characters other than letters and digits in a password are written as %XX"
    )]
    Malformed,
    /// A parameter that nobody here knows.
    #[error("connection_url has the parameter {name:?}, which is not known here; there are {}", PARAMETERS.join(", "))]
    Parameter {
        /// Its name; its value may be a secret.
        name: String,
    },
    /// Nobody can be asked without it.
    #[error("password_file cannot be read: {}: {error}", path.display())]
    PasswordFile {
        /// Where it should be.
        path: PathBuf,
        /// Why it is not read.
        error: io::Error,
    },
    /// A name that no table has.
    #[error("table is the name of a table, of 1 to {LONGEST_NAME} bytes")]
    Table,
}

impl PostgreSqlConfig {
    /// Which table of which database it is, for people and for comparisons.
    pub fn place(&self) -> Result<String, Error> {
        let options = self.options().map_err(Failure::from)?;
        let [table, _] = self.tables().map_err(Failure::from)?;
        let host = options.get_socket().map_or(options.get_host().into(), |socket| socket.to_string_lossy());
        let (port, database) = (options.get_port(), options.get_database().unwrap_or(options.get_username()));
        Ok(format!("the table {table} of the database {database:?} at {host}:{port}"))
    }

    /// How it is connected to.
    pub(super) fn options(&self) -> Result<PgConnectOptions, ConfigError> {
        let url = self.connection_url.expose();
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(ConfigError::NoUrl);
        }
        let query = url.split_once('?').map_or("", |(_, query)| query);
        for (name, _) in form_urlencoded::parse(query.as_bytes()) {
            if !PARAMETERS.contains(&&*name) && !name.starts_with("options[") {
                return Err(ConfigError::Parameter { name: name.into_owned() });
            }
        }
        let options: PgConnectOptions = url.parse().map_err(|_| ConfigError::Malformed)?;
        let named = options.get_application_name().is_some();
        let options = if named { options } else { options.application_name("mortise") };
        Ok(options.disable_statement_logging())
    }

    /// The names of the two tables, quoted.
    pub(super) fn tables(&self) -> Result<[String; 2], ConfigError> {
        let name = &self.table;
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains('\0') {
            return Err(ConfigError::Table);
        }
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        Ok([quoted(name), quoted(&format!("{name}{FENCE}"))])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str, table: &str) -> PostgreSqlConfig {
        PostgreSqlConfig {
            connection_url: Secret::new(url.to_owned()),
            password_file: None,
            table: table.to_owned(),
            max_parallel: 4,
            max_idle_connections: 2,
            max_connect_retries: 0,
            skip_create_table: false,
        }
    }

    #[test]
    fn a_url_that_makes_no_sense_is_refused_without_showing_the_password() {
        for (url, said) in [
            ("", "has to be a URL"),
            ("host=x password=hunter2", "has to be a URL"),
            ("postgres://u:hunter2@x:port/", "is malformed"),
            ("postgres://u:hunter2@x/?sslmode=hunter2", "is malformed"),
            ("postgres://u:p@x/?sslpassword=hunter2", "\"sslpassword\", which is not known"),
        ] {
            let refused = config(url, "t").options().unwrap_err().to_string();
            assert!(refused.contains(said) && !refused.contains("hunter2"), "{refused}");
        }
        assert!(!format!("{:?}", config("postgres://u:hunter2@x/", "t")).contains("hunter2"));
    }

    #[test]
    fn a_url_says_where_the_database_is() {
        let options =
            config("postgres://u:p%40ss@db.test:6432/app?sslmode=verify-full", "t").options().unwrap();
        assert_eq!(
            (options.get_host(), options.get_port(), options.get_database()),
            ("db.test", 6432, Some("app"))
        );
        assert_eq!(options.get_application_name(), Some("mortise"));
    }

    #[test]
    fn a_tables_name_is_quoted_and_never_cut() {
        let tables = |name: &str| config("", name).tables();
        assert_eq!(tables("odd\"name").unwrap(), ["\"odd\"\"name\"", "\"odd\"\"name_fence\""]);
        for bad in ["", "a\0b", &"a".repeat(58)] {
            assert!(tables(bad).is_err(), "{bad:?}");
        }
    }
}
