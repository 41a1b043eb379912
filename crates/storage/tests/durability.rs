//! What was acknowledged survives a kill at any instant, and a disk that takes no more.
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

use storage::{Error, Key, Sqlite, Storage};

const ROUNDS: u32 = 8;
const WRITERS: u32 = 4;

/// What this program does when it is not the test: write until it is killed, or until storage refuses.
const WRITE: &str = "--write-into";
const FILL: &str = "--fill";

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match env::args_os().skip_while(|arg| arg != WRITE && arg != FILL).collect::<Vec<_>>().as_slice() {
        [mode, path, ..] if mode == WRITE => runtime.block_on(write_for_ever(Path::new(path))),
        [_, path, ..] => runtime.block_on(write_until_refused(Path::new(path))),
        _ => runtime.block_on(async {
            acknowledged_writes_survive().await;
            a_failed_commit_ends_writing_and_loses_nothing().await;
        }),
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
    expect_all(&path, &acknowledged).await;
    println!("{} acknowledged writes survived {ROUNDS} kills", acknowledged.len());
}

async fn expect_all(path: &Path, acknowledged: &[String]) {
    let storage = Sqlite::open(path).await.unwrap();
    for key in acknowledged {
        let value = storage.get(&key.parse::<Key>().unwrap()).await.unwrap();
        assert_eq!(value.as_deref(), Some(key.as_bytes()), "{key} was acknowledged and is lost");
    }
}

async fn write_until_refused(path: &Path) {
    let storage = Sqlite::open(path).await.unwrap();
    for count in 0u64.. {
        let key = format!("{count}");
        match storage.put(key.parse().unwrap(), key.clone().into()).await {
            Ok(()) => println!("{key}"),
            Err(refused) => {
                assert!(matches!(refused, Error::Stopped), "{refused:?}");
                break;
            }
        }
    }
    // What does not reach the disk's end could be written still; nothing is, since nobody knows what is there.
    let refused = storage.delete("0".parse().unwrap()).await;
    assert!(matches!(refused, Err(Error::Stopped)), "{refused:?}");
    assert!(storage.get(&"0".parse().unwrap()).await.unwrap().is_some(), "reads are still answered");
    println!("stopped");
}

async fn a_failed_commit_ends_writing_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    // No file may grow beyond so many blocks; the shell has the write refused rather than the writer killed.
    let output = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ && ulimit -f 512 && exec "$0" "$@""#])
        .arg(env::current_exe().unwrap())
        .arg(FILL)
        .arg(&path)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", output.status);
    let lines: Vec<_> = output.stdout.lines().map_while(Result::ok).collect();
    let Some((last, acknowledged)) = lines.split_last() else { panic!("nothing was written") };
    assert_eq!(last, "stopped");
    expect_all(&path, acknowledged).await;
    println!("{} acknowledged writes survived a failed one", acknowledged.len());
}

/// Starts the writing process, kills it some time after its first acknowledgement, and returns what it acknowledged.
fn write_until_killed(path: &Path, after: Duration) -> Vec<String> {
    let mut child = Command::new(env::current_exe().unwrap())
        .arg(WRITE)
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
