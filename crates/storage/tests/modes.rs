//! Alone in its process, because the umask belongs to the whole of it.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
};

use rustix::{fs::Mode, process::umask};
use storage::{Sqlite, Storage};

#[tokio::test]
async fn c7_files_are_for_the_owner_only_whatever_the_umask() {
    let outer = tempfile::tempdir().unwrap();
    for (name, mask) in [("open", 0o000), ("closed", 0o777)] {
        let directory = outer.path().join(name).join("deep");
        let before = umask(Mode::from_raw_mode(mask));
        let storage = Sqlite::open(&directory.join("db")).await.unwrap();
        storage.put("a".parse().unwrap(), "1".into()).await.unwrap();
        umask(before);
        for made in [directory.clone(), outer.path().join(name)] {
            assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o7777, 0o700, "{made:?}");
        }
        let files: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap()).collect();
        assert!(files.len() >= 2, "{files:?}");
        for file in files {
            assert_eq!(file.metadata().unwrap().mode() & 0o7777, 0o600, "{file:?}");
        }
    }
}
