use std::path::PathBuf;

use super::{
    files,
    key::Block,
    problem::{Error, Problem, Problems},
    server::Given,
    stanza::Stanza,
    storage::Storage,
    tree::{Entry, Node},
};
use crate::Service;

const TOP: Block = Block::new(
    "migration",
    "`operator migrate`",
    "`mortise operator migrate -config=FILE` reads two blocks, `storage_source` and `storage_destination`, each like \
     `storage`.",
)
.read_by(&[Service::Catalog])
.without_effect(&["cluster_addr"]);

/// From where to where everything stored is copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// From where.
    pub source: Storage,
    /// To where.
    pub destination: Storage,
}

impl Migration {
    /// Reads files and folders as [`load`](super::load) does. The second part of the answer is what has no effect.
    ///
    /// # Errors
    /// Everything that is wrong, each with its line.
    pub fn load(paths: &[PathBuf], given: Vec<Given>) -> Result<(Self, Vec<Problem>), Error> {
        let ((source, destination), warnings) = files::read(&files::texts(paths)?, given, ends)?;
        let missing = |what, example| move || Error::Missing { what, example };
        let source = source
            .ok_or_else(missing("storage_source", "storage_source \"sqlite\" { path = \"mortise.db\" }"))?;
        let destination = destination.ok_or_else(missing(
            "storage_destination",
            "storage_destination \"postgresql\" { connection_url = \"postgres://USER:PASSWORD@HOST:5432/DATABASE\" }",
        ))?;
        Ok((Self { source, destination }, warnings))
    }
}

pub(super) fn ends(entries: Vec<Entry>, problems: &mut Problems) -> (Option<Storage>, Option<Storage>) {
    let mut top = Stanza::new(&TOP, entries, problems);
    let url = top.given("connection_url");
    let source = end(&mut top, "storage_source", url.as_ref());
    let destination = end(&mut top, "storage_destination", url.as_ref());
    top.finish();
    (source, destination)
}

fn end(top: &mut Stanza<'_>, name: &'static str, url: Option<&Node>) -> Option<Storage> {
    let all = top.labelled(name);
    if let [_, second, ..] = &all[..] {
        top.problems.error(&second.node.place, format!("there is a second {name}; keep one of them"));
    }
    all.into_iter().filter_map(|entry| Storage::read(entry, url, top.problems)).next_back()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: &str) -> Result<(Migration, Vec<Problem>), Error> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("migrate.hcl");
        fs::write(&file, text).unwrap();
        Migration::load(&[file], Vec::new())
    }

    #[test]
    fn a_migration_has_two_ends() {
        let text = "storage_source \"file\" { path = \"a\" }\nstorage_destination \"sqlite\" { path = \"b\" }\n\
            cluster_addr = \"https://127.0.0.1:8201\"";
        let (migration, warnings) = read(text).unwrap();
        assert_eq!(migration.source, Storage::File { path: "a".into() });
        assert_eq!(migration.destination, Storage::Sqlite { path: "b".into() });
        assert_eq!(warnings.len(), 1);
    }

    #[test]
    fn what_is_missing_or_there_twice_is_said() {
        let one = "storage_source \"file\" { path = \"a\" }\n";
        let refused = |text: &str| read(text).unwrap_err().to_string();
        assert!(refused("").contains("has no storage_source"));
        assert!(refused(one).contains("has no storage_destination"));
        assert!(refused(&one.repeat(2)).contains(":2: there is a second storage_source"));
        assert!(refused("storage_source \"tape\" {}").contains("there is no storage \"tape\""));
    }
}
