//! What was acknowledged survives a kill at any instant.
//!
//! A program of its own rather than a list of tests: it starts itself again as the process that is killed.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and says what it saw")]

use std::{
    env,
    io::{BufRead, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use storage::{Key, Sqlite, Storage};

const ROUNDS: u32 = 8;
const WRITERS: u32 = 4;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match env::args_os().skip_while(|arg| arg != "--write-into").nth(1) {
        Some(path) => runtime.block_on(write_for_ever(Path::new(&path))),
        None => runtime.block_on(acknowledged_writes_survive()),
    }
}

async fn write_for_ever(path: &Path) {
    let storage = std::sync::Arc::new(Sqlite::open(path).await.unwrap());
    let run = std::process::id();
    let writers = (0..WRITERS).map(|writer| {
        let storage = storage.clone();
        tokio::spawn(async move {
            for count in 0u64.. {
                let key = format!("{run}/{writer}/{count}");
                storage.put(key.parse().unwrap(), key.clone().into()).await.unwrap();
                // One call, so that a line is whole or absent.
                std::io::stdout().write_all(format!("{key}\n").as_bytes()).unwrap();
            }
        })
    });
    futures::future::join_all(writers.collect::<Vec<_>>()).await;
}

async fn acknowledged_writes_survive() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        acknowledged.extend(write_until_killed(&path, Duration::from_millis(u64::from(40 + 37 * round))));
    }
    assert!(acknowledged.len() > 100, "only {} writes were acknowledged", acknowledged.len());
    let storage = Sqlite::open(&path).await.unwrap();
    for key in &acknowledged {
        let value = storage.get(&key.parse::<Key>().unwrap()).await.unwrap();
        assert_eq!(value.as_deref(), Some(key.as_bytes()), "{key} was acknowledged and is lost");
    }
    println!("{} acknowledged writes survived {ROUNDS} kills", acknowledged.len());
}

/// Starts the writing process, kills it some time after its first acknowledgement, and returns what it acknowledged.
fn write_until_killed(path: &Path, after: Duration) -> Vec<String> {
    let mut child = Command::new(env::current_exe().unwrap())
        .arg("--write-into")
        .arg(path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let first = lines.next().unwrap();
    let killer = std::thread::spawn(move || {
        std::thread::sleep(after);
        child.kill().unwrap();
        child.wait().unwrap();
    });
    let acknowledged = std::iter::once(first).chain(lines).collect();
    killer.join().unwrap();
    acknowledged
}
