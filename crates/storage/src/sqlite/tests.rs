use std::sync::Arc;

use futures::future::join_all;
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

/// A row at this key is refused.
async fn set_a_trap(path: &Path) {
    let mut other = options(path).connect().await.unwrap();
    let trap = "CREATE TRIGGER trap AFTER INSERT ON entry WHEN new.key = 'trap'
        BEGIN SELECT RAISE(ABORT, 'no'); END;";
    sqlx::raw_sql(trap).execute(&mut other).await.unwrap();
}

fn put(key: &str) -> Write {
    Write::Put(key.parse().unwrap(), "1".into())
}

#[tokio::test]
async fn a_failed_statement_is_undone_and_writing_goes_on() {
    let (_directory, path) = place();
    let storage = Sqlite::open(&path).await.unwrap();
    set_a_trap(&path).await;
    storage.commit(vec![put("gone")]).await.unwrap();
    let one_statement = vec![put("a"), put("trap")];
    let several = vec![put("a"), Write::Delete("gone".parse().unwrap()), put("trap")];
    for refused in [one_statement, several] {
        let refused = storage.commit(refused).await;
        assert!(matches!(refused, Err(Error::Backend(_))), "{refused:?}");
        assert_eq!(storage.list(&Prefix::ALL).await.unwrap(), ["gone"]);
    }
    storage.commit(vec![put("b"), Write::Delete("gone".parse().unwrap())]).await.unwrap();
    assert_eq!(storage.list(&Prefix::ALL).await.unwrap(), ["b"]);
}

#[tokio::test]
async fn a_bad_write_harms_only_itself() {
    let (_directory, path) = place();
    let storage = Sqlite::open(&path).await.unwrap();
    set_a_trap(&path).await;
    let keys = ["a", "b", "trap", "c"];
    // On one thread, all of them are queued before the writer looks: they are one group.
    let written = join_all(keys.map(|key| storage.commit(vec![put(key)]))).await;
    for (key, written) in keys.iter().zip(written) {
        assert_eq!(written.is_ok(), *key != "trap", "{key}: {written:?}");
    }
    assert_eq!(storage.list(&Prefix::ALL).await.unwrap(), ["a", "b", "c"]);
}

#[tokio::test]
async fn what_there_is_no_room_for_is_refused_as_a_whole_and_writing_goes_on() {
    let (_directory, path) = place();
    let opened = Sqlite::open(&path).await.unwrap();
    // So many pages of the database stand for the disk.
    let writer = Writer::start(&options(&path).pragma("max_page_count", "64")).await.unwrap();
    let storage = Sqlite { writer: Some(writer), ..opened };
    let large = |key: &str| Write::Put(key.parse().unwrap(), vec![7; 100 << 10].into());
    storage.commit(vec![large("a"), large("b")]).await.unwrap();

    let refused = storage.commit(vec![put("c"), large("d")]).await.unwrap_err();
    assert!(matches!(refused, Error::Full(_)), "{refused:?}");
    assert!(refused.to_string().starts_with("storage is full, and nothing was written"), "{refused}");
    assert_eq!(storage.list(&Prefix::ALL).await.unwrap(), ["a", "b"]);

    storage.commit(vec![Write::Delete("a".parse().unwrap())]).await.unwrap();
    storage.commit(vec![put("c"), large("d")]).await.unwrap();
    assert_eq!(storage.list(&Prefix::ALL).await.unwrap(), ["b", "c", "d"]);
}

#[tokio::test]
async fn the_database_of_another_writer_is_waited_for_and_then_refused_as_a_whole() {
    let (_directory, path) = place();
    let storage = Sqlite::open(&path).await.unwrap();
    let mut other = options(&path).connect().await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    for refused in join_all(["a", "b"].map(|key| storage.commit(vec![put(key)]))).await {
        assert!(matches!(refused, Err(Error::Backend(_))), "{refused:?}");
    }
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    storage.commit(vec![put("a")]).await.unwrap();
}

#[tokio::test]
async fn deleting_what_is_not_there_is_harmless_and_still_needs_the_right_to_write() {
    let (_directory, path) = place();
    let old = Sqlite::open(&path).await.unwrap();
    let nothing = || vec![Write::Delete("nothing".parse().unwrap())];
    old.commit(nothing()).await.unwrap();
    let _new = Sqlite::open(&path).await.unwrap();
    let refused = old.commit(nothing()).await;
    assert!(matches!(refused, Err(Error::ReadOnly)), "{refused:?}");
}

#[tokio::test]
async fn the_log_of_writes_shrinks_again_after_a_large_one() {
    let (_directory, path) = place();
    let storage = Sqlite::open(&path).await.unwrap();
    let log = || path.with_extension("db-wal").metadata().unwrap().len();
    storage.put("large".parse().unwrap(), vec![1; 2 * LOG_LIMIT as usize].into()).await.unwrap();
    assert!(log() > LOG_LIMIT, "{}", log());
    // The first write after a checkpoint begins the log anew.
    storage.put("small".parse().unwrap(), "1".into()).await.unwrap();
    storage.put("small".parse().unwrap(), "2".into()).await.unwrap();
    assert!(log() <= LOG_LIMIT, "{}", log());
}

#[tokio::test]
async fn more_than_the_queue_holds_waits_and_is_written() {
    let (_directory, path) = place();
    let storage = Sqlite::open(&path).await.unwrap();
    let value = Bytes::from(vec![1; 24 << 20]);
    let writes = (0..4).map(|i| storage.put(format!("k/{i}").parse().unwrap(), value.clone()));
    for written in join_all(writes).await {
        written.unwrap();
    }
    assert_eq!(storage.list(&"k/".parse().unwrap()).await.unwrap(), ["0", "1", "2", "3"]);
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
async fn a_read_that_gets_no_turn_says_that_nothing_is_wrong_with_what_is_stored() {
    let (_directory, path) = place();
    let storage = Sqlite::open(&path).await.unwrap();
    let key = "k/a".parse().unwrap();
    let mut others = Vec::new();
    for _ in 0..READERS {
        others.push(storage.readers.acquire().await.unwrap());
    }
    let refused = storage.get(&key).await.unwrap_err();
    assert_eq!(refused.kind(), domain::Kind::Unavailable);
    drop(others);
    assert_eq!(storage.get(&key).await.unwrap(), None);
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

#[tokio::test]
async fn who_only_looks_makes_nothing_and_takes_nothing_over() {
    let (_directory, path) = place();
    assert!(Sqlite::look(&path).await.unwrap().is_none());
    assert!(!path.exists());
    let storage = Sqlite::open(&path).await.unwrap();
    assert!(Sqlite::look(&path).await.unwrap().is_none(), "nothing is in it");
    storage.commit(vec![put("a")]).await.unwrap();
    let seen = Sqlite::look(&path).await.unwrap().unwrap();
    assert_eq!(seen.list(&Prefix::ALL).await.unwrap(), ["a"]);
    assert!(matches!(seen.commit(vec![put("b")]).await, Err(Error::ReadOnly)));
    storage.commit(vec![put("b")]).await.unwrap();
}
