use std::path::PathBuf;

use domain::Secret;

use super::{
    key::{Block, Key, Usual},
    problem::Place,
    setting::{Setting, Shown},
    stanza::Stanza,
    tree::{Node, Value},
};
use crate::{Service, variable};

pub(super) const BLOCK: Block =
    Block::new("storage", "`storage \"postgresql\"`", "Everything is in this PostgreSQL database.")
        .read_by(&[Service::Catalog])
        .without_effect(&["auth_mode", "ha_enabled", "ha_table"]);

const CONNECTION_URL: Key<ConnectionUrl> = Key::new(
    "connection_url",
    "`postgresql://USER:PASSWORD@HOST/DATABASE`; TLS by `?sslmode=verify-full&sslrootcert=FILE`",
)
.otherwise("needed")
.variable(&variable::PG_CONNECTION_URL);

const PASSWORD_FILE: Key<PathBuf> = Key::new(
    "password_file",
    "the password is what this file says, not what the URL does; it is read for each connection",
);

const TABLE: Usual<Table> = Key::new("table", "where everything is; its fence is in `<table>_fence`")
    .usually(|| Table("vault_kv_store".to_owned()));

const MAX_PARALLEL: Usual<Connections> =
    Key::new("max_parallel", "connections at most: one writes, the others read").usually(|| Connections(16));

const MAX_IDLE_CONNECTIONS: Key<Count> =
    Key::new("max_idle_connections", "connections that are kept though nobody uses them")
        .otherwise("as many as `max_parallel`");

const MAX_CONNECT_RETRIES: Usual<Count> =
    Key::new("max_connect_retries", "how often the start tries again to reach it, every two seconds")
        .usually(|| Count(1));

const SKIP_CREATE_TABLE: Key<bool> = Key::new("skip_create_table", "the tables are there already");

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

impl Shown for Connections {
    fn shown(&self) -> String {
        self.0.to_string()
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

impl Shown for Count {
    fn shown(&self) -> String {
        self.0.to_string()
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

impl Shown for Table {
    fn shown(&self) -> String {
        self.0.clone()
    }
}

impl PostgreSql {
    /// Reads the stanza at `place`. A URL that was given outside of the files wins, as in Vault.
    pub(super) fn read(stanza: &mut Stanza<'_>, place: &Place, given: Option<&Node>) -> Option<Self> {
        let written = stanza.nodes(&CONNECTION_URL).pop();
        let url = given.or(written.as_ref());
        if url.is_none() {
            let text = "`storage` needs `connection_url`: postgres://USER:PASSWORD@HOST:5432/DATABASE, \
                here or in VAULT_PG_CONNECTION_URL";
            stanza.problems.error(place, text);
        }
        let max_parallel = stanza.get(&MAX_PARALLEL).0;
        let read = Self {
            max_parallel,
            password_file: stanza.last(&PASSWORD_FILE),
            table: stanza.get(&TABLE).0,
            max_idle_connections: stanza
                .last(&MAX_IDLE_CONNECTIONS)
                .map_or(max_parallel, |Count(number)| number),
            max_connect_retries: stanza.get(&MAX_CONNECT_RETRIES).0,
            skip_create_table: stanza.any(&SKIP_CREATE_TABLE),
            connection_url: connection_url(stanza, url?)?,
        };
        Some(read)
    }
}

impl Setting for ConnectionUrl {
    const ALLOWED: &'static str = "a URL, such as \"postgres://USER:PASSWORD@HOST:5432/DATABASE\"";

    fn read(value: &Value) -> Option<Self> {
        let text = String::read(value)?;
        let known = text.starts_with("postgres://") || text.starts_with("postgresql://");
        known.then(|| Self(Secret::new(text)))
    }
}

/// What is wrong with a URL is said without it.
fn connection_url(stanza: &mut Stanza<'_>, node: &Node) -> Option<ConnectionUrl> {
    let url = ConnectionUrl::read(&node.value);
    if url.is_none() {
        let text = format!("`connection_url` is not right; allowed: {}", ConnectionUrl::ALLOWED);
        stanza.problems.error(&node.place, text);
    }
    url
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
            assert_eq!((read.table.as_str(), warnings.len()), ("vault_kv_store", 0));
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
