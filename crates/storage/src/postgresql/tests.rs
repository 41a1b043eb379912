use domain::{Kind, Secret};
use futures::future::join_all;
use sqlx::{Connection, Executor, PgConnection};
use testkit::PostgreSql as Database;

use super::*;

mod doubt;

fn config(database: &Database) -> PostgreSqlConfig {
    PostgreSqlConfig {
        connection_url: Secret::new(database.admin_url()),
        password_file: None,
        table: "store".to_owned(),
        max_parallel: 8,
        max_idle_connections: 2,
        max_connect_retries: 0,
        skip_create_table: false,
    }
}

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

fn put(text: &str) -> Write {
    Write::Put(key(text), "1".into())
}

/// The whole chain of what an error says.
fn said(error: &Error) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    format!("{error}: {source}")
}

async fn names(storage: &PostgreSql) -> Vec<String> {
    storage.list(&Prefix::ALL).await.unwrap()
}

#[tokio::test]
async fn a_handle_that_was_replaced_writes_nothing_more() {
    let database = Database::start().await;
    assert!(PostgreSql::look(&config(&database)).await.unwrap().is_none(), "there is nothing yet");
    let old = PostgreSql::open(&config(&database)).await.unwrap();
    old.put(key("a"), "old".into()).await.unwrap();
    let new = PostgreSql::open(&config(&database)).await.unwrap();
    new.put(key("a"), "new".into()).await.unwrap();
    for refused in
        [vec![put("a")], vec![put("b"), Write::Delete(key("a"))], vec![Write::Delete(key("nothing"))]]
    {
        let refused = old.commit(refused).await;
        assert!(matches!(refused, Err(Error::ReadOnly)), "{refused:?}");
    }
    assert_eq!(old.get(&key("a")).await.unwrap().unwrap(), "new");
    // Who only looks takes nothing over.
    let seen = PostgreSql::look(&config(&database)).await.unwrap().unwrap();
    assert!(matches!(seen.commit(vec![put("a")]).await, Err(Error::ReadOnly)));
    // Nor is a lost connection a way to the right to write.
    disconnect_all(&database);
    assert!(matches!(old.commit(vec![put("a")]).await, Err(Error::ReadOnly)));
    new.put(key("a"), "newer".into()).await.unwrap();
}

fn disconnect_all(database: &Database) {
    let everybody = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
        WHERE application_name = 'mortise'";
    database.ask(everybody).unwrap();
}

