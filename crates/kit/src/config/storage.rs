use std::path::PathBuf;

use super::{
    key::{Block, Key},
    postgresql::{self, PostgreSql},
    problem::Problems,
    stanza::Stanza,
    tree::{Entry, Node},
};
use crate::Service;

const INMEM: Block =
    Block::new("storage", "`storage \"inmem\"`", "Everything is in memory, and gone at the end.")
        .read_by(&[Service::Catalog]);

const SQLITE: Block = Block::new(
    "storage",
    "`storage \"sqlite\"`",
    "Everything is in this SQLite database. `backend` is an older spelling of `storage`.",
)
.read_by(&[Service::Catalog]);

const FILE: Block =
    Block::new("storage", "`storage \"file\"`", "Everything is in an SQLite database in this folder.")
        .read_by(&[Service::Catalog]);

const DATABASE: Key<PathBuf> = Key::new("path", "the database's file; it is made if need be");

const FOLDER: Key<PathBuf> = Key::new("path", "the folder; the database in it is called `mortise.db`");

const TYPES: &str = "\"sqlite\", \"postgresql\", \"file\" or \"inmem\"";

/// Where everything is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In memory; gone with the process.
    Inmem,
    /// In this SQLite database.
    Sqlite {
        /// The database's file.
        path: PathBuf,
    },
    /// In an SQLite database in this folder.
    File {
        /// The folder.
        path: PathBuf,
    },
    /// In a PostgreSQL database.
    PostgreSql(PostgreSql),
}

impl Storage {
    /// Its type, as the stanza names it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Inmem => "inmem",
            Self::Sqlite { .. } => "sqlite",
            Self::File { .. } => "file",
            Self::PostgreSql(_) => "postgresql",
        }
    }

    /// Reads a stanza; `url` is where a database is, as it was given outside of the files.
    pub(crate) fn read(entry: Entry, url: Option<&Node>, problems: &mut Problems) -> Option<Self> {
        let place = entry.node.place.clone();
        let kind = entry.key;
        if !matches!(kind.as_str(), "inmem" | "sqlite" | "file" | "postgresql") {
            problems.error(&place, format!("there is no storage {kind:?}; allowed: {TYPES}"));
            return None;
        }
        let block = match kind.as_str() {
            "sqlite" => &SQLITE,
            "file" => &FILE,
            "postgresql" => &postgresql::BLOCK,
            _ => &INMEM,
        };
        let mut stanza = Stanza::of(block, entry.node, problems)?;
        let storage = match kind.as_str() {
            "sqlite" => stanza.required(&DATABASE, &place).map(|path| Self::Sqlite { path }),
            "file" => stanza.required(&FOLDER, &place).map(|path| Self::File { path }),
            "postgresql" => PostgreSql::read(&mut stanza, &place, url).map(Self::PostgreSql),
            _ => Some(Self::Inmem),
        };
        stanza.finish();
        storage
    }
}
