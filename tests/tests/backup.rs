//! A backup that is taken while clients write, by the database's own means, is a whole server when it is put back.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use testkit::{Api, Options, PostgreSql, Server, eventually, go_plugin};

const PATIENCE: Duration = Duration::from_secs(60);

/// Writes that are acknowledged before a backup begins, and that are made while it is taken and after it, at least.
const WRITES: usize = 20;

/// A client that goes on writing.
#[derive(Default)]
struct Writer {
    acknowledged: AtomicUsize,
    stop: AtomicBool,
}

impl Writer {
    async fn write(self: Arc<Self>, api: Api) {
        while !self.stop.load(Ordering::Relaxed) {
            let n = self.acknowledged.load(Ordering::Relaxed);
            api.post(&path(n), json!({"n": n})).await.ok();
            self.acknowledged.store(n + 1, Ordering::Relaxed);
        }
    }

    async fn goes_on(&self) -> usize {
        let wanted = self.acknowledged.load(Ordering::Relaxed) + WRITES;
        let there = async || self.acknowledged.load(Ordering::Relaxed) >= wanted;
        eventually(PATIENCE, "the client's writes are acknowledged", there).await;
        wanted
    }
}

fn path(n: usize) -> String {
    format!("my-kv/{n}")
}

fn succeeds(command: &mut Command) {
    let run = command.output().unwrap();
    assert!(run.status.success(), "{command:?}: {}", String::from_utf8_lossy(&run.stderr));
}

/// Takes a backup under load, goes on, loses everything, and puts the backup back.
async fn a_backup_under_load_is_whole(server: &mut Server, backup: impl Fn(), put_back: impl Fn()) {
    server.mount("my-kv", &go_plugin("kv")).await;
    let writer = Arc::new(Writer::default());
    let writing = tokio::spawn(writer.clone().write(server.api()));
    let before = writer.goes_on().await;
    tokio::task::block_in_place(backup);
    let after = writer.acknowledged.load(Ordering::Relaxed);
    writer.goes_on().await;
    writer.stop.store(true, Ordering::Relaxed);
    writing.await.unwrap();
    let all = writer.acknowledged.load(Ordering::Relaxed);
    server.stop().await;
    put_back();

    server.start_again().await;
    let mut kept = BTreeMap::new();
    for n in 0..all {
        let answer = server.api().get(&path(n)).await;
        kept.insert(n, answer.status == 200 && answer.data() == json!({"n": n}));
    }
    assert!((0..before).all(|n| kept[&n]), "what was acknowledged before the backup is in it");
    assert!(!kept[&(all - 1)], "what came after it is not");
    let first_lost = kept.iter().find(|(_, kept)| !**kept).map_or(all, |(n, _)| *n);
    assert!((first_lost..all).all(|n| !kept[&n]), "it is the state of one instant");
    println!("{before} acknowledged before, {after} after, {all} in all; {first_lost} in the backup");
    server.api().post("my-kv/new", json!({"n": "new"})).await.ok();
    assert_eq!(server.api().get("my-kv/new").await.data(), json!({"n": "new"}));
}

/// The files that SQLite has beside its database belong to it, and not to the one that is put back.
fn put_file_back(backup: &Path, database: &Path) {
    for beside in ["-wal", "-shm"] {
        let mut path = database.as_os_str().to_owned();
        path.push(beside);
        fs::remove_file(path)
            .or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
            .unwrap();
    }
    fs::copy(backup, database).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sqlite_while_clients_write() {
    let mut server = Server::start().await;
    let folder = server.data_directory().to_path_buf();
    let [database, backup] = ["mortise.db", "backup.db"].map(|name| folder.join(name));
    let take = || {
        succeeds(Command::new("sqlite3").arg(&database).arg(format!("VACUUM INTO '{}'", backup.display())))
    };
    a_backup_under_load_is_whole(&mut server, take, || put_file_back(&backup, &database)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_postgresql_while_clients_write() {
    let postgresql = PostgreSql::start().await;
    let mut server = Server::start_with(Options::on(&postgresql)).await;
    let backup = server.data_directory().join("backup.dump");
    let dump =
        || succeeds(postgresql.admin_client("pg_dump").args(["--format=custom", "--file"]).arg(&backup));
    let restore = || {
        let mut restore = postgresql.admin_client("pg_restore");
        succeeds(restore.args(["--clean", "--if-exists", "--single-transaction"]).arg(&backup));
    };
    a_backup_under_load_is_whole(&mut server, dump, restore).await;
}
