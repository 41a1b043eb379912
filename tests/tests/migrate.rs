//! Everything stored goes from SQLite to PostgreSQL, and back, though whoever copies it is killed again and again.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::json;
use testkit::{Options, PostgreSql, Server, mortise};
use tokio::time::sleep;

/// Entries beside those of the server: enough for some kills.
const FILLED: usize = 2_000;

/// The longest that a migration lives before it is killed, in milliseconds; after each kill it lives longer.
const LIFE: u64 = 100;

const KILLS: u64 = 4;

/// The configuration of a migration from the server's file to the database, and of the way back to `back`.
fn configurations(server: &Server, database: &PostgreSql) -> [String; 2] {
    let folder = server.data_directory();
    let table = format!("\"postgresql\" {{ connection_url = \"{}\" }}", database.admin_url());
    let file = |name: &str| format!("\"sqlite\" {{ path = \"{}/{name}\" }}", folder.display());
    let ways = [("there", file("mortise.db"), table.clone()), ("back", table, file("back.db"))];
    ways.map(|(name, from, to)| {
        let path = folder.join(format!("{name}.hcl"));
        fs::write(&path, format!("storage_source {from}\nstorage_destination {to}\n")).unwrap();
        format!("-config={}", path.display())
    })
}

fn migrate(config: &str) -> Command {
    let mut command = mortise();
    command.args(["operator", "migrate", config]);
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Kills it some times, and then lets it end.
async fn migrate_with_kills(config: &str) {
    for kill in 1..=KILLS {
        let mut running = migrate(config).stdout(std::process::Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(10 + RandomState::new().hash_one(kill) % (LIFE * kill))).await;
        running.kill().unwrap();
        if running.wait().unwrap().success() {
            return;
        }
    }
    let ended = migrate(config).output().unwrap();
    assert!(ended.status.success(), "{}", said(&ended));
    assert!(said(&ended).contains("Success! All of the keys have been migrated"), "{}", said(&ended));
}

/// All that is stored there, a line an entry.
fn lines(database: &Path) -> String {
    let all = "SELECT key || '|' || hex(value) FROM entry ORDER BY key";
    let run = Command::new("sqlite3").arg(database).arg(all).output().unwrap();
    assert!(run.status.success(), "{}", said(&run));
    said(&run).trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_on_the_way_lose_nothing() {
    let database = PostgreSql::start().await;
    let mut server = Server::start().await;
    server.api().enable_kv("kv", 2).await;
    server.api().put_secret("kv", "a/b", json!({"v": "1"})).await;
    server.stop().await;
    let fill = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {FILLED}) \
         INSERT INTO entry SELECT 'filled/' || (i % 20) || '/' || i, randomblob(200), 1 FROM n"
    );
    server.sql(&fill);
    let kept = lines(&server.data_directory().join("mortise.db"));
    let [there, back] = configurations(&server, &database);

    migrate_with_kills(&there).await;
    let all = "SELECT key || '|' || upper(encode(value, 'hex')) FROM vault_kv_store ORDER BY key";
    assert!(database.ask(all).unwrap() == kept, "something else is there than here");

    let mut moved = Server::fresh(Options::on(&database)).await;
    moved.adopt(server.keys().clone());
    moved.unseal().await;
    assert_eq!(moved.api().secret("kv", "a/b").await, json!({"v": "1"}));
    moved.api().put_secret("kv", "a/c", json!({"v": "2"})).await;
    moved.stop().await;

    let refused = migrate(&there).output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("the destination holds something already"), "{}", said(&refused));
    migrate_with_kills(&back).await;
    let moved = database.ask(all).unwrap();
    assert!(lines(&server.data_directory().join("back.db")) == moved, "something else is here than there");
}
