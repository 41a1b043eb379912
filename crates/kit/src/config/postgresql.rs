use std::path::PathBuf;

use domain::Secret;

use super::{
    problem::Place,
    setting::Setting,
    stanza::Stanza,
    tree::{Node, Value},
};

/// The table, unless another one is named.
const TABLE: &str = "vault_kv_store";

/// What Vault knows and nothing is done with here.
pub(super) const WITHOUT_EFFECT: &[&str] = &["auth_mode", "ha_enabled", "ha_table"];

/// Where a database is and who we are there. Nothing shows it: it holds a password.
#[derive(Clone, Debug)]
pub struct ConnectionUrl(pub Secret<String>);

impl PartialEq for ConnectionUrl {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose() == other.0.expose()
    }
}

impl Eq for ConnectionUrl {}

/// How a PostgreSQL database is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgreSql {
    /// Where it is.
    pub connection_url: ConnectionUrl,
    /// The password is in this file, not in the URL.
    pub password_file: Option<PathBuf>,
    /// Everything is kept in this table.
    pub table: String,
    /// Connections at most.
    pub max_parallel: u32,
    /// Connections that are kept though nobody uses them.
    pub max_idle_connections: u32,
    /// How often it is tried again to reach the database at the start.
    pub max_connect_retries: u32,
    /// The tables are made by somebody else.
    pub skip_create_table: bool,
}

/// How many connections: one that writes, and others that read.
struct Connections(u32);

impl Setting for Connections {
    const ALLOWED: &'static str = "a whole number of 2 to 10000";

    fn read(value: &Value) -> Option<Self> {
        u64::read(value).filter(|number| (2..=10_000).contains(number))?.try_into().ok().map(Self)
    }
}

/// How many of something there may be none of.
struct Count(u32);

impl Setting for Count {
    const ALLOWED: &'static str = "a whole number of 0 to 10000";

    fn read(value: &Value) -> Option<Self> {
        u64::read(value).filter(|number| *number <= 10_000)?.try_into().ok().map(Self)
    }
}

/// The name of a table. A longer one would be cut by the database.
struct Table(String);

impl Setting for Table {
    const ALLOWED: &'static str = "the name of a table, of 1 to 57 bytes";

    fn read(value: &Value) -> Option<Self> {
        String::read(value).filter(|name| (1..=57).contains(&name.len()) && !name.contains('\0')).map(Self)
    }
}

impl PostgreSql {
    /// Reads the stanza at `place`. A URL that was given outside of the files wins, as in Vault.
    pub(super) fn read(stanza: &mut Stanza<'_>, place: &Place, given: Option<&Node>) -> Option<Self> {
        let written = stanza.all("connection_url").pop();
        let url = given.or(written.as_ref());
        if url.is_none() {
            let text = "`storage` needs `connection_url`: postgres://USER:PASSWORD@HOST:5432/DATABASE, \
                here or in VAULT_PG_CONNECTION_URL";
            stanza.problems.error(place, text);
        }
        let max_parallel = stanza.last("max_parallel").map_or(16, |Connections(number)| number);
        let read = Self {
            max_parallel,
            password_file: stanza.last("password_file"),
            table: stanza.last("table").map_or_else(|| TABLE.to_owned(), |Table(name)| name),
            max_idle_connections: stanza
                .last("max_idle_connections")
                .map_or(max_parallel, |Count(number)| number),
            max_connect_retries: stanza.last("max_connect_retries").map_or(1, |Count(number)| number),
            skip_create_table: stanza.any("skip_create_table"),
            connection_url: connection_url(stanza, url?)?,
        };
        Some(read)
    }
}

/// What is wrong with a URL is said without it.
fn connection_url(stanza: &mut Stanza<'_>, node: &Node) -> Option<ConnectionUrl> {
    match &node.value {
        Value::Text(text) if text.starts_with("postgres://") || text.starts_with("postgresql://") => {
            Some(ConnectionUrl(Secret::new(text.clone())))
        }
        _ => {
            let text = "`connection_url` is not right; allowed: a URL, \
                such as \"postgres://USER:PASSWORD@HOST:5432/DATABASE\"";
            stanza.problems.error(&node.place, text);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Error, Given, Storage, read_texts};

    fn read(text: &str, url: Option<&str>) -> Result<(PostgreSql, Vec<String>), Vec<String>> {
        let given = url.map(|url| Given {
            key: "connection_url",
            name: "VAULT_PG_CONNECTION_URL",
            value: url.to_owned(),
        });
        let sentences = |problems: Vec<crate::config::Problem>| {
            problems.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        match read_texts(&[("a.hcl".into(), text.to_owned())], given.into_iter().collect()) {
            Ok((config, warnings)) => match config.storage {
                Some(Storage::PostgreSql(read)) => Ok((read, sentences(warnings))),
                other => panic!("{other:?}"),
            },
            Err(Error::Invalid(problems)) => Err(sentences(problems)),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn vaults_stanza_is_read() {
        let text = "storage \"postgresql\" {\n connection_url = \"postgres://u:hunter2@h/d\"\n table = \"t\"\n \
            password_file = \"/p\"\n max_parallel = \"128\"\n max_idle_connections = 5\n max_connect_retries = 3\n \
            skip_create_table = \"true\"\n ha_enabled = \"true\"\n}";
        let (read, warnings) = read(text, None).unwrap();
        let expected = PostgreSql {
            connection_url: ConnectionUrl(Secret::new("postgres://u:hunter2@h/d".to_owned())),
            password_file: Some("/p".into()),
            table: "t".to_owned(),
            max_parallel: 128,
            max_idle_connections: 5,
            max_connect_retries: 3,
            skip_create_table: true,
        };
        assert_eq!(read, expected);
        assert_eq!(warnings, ["a.hcl:9: `ha_enabled` is known from Vault and has no effect here"]);
        assert!(!format!("{read:?}").contains("hunter2"));
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let text = "storage \"postgresql\" {\n connection_url = \"postgres://h/file\"\n}";
        let url = Some("postgres://h/environment");
        for text in [text, "storage \"postgresql\" {}"] {
            let (read, warnings) = read(text, url).unwrap();
            assert_eq!(read.connection_url.0.expose(), "postgres://h/environment");
            assert_eq!((read.table.as_str(), warnings.len()), (TABLE, 0));
        }
    }

    #[test]
    fn wrong_values_are_refused_with_their_line_and_without_the_password() {
        let refused = |line: &str| {
            let text = format!("storage \"postgresql\" {{\n connection_url = \"postgres://h\"\n {line}\n}}");
            read(&text, None).unwrap_err().join("\n")
        };
        assert!(
            refused("max_parallel = 1")
                .starts_with("a.hcl:3: `max_parallel` is 1; allowed: a whole number of 2")
        );
        assert!(
            refused("table = \"\"").starts_with("a.hcl:3: `table` is \"\"; allowed: the name of a table")
        );
        let missing = read("storage \"postgresql\" {}", None).unwrap_err().join("\n");
        assert!(missing.contains("a.hcl:1: `storage` needs `connection_url`"), "{missing}");
        for url in ["host=h password=hunter2", "mysql://u:hunter2@h"] {
            let wrong = format!("storage \"postgresql\" {{\n connection_url = \"{url}\"\n}}");
            let wrong = read(&wrong, None).unwrap_err().join("\n");
            assert!(wrong.starts_with("a.hcl:2: `connection_url` is not right"), "{wrong}");
            assert!(!wrong.contains("hunter2"), "{wrong}");
        }
    }
}
