use std::sync::Arc;

use futures::future::join_all;
use sqlx::ConnectOptions;
use tempfile::TempDir;

use super::*;

fn place() -> (TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data").join("mortise.db");
    (directory, path)
}

#[tokio::test]
async fn a_handle_that_was_replaced_writes_nothing_more() {
    let (_directory, path) = place();
    let old = Sqlite::open(&path).await.unwrap();
    let key: Key = "a".parse().unwrap();
    old.put(key.clone(), "old".into()).await.unwrap();
    let new = Sqlite::open(&path).await.unwrap();
    new.put(key.clone(), "new".into()).await.unwrap();
    for _ in 0..2 {
        let refused = old.put(key.clone(), "again".into()).await;
        assert!(matches!(refused, Err(Error::ReadOnly)), "{refused:?}");
    }
    assert_eq!(old.get(&key).await.unwrap().unwrap(), "new");
    new.put(key, "newer".into()).await.unwrap();
}

#[tokio::test]
async fn what_was_written_is_there_when_opened_again() {
    let (_directory, path) = place();
    let storage = Sqlite::open(&path).await.unwrap();
    storage.put("a/b".parse().unwrap(), "1".into()).await.unwrap();
    drop(storage);
    let storage = Sqlite::open(&path).await.unwrap();
    assert_eq!(storage.get(&"a/b".parse().unwrap()).await.unwrap().unwrap(), "1");
}

#[tokio::test]
async fn after_a_failed_commit_nothing_more_is_written() {
    let (_directory, path) = place();
    let storage = Sqlite::open(&path).await.unwrap();
    // A constraint that SQLite checks only when it commits.
    let mut other = options(&path).connect().await.unwrap();
    let trap = "CREATE TABLE parent (id INTEGER PRIMARY KEY);
        CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
        CREATE TRIGGER trap AFTER INSERT ON entry WHEN new.key = 'trap'
        BEGIN INSERT INTO child VALUES (1); END;";
    sqlx::raw_sql(trap).execute(&mut other).await.unwrap();
    storage.put("a".parse().unwrap(), "1".into()).await.unwrap();
    for key in ["trap", "b"] {
        let refused = storage.put(key.parse().unwrap(), "2".into()).await;
        assert!(matches!(refused, Err(Error::Stopped)), "{refused:?}");
    }
    assert_eq!(storage.list(&Prefix::ALL).await.unwrap(), ["a"]);
}

#[tokio::test]
async fn a_failed_statement_is_undone_and_writing_goes_on() {
    let (_directory, path) = place();
    let storage = Sqlite::open(&path).await.unwrap();
    let mut other = options(&path).connect().await.unwrap();
    let trap = "CREATE TRIGGER trap AFTER INSERT ON entry WHEN new.key = 'trap'
        BEGIN SELECT RAISE(ABORT, 'no'); END;";
    sqlx::raw_sql(trap).execute(&mut other).await.unwrap();
    let put = |key: &str| Write::Put(key.parse().unwrap(), "1".into());
    let refused = storage.commit(vec![put("a"), put("trap")]).await;
    assert!(matches!(refused, Err(Error::Backend(_))), "{refused:?}");
    storage.commit(vec![put("b")]).await.unwrap();
    assert_eq!(storage.list(&Prefix::ALL).await.unwrap(), ["b"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_that_arrive_together_all_arrive() {
    let (_directory, path) = place();
    let storage = Arc::new(Sqlite::open(&path).await.unwrap());
    let writes = (0..500).map(|i| storage.put(format!("k/{i:03}").parse().unwrap(), "v".into()));
    for written in join_all(writes).await {
        written.unwrap();
    }
    let names = storage.list(&"k/".parse().unwrap()).await.unwrap();
    assert_eq!(names, (0..500).map(|i| format!("{i:03}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_database_from_the_future_is_refused() {
    let (_directory, path) = place();
    drop(Sqlite::open(&path).await.unwrap());
    let mut other = options(&path).connect().await.unwrap();
    sqlx::raw_sql("PRAGMA user_version = 99").execute(&mut other).await.unwrap();
    let Err(Error::Backend(refused)) = Sqlite::open(&path).await else { panic!("it was opened") };
    assert!(refused.to_string().contains("form 99"), "{refused}");
}
