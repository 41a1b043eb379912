//! What many leases cost: `cargo run -p router --example leases [HOW MANY]`, 100,000 if not said.
//!
//! They are issued, read again after a restart, and all revoked when their time is over, on an SQLite database.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "it is run by hand, and says what it found")]

#[path = "../tests/it/common/mod.rs"]
#[allow(dead_code, reason = "it needs a part of it")]
mod common;

use std::{
    fs,
    time::{Duration, Instant},
};

use catalog::StorageConfig;
use common::{Stack, envelope, issuer::known};
use futures::{StreamExt, stream};
use serde_json::Value;

/// Requests at the same time.
const CLIENTS: usize = 64;

#[tokio::main]
async fn main() {
    let count: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let folder = tempfile::tempdir().unwrap();
    let mut stack = Stack::on(StorageConfig::File { path: folder.path().to_owned() }).await;
    stack.init().await;
    stack.unseal().await;
    stack.mount("db", "issuer").await;

    // Long enough that none is over before all are there.
    let life = Duration::from_secs(30 + count as u64 / 200);
    let begun = Instant::now();
    issue(&stack, count, life).await;
    report("issued", count, begun.elapsed());

    stack.restart();
    let (opened, before) = (Instant::now(), resident());
    stack.unseal().await;
    println!("unsealed after {:.1?}", opened.elapsed());
    envelope(stack.read("db/creds/first/3600").await);
    println!("the first secret came after {:.1?}", opened.elapsed());
    stack.list("sys/leases/lookup/").await.unwrap();
    report("read", count, opened.elapsed());
    println!("they take {} bytes of memory each", resident().saturating_sub(before) / count as u64);

    stack.restart();
    tokio::time::sleep((life + Duration::from_secs(1)).saturating_sub(begun.elapsed())).await;
    let opened = Instant::now();
    stack.unseal().await;
    let slowest = while_revoking(&stack, count).await;
    report("read and revoked", count, opened.elapsed());
    println!("meanwhile the slowest of other requests took {slowest:.1?}");
}

async fn issue(stack: &Stack, count: usize, life: Duration) {
    let path = format!("db/creds/many/{}", life.as_secs());
    let path = &path;
    let requests = (0..count).map(|_| async move {
        envelope(stack.read(path).await);
    });
    stream::iter(requests).buffer_unordered(CLIENTS).collect::<()>().await;
}

/// Asks for something else until all are revoked, and tells how long that took at most.
async fn while_revoking(stack: &Stack, count: usize) -> Duration {
    let mut slowest = Duration::ZERO;
    while known("many").revoked < count {
        let asked = Instant::now();
        envelope(stack.ask(&stack.root, "read", "sys/mounts", Value::Null).await);
        slowest = slowest.max(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    slowest
}

fn report(what: &str, count: usize, took: Duration) {
    println!("{what} {count} in {took:.1?}, {:.0} a second", count as f64 / took.as_secs_f64());
}

/// How much memory this process has.
fn resident() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}
