use std::path::PathBuf;

use super::{
    postgresql::{self, PostgreSql},
    problem::Problems,
    stanza::Stanza,
    tree::{Entry, Node},
};

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
        let mut stanza = Stanza::of("storage", entry.node, problems)?;
        let (storage, without_effect) = match kind.as_str() {
            "sqlite" => {
                (stanza.required("storage", "path", &place).map(|path| Self::Sqlite { path }), &[][..])
            }
            "file" => (stanza.required("storage", "path", &place).map(|path| Self::File { path }), &[][..]),
            "postgresql" => {
                let read = PostgreSql::read(&mut stanza, &place, url);
                (read.map(Self::PostgreSql), postgresql::WITHOUT_EFFECT)
            }
            _ => (Some(Self::Inmem), &[][..]),
        };
        stanza.finish(without_effect);
        storage
    }
}
