//! A plugin goes to its next version and back, again and again, while clients read and write through it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{Api, Plugin, Registration, Server, eventually, go_plugin, soak};
use tokio::task::JoinSet;

const VERSIONS: [(&str, &str); 2] = [("v0.24.0", "kv-before"), ("v0.25.0", "kv")];

/// What the clients have done together.
#[derive(Default)]
struct Done {
    requests: AtomicUsize,
    stop: AtomicBool,
}

/// Writes and reads what it wrote until it is told to stop. None of it may fail. The longest that a request took.
async fn client(api: Api, done: Arc<Done>, path: String) -> Duration {
    let mut longest = Duration::ZERO;
    for n in 0.. {
        if done.stop.load(Ordering::Relaxed) {
            break;
        }
        let began = Instant::now();
        api.post(&path, json!({"n": n})).await.ok();
        let between = Instant::now();
        assert_eq!(api.get(&path).await.data(), json!({"n": n}));
        longest = longest.max(between - began).max(between.elapsed());
        done.requests.fetch_add(2, Ordering::Relaxed);
    }
    longest
}

#[tokio::test(flavor = "multi_thread")]
async fn r9_no_request_fails_while_a_plugin_goes_up_and_down_under_load() {
    let server = Server::start().await;
    for (version, plugin) in VERSIONS {
        let path = server.plugin_directory().join(version);
        std::fs::copy(go_plugin(plugin).path, &path).unwrap();
        let entry = Registration { version, ..Registration::default() };
        server.api().register(&Plugin::at(path), "my-kv", entry).await.ok();
    }
    let api = server.api();
    let mount = json!({"type": "my-kv", "config": {"plugin_version": VERSIONS[0].0}});
    api.post("sys/mounts/kv", mount).await.ok();

    let (clients, rounds) = (soak(12, 64), soak(2, 10));
    let done = Arc::new(Done::default());
    let mut work = JoinSet::new();
    for n in 0..clients {
        work.spawn(client(api.clone(), done.clone(), format!("kv/client-{n}")));
    }
    let began = Instant::now();
    for _ in 0..rounds {
        for (version, _) in [VERSIONS[1], VERSIONS[0]] {
            let busy = done.requests.load(Ordering::Relaxed) + 4 * clients;
            eventually(Duration::from_secs(60), "the clients are served", async || {
                done.requests.load(Ordering::Relaxed) > busy
            })
            .await;
            api.post("sys/mounts/kv/tune", json!({"plugin_version": version})).await.ok();
            api.put("sys/plugins/reload/backend", json!({"mounts": ["kv/"]})).await.ok();
            assert_eq!(api.get("sys/mounts/kv").await.data()["running_plugin_version"], version);
        }
    }
    done.stop.store(true, Ordering::Relaxed);
    let longest = work.join_all().await.into_iter().max().unwrap_or_default();
    println!(
        "{clients} clients, {} reloads, {} requests in {:.1} s, none failed; the longest took {longest:?}",
        2 * rounds,
        done.requests.load(Ordering::Relaxed),
        began.elapsed().as_secs_f64(),
    );

    eventually(Duration::from_secs(20), "one process is left", async || server.plugins().len() == 1).await;
    let ends: Vec<_> = server.transitions().into_iter().filter(|each| each.is_exit()).collect();
    let reloaded = ends.iter().filter(|end| end.reason == "reloaded").count();
    assert_eq!(reloaded, 2 * rounds, "{ends:?}");
    assert_eq!(testkit::process::zombies(server.pid()), [0; 0]);
}
