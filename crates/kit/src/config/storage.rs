use std::path::PathBuf;

use super::{problem::Problems, stanza::Stanza, tree::Entry};

const TYPES: &str = "\"sqlite\", \"file\" or \"inmem\"";

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
}

impl Storage {
    /// Its type, as the stanza names it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Inmem => "inmem",
            Self::Sqlite { .. } => "sqlite",
            Self::File { .. } => "file",
        }
    }

    pub(crate) fn read(entry: Entry, problems: &mut Problems) -> Option<Self> {
        let place = entry.node.place.clone();
        let kind = entry.key;
        if !matches!(kind.as_str(), "inmem" | "sqlite" | "file") {
            problems.error(&place, format!("there is no storage {kind:?}; allowed: {TYPES}"));
            return None;
        }
        let mut stanza = Stanza::of("storage", entry.node, problems)?;
        let storage = match kind.as_str() {
            "sqlite" => stanza.required("storage", "path", &place).map(|path| Self::Sqlite { path }),
            "file" => stanza.required("storage", "path", &place).map(|path| Self::File { path }),
            _ => Some(Self::Inmem),
        };
        stanza.finish(&[]);
        storage
    }
}
