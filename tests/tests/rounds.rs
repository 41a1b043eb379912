//! Enabling and disabling many times leaves nothing behind.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{Server, go_plugin, process, soak};

/// The storage opens its few files when they are first needed, at any time.
const DATABASE: &str = "mortise.db";

/// What a leak would show in.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    plugins: usize,
    zombies: Vec<u32>,
    descriptors: usize,
    temporary_files: Vec<PathBuf>,
}

/// What is open, but for the storage's files and for the connections that our own client keeps: how many those are is
/// its affair. One that the client has closed counts.
fn descriptors(server: &Server) -> Vec<PathBuf> {
    let process = server.process();
    let connections = process.connections();
    let mut open = process.descriptors();
    open.retain(|open| !open.to_string_lossy().contains(DATABASE) && !connections.contains(open));
    open
}

fn left(server: &Server) -> Left {
    Left {
        plugins: server.plugins().len(),
        zombies: process::zombies(server.pid()),
        descriptors: descriptors(server).len(),
        temporary_files: server.temporary_files(),
    }
}

async fn round(server: &Server) {
    let api = server.api();
    server.enable("round", "my-kv").await;
    api.post("round/a", json!({"v": "1"})).await.ok();
    assert_eq!(api.get("round/a").await.data(), json!({"v": "1"}));
    server.disable("round").await;
    assert_eq!(api.get("round/a").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn rounds_of_enable_and_disable_leave_nothing_behind() {
    let server = Server::start().await;
    server.register("my-kv", &go_plugin("kv")).await;
    // The first rounds open what stays open: a thread's event queue, ...
    for _ in 0..3 {
        round(&server).await;
    }
    let before = left(&server);
    assert_eq!((before.plugins, before.zombies.as_slice()), (0, [0; 0].as_slice()));

    for _ in 0..soak(60, 1_000) {
        round(&server).await;
    }
    let mut after = left(&server);
    let settled = Instant::now() + Duration::from_secs(5);
    // A connection that was closed a moment ago may not be gone yet. Fewer descriptors are no leak.
    while after.descriptors > before.descriptors && Instant::now() < settled {
        tokio::time::sleep(Duration::from_millis(50)).await;
        after = left(&server);
    }
    after.descriptors = after.descriptors.max(before.descriptors);
    assert_eq!(after, before, "open: {:?}", descriptors(&server));
}