#[tokio::test]
async fn a_transaction_of_an_earlier_epoch_is_waited_for_and_then_none_follows() {
    let database = Database::start().await;
    let link = Link::new(&config(&database)).unwrap();
    let mut first = link.connect().await.unwrap();
    let epoch = session::open(&mut first, &link.tables, true, "me").await.unwrap();
    let writes = [put("a")];
    let changes = statements::Changes::of(writes.iter());

    first.execute("BEGIN").await.unwrap();
    assert!(link.statements.write(&mut first, epoch, &changes).await.unwrap());
    let mut second = link.connect().await.unwrap();
    let mut again = Box::pin(session::again(&mut second, &link.statements, "me"));
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let waits = async || database.ask(waiting).unwrap() == "1";
    tokio::select! {
        early = &mut again => panic!("it did not wait: {early:?}"),
        () = testkit::eventually(Duration::from_secs(30), "it waits", waits) => {}
    }
    first.execute("COMMIT").await.unwrap();
    assert_eq!(again.await.unwrap(), Some(epoch + 1));
    assert!(!link.statements.write(&mut first, epoch, &changes).await.unwrap());
    assert!(link.statements.write(&mut second, epoch + 1, &changes).await.unwrap());
    // Somebody else's is nobody's next.
    assert_eq!(session::again(&mut second, &link.statements, "another").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_connections_are_made_again_and_no_write_is_lost() {
    let database = Database::start().await;
    let storage = Arc::new(PostgreSql::open(&config(&database)).await.unwrap());
    let cut = async {
        for _ in 0..5 {
            disconnect_all(&database);
            sleep(Duration::from_millis(20)).await;
        }
    };
    let writes = (0..200).map(|i| storage.put(key(&format!("k/{i:03}")), "v".into()));
    let (written, ()) = tokio::join!(join_all(writes), cut);
    written.into_iter().for_each(|written| written.unwrap());
    let names = storage.list(&"k/".parse().unwrap()).await.unwrap();
    assert_eq!(names, (0..200).map(|i| format!("{i:03}")).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_down_is_said_and_used_again_when_it_is_back() {
    let mut database = Database::start().await;
    let storage = PostgreSql::open(&config(&database)).await.unwrap();
    storage.put(key("kept"), "1".into()).await.unwrap();
    database.kill9().await;
    let written = storage.put(key("either"), "1".into()).await.unwrap_err();
    let read = storage.get(&key("kept")).await.unwrap_err();
    let opened = PostgreSql::open(&config(&database)).await.unwrap_err();
    for refused in [&written, &read, &opened] {
        assert_eq!(refused.kind(), Kind::Unavailable, "{refused:?}");
        assert!(refused.to_string().starts_with("storage cannot be reached"), "{refused}");
        assert!(
            !said(refused).contains(Database::PASSWORD)
                && !format!("{refused:?}").contains(Database::PASSWORD)
        );
    }
    database.start_again().await;
    let back = async || storage.get(&key("kept")).await.is_ok_and(|value| value.is_some());
    testkit::eventually(Duration::from_secs(30), "it is used again", back).await;
    storage.put(key("more"), "1".into()).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_in_a_sentence() {
    let database = Database::start().await;
    let right = config(&database);
    let refused = async |config: PostgreSqlConfig| {
        let refused = said(&PostgreSql::open(&config).await.unwrap_err());
        assert!(!refused.contains(Database::PASSWORD) && !refused.contains("hunter2"), "{refused}");
        refused
    };
    let url = |from: &str, to: &str| Secret::new(database.admin_url().replace(from, to));
    let wrong = url(Database::PASSWORD, "hunter2-hunter2");
    let answer = refused(PostgreSqlConfig { connection_url: wrong, ..right.clone() }).await;
    assert!(answer.contains("password authentication failed for user \"admin\""), "{answer}");
    let elsewhere = url("/postgres", "/none");
    let answer = refused(PostgreSqlConfig { connection_url: elsewhere, ..right.clone() }).await;
    assert!(answer.contains("database \"none\" does not exist"), "{answer}");
    let answer = refused(PostgreSqlConfig { skip_create_table: true, ..right.clone() }).await;
    assert!(answer.contains("\"store\" and \"store_fence\" are not there"), "{answer}");

    database.ask("CREATE TABLE store (path text)").unwrap();
    let answer = refused(right.clone()).await;
    assert!(answer.contains("\"store\" is there already and is not ours"), "{answer}");
    database.ask("DROP TABLE store").unwrap();
    drop(PostgreSql::open(&right).await.unwrap());
    database.ask("UPDATE store_fence SET form = 99").unwrap();
    let answer = refused(right.clone()).await;
    assert!(answer.contains("form 99"), "{answer}");
    database.ask("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0").unwrap();
    let answer = refused(PostgreSqlConfig { connection_url: url("/postgres", "/latin"), ..right }).await;
    assert!(answer.contains("ENCODING 'UTF8'"), "{answer}");
}

#[tokio::test]
async fn a_password_in_a_file_is_read_for_each_connection_so_that_it_can_be_changed() {
    let database = Database::start().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let url = database.admin_url().replace(Database::PASSWORD, "hunter2");
    let config = PostgreSqlConfig {
        connection_url: Secret::new(url),
        password_file: Some(file.path().to_owned()),
        ..config(&database)
    };
    std::fs::write(&file, format!("{}\n", Database::PASSWORD)).unwrap();
    let storage = PostgreSql::open(&config).await.unwrap();
    storage.put(key("a"), "1".into()).await.unwrap();
    database.ask("ALTER USER admin PASSWORD 'second-password'").unwrap();
    std::fs::write(&file, "second-password").unwrap();
    let again = PostgreSql::open(&config).await.unwrap();
    assert_eq!(names(&again).await, ["a"]);
    file.close().unwrap();
    let refused = said(&PostgreSql::open(&config).await.unwrap_err());
    assert!(
        refused.contains("password_file cannot be read: /") && refused.contains("No such file"),
        "{refused}"
    );
}

#[tokio::test]
async fn the_road_to_the_database_is_encrypted_and_its_certificate_verified() {
    let database = Database::start_with_tls().await;
    let with = |more: String| {
        let url = format!("{}?sslmode=verify-full{more}", database.admin_url());
        PostgreSqlConfig { connection_url: Secret::new(url), ..config(&database) }
    };
    let authority = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&authority, database.certificate()).unwrap();
    let trusted = with(format!("&sslrootcert={}", authority.path().display()));
    let storage = PostgreSql::open(&trusted).await.unwrap();
    storage.put(key("a"), "1".into()).await.unwrap();
    assert_eq!(storage.get(&key("a")).await.unwrap().unwrap(), "1");
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
        WHERE application_name = 'mortise'";
    assert_eq!(database.ask(encrypted).unwrap(), "t");
    let refused = said(&PostgreSql::open(&with(String::new())).await.unwrap_err());
    assert!(refused.contains("certificate") && !refused.contains(Database::PASSWORD), "{refused}");
}

#[tokio::test]
async fn a_bad_write_harms_only_itself() {
    let database = Database::start().await;
    let storage = PostgreSql::open(&config(&database)).await.unwrap();
    let trap = "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no'; END$$;
        CREATE TRIGGER trap BEFORE INSERT ON store FOR EACH ROW WHEN (new.key = 'trap') EXECUTE FUNCTION no()";
    database.ask(trap).unwrap();
    let keys = ["a", "b", "trap", "c"];
    // On one thread, all of them are queued before the writer looks: they are one group.
    let written = join_all(keys.map(|key| storage.commit(vec![put(key)]))).await;
    for (key, written) in keys.iter().zip(written) {
        assert_eq!(written.is_ok(), *key != "trap", "{key}: {written:?}");
    }
    assert_eq!(names(&storage).await, ["a", "b", "c"]);
    let refused = storage.commit(vec![Write::Delete(key("a")), put("trap")]).await;
    assert!(matches!(refused, Err(Error::Backend(_))), "{refused:?}");
    let long = storage.commit(vec![put("d"), put(&"l".repeat(LONGEST + 1))]).await.unwrap_err();
    assert_eq!(long.kind(), Kind::Invalid, "{long}");
    assert_eq!(names(&storage).await, ["a", "b", "c"]);
    let longest: String =
        (0..LONGEST).map(|at| char::from(33 + u8::try_from(at * 7919 % 94).unwrap())).collect();
    let longest = longest.replace("..", "::");
    storage.put(key(&longest), "1".into()).await.unwrap();
}

#[tokio::test]
async fn a_folder_is_listed_by_the_index_alone_however_much_lies_below_it() {
    let database = Database::start().await;
    let config = config(&database);
    let storage = PostgreSql::open(&config).await.unwrap();
    let fill =
        "INSERT INTO store SELECT 'a/' || n % 4 || '/' || n, '', 1 FROM generate_series(1, 40000) AS n;
        ANALYZE store";
    database.ask(fill).unwrap();
    assert_eq!(storage.list(&"a/".parse().unwrap()).await.unwrap(), ["0/", "1/", "2/", "3/"]);
    let mut connection = Link::new(&config).unwrap().connect().await.unwrap();
    let plan = explained(&mut connection).await;
    assert!(plan.contains("Index Only Scan") && !plan.contains("Seq Scan on store"), "{plan}");
    let rows = plan.lines().filter(|line| line.contains("Index Only Scan")).collect::<Vec<_>>();
    assert!(rows.iter().all(|line| line.contains("rows=1 ") || line.contains("rows=0 ")), "{plan}");
    connection.close().await.unwrap();
}

/// How the children of `a/` are found.
async fn explained(connection: &mut PgConnection) -> String {
    let text = format!("EXPLAIN (ANALYZE, COSTS OFF) {}", statements::children("store"));
    let ask = sqlx::query(sqlx::AssertSqlSafe(text)).bind("a/").bind(2).bind("a/").bind(None::<i64>);
    let rows = ask.fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0) + "\n").collect()
}
