//! Many who have no token ask for much, and leave nothing behind.

use serde_json::json;
use testkit::{Api, Server, soak};
use tokio::task::JoinSet;

/// How many ask at the same time.
const CROWD: usize = 16;

/// How much more memory there may be after any number of requests, in KiB.
const KEPT: u64 = 16 << 10;

/// Asks for something that nobody has asked for before.
async fn ask(api: &Api, number: usize) {
    let stranger = api.with_token(format!("hvs.{number:0>90}"));
    let answer = match number % 6 {
        0 => stranger.get(&format!("kv/data/{number}")).await,
        1 => stranger.put(&format!("nowhere-{number}/a"), json!({"n": number})).await,
        2 => api.put("sys/wrapping/unwrap", json!({"token": format!("hvs.{number:0>90}")})).await,
        3 => api.get(&format!("sys/internal/ui/mounts/kv/{number}")).await,
        4 => api.put("sys/unseal", json!({"key": format!("{number:0>66}")})).await,
        _ => stranger.list(&format!("auth/none-{number}/users")).await,
    };
    assert!(answer.status < 500, "{answer}");
}

/// So many requests, by all of the crowd.
async fn crowd(api: &Api, from: usize, count: usize) {
    let mut members = JoinSet::new();
    for member in 0..CROWD {
        let api = api.clone();
        members.spawn(async move {
            for number in (from..from + count).skip(member).step_by(CROWD) {
                ask(&api, number).await;
            }
        });
    }
    members.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g3_a_crowd_of_strangers_leaves_no_memory_behind() {
    let server = Server::start().await;
    server.api().enable_kv("kv", 2).await;
    let api = server.anonymous();
    // What is kept for good, and what the allocator sets aside, is there after these.
    let warm = soak(4_000, 100_000);
    crowd(&api, 0, warm).await;
    let before = server.gateway().resident_kib();
    crowd(&api, warm, soak(12_000, 1_000_000)).await;
    let after = server.gateway().resident_kib();
    assert!(after < before + KEPT, "{before} KiB have become {after} KiB");
}
