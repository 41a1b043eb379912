//! Everything stored is copied from one storage to another, and back.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use catalog::{Catalog, Config, Error, Migration, MigrationError, PostgreSqlConfig, StorageConfig};
use domain::Secret;
use storage::{Key, PostgreSql, Sqlite, Storage, Write};
use tempfile::TempDir;
use testkit::PostgreSql as Database;

fn sqlite(folder: &TempDir, name: &str) -> StorageConfig {
    StorageConfig::Sqlite { path: folder.path().join(name) }
}

fn migration(source: StorageConfig, destination: StorageConfig) -> Migration {
    Migration { source, destination, start: String::new(), parallel: 4 }
}

fn key(at: &str) -> Key {
    at.parse().unwrap()
}

fn keys() -> Vec<String> {
    let many = (0..600).map(|n| format!("data/logical/{}/{n:03}", n % 7));
    many.chain(["barrier/seal", "core", "core/a", "data/a", "data/a/b", "data/é"].map(String::from)).collect()
}

async fn fill(path: &Path) -> Sqlite {
    let storage = Sqlite::open(path).await.unwrap();
    let writes = keys().into_iter().map(|at| Write::Put(key(&at), at.into()));
    storage.commit(writes.collect()).await.unwrap();
    storage
}

async fn expect_all(storage: &dyn Storage) {
    for at in keys() {
        assert_eq!(storage.get(&key(&at)).await.unwrap().unwrap(), at, "{at}");
    }
    assert_eq!(storage.list(&"core/".parse().unwrap()).await.unwrap(), ["a"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_goes_to_postgresql_and_back() {
    let (folder, database) = (TempDir::new().unwrap(), Database::start().await);
    let elsewhere = PostgreSqlConfig {
        connection_url: Secret::new(database.admin_url()),
        password_file: None,
        table: "store".to_owned(),
        max_parallel: 8,
        max_idle_connections: 4,
        max_connect_retries: 0,
        skip_create_table: false,
    };
    let old = fill(&folder.path().join("a")).await;
    let there = migration(sqlite(&folder, "a"), StorageConfig::PostgreSql(elsewhere.clone()));
    let done = there.run().await.unwrap();
    assert_eq!((done.entries, done.copied), (606, 606));
    expect_all(&PostgreSql::look(&elsewhere).await.unwrap().unwrap()).await;
    let refused = old.put(key("late"), "1".into()).await;
    assert!(
        matches!(refused, Err(storage::Error::ReadOnly)),
        "who had the source cannot write to it any more"
    );

    let back = migration(StorageConfig::PostgreSql(elsewhere), sqlite(&folder, "b"));
    assert_eq!(back.run().await.unwrap().copied, 606);
    expect_all(&Sqlite::look(&folder.path().join("b")).await.unwrap().unwrap()).await;
}

/// Breaks a migration off after it has copied some of `a`, and more of it than there is now.
async fn break_off(folder: &TempDir) {
    let source = folder.path().join("a").canonicalize().unwrap();
    let mark = format!("{{\"source\":\"the file {}\"}}", source.display());
    let half = Sqlite::open(&folder.path().join("b")).await.unwrap();
    let mut writes = vec![Write::Put(key("core/migration"), mark.into())];
    writes.extend(keys().into_iter().take(300).map(|at| Write::Put(key(&at), at.into())));
    for (at, value) in [("data/a", "old"), ("data/gone", "1"), ("gone/a/b", "1")] {
        writes.push(Write::Put(key(at), value.into()));
    }
    half.commit(writes).await.unwrap();
}

#[tokio::test]
async fn what_was_broken_off_goes_on_and_nothing_opens_it_before_it_has_ended() {
    let folder = TempDir::new().unwrap();
    fill(&folder.path().join("a")).await;
    break_off(&folder).await;
    let config = Config { storage: sqlite(&folder, "b"), ..Config::default() };
    let refused = Catalog::open(config.clone()).await.err().unwrap();
    assert!(
        matches!(&refused, Error::Migrating { source_place } if source_place.ends_with("/a")),
        "{refused}"
    );
    let further = migration(sqlite(&folder, "b"), sqlite(&folder, "c")).run().await;
    assert!(matches!(further, Err(MigrationError::Unfinished)), "{further:?}");
    fill(&folder.path().join("other")).await;
    let another = migration(sqlite(&folder, "other"), sqlite(&folder, "b")).run().await;
    assert!(matches!(another, Err(MigrationError::Another { .. })), "{another:?}");

    let done = migration(sqlite(&folder, "a"), sqlite(&folder, "b")).run().await.unwrap();
    assert_eq!((done.entries, done.copied), (606, 306));
    let filled = Sqlite::look(&folder.path().join("b")).await.unwrap().unwrap();
    expect_all(&filled).await;
    for gone in ["data/gone", "gone/a/b"] {
        assert_eq!(filled.get(&key(gone)).await.unwrap(), None, "{gone}");
    }
    Catalog::open(config).await.unwrap();
}

#[tokio::test]
async fn a_start_trusts_what_is_there_and_leaves_no_hole() {
    let folder = TempDir::new().unwrap();
    fill(&folder.path().join("a")).await;
    break_off(&folder).await;
    let started =
        Migration { start: "data/b".to_owned(), ..migration(sqlite(&folder, "a"), sqlite(&folder, "b")) };
    assert_eq!(started.run().await.unwrap().copied, 305);
    let filled = Sqlite::look(&folder.path().join("b")).await.unwrap().unwrap();
    assert_eq!(filled.get(&key("data/a")).await.unwrap().unwrap(), "old");
    assert_eq!(filled.get(&key("core/a")).await.unwrap().unwrap(), "core/a");
}

#[tokio::test]
async fn what_was_given_up_leaves_an_empty_destination() {
    let folder = TempDir::new().unwrap();
    let source = fill(&folder.path().join("a")).await;
    break_off(&folder).await;
    let given_up = migration(sqlite(&folder, "a"), sqlite(&folder, "b"));
    assert!(given_up.reset().await.unwrap());
    assert!(!given_up.reset().await.unwrap());
    assert!(Sqlite::look(&folder.path().join("b")).await.unwrap().is_none());
    source.put(key("more"), "1".into()).await.unwrap();
}

#[tokio::test]
async fn a_storage_in_use_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let (source, used) = (fill(&folder.path().join("a")).await, fill(&folder.path().join("b")).await);
    let refused = migration(sqlite(&folder, "a"), sqlite(&folder, "b")).run().await;
    assert!(matches!(refused, Err(MigrationError::InUse)), "{refused:?}");
    for storage in [&source, &used] {
        storage.put(key("more"), "1".into()).await.unwrap();
    }
    let same = StorageConfig::File { path: folder.path().to_owned() };
    let same =
        migration(same, StorageConfig::Sqlite { path: folder.path().join("./mortise.db") }).run().await;
    assert!(matches!(same, Err(MigrationError::Same)), "{same:?}");
    let nothing = migration(sqlite(&folder, "mistyped"), sqlite(&folder, "c")).run().await;
    assert!(matches!(nothing, Err(MigrationError::Empty)), "{nothing:?}");
    assert!(!folder.path().join("mistyped").exists() && !folder.path().join("c").exists());
    let memory = migration(sqlite(&folder, "a"), StorageConfig::Inmem).run().await;
    assert!(matches!(memory, Err(MigrationError::Memory)), "{memory:?}");
}
