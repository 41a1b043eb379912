//! Stories with the unmodified Go kv plugin.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod support;

use rustix::process::Signal;
use support::{Bench, eventually, go_plugin, is_alive, signal, spec};

#[tokio::test(flavor = "multi_thread")]
async fn two_mounts_of_one_plugin_share_a_process_but_no_data() {
    let bench = Bench::new();
    bench.register("gokv", &go_plugin("kv"), &[]);
    let reply = bench.mount("one", "gokv").await.unwrap();
    assert!(!reply.builtin);
    assert_eq!(reply.running_sha256.len(), 32);
    bench.mount("two", "gokv").await.unwrap();
    bench.write("one", "a", r#"{"value":"1"}"#).await;
    bench.write("two", "a", r#"{"value":"2"}"#).await;
    assert_eq!(bench.read("one", "a").await.unwrap()["value"], "1");
    assert_eq!(bench.read("two", "a").await.unwrap()["value"], "2");
    let process = bench.process().await;
    assert!(process.multiplexed);
    assert_eq!(process.mounts, ["one/", "two/"]);
    assert_eq!(process.state, "running");
    assert!(process.rss_bytes > 1 << 20);
    assert_eq!(bench.all_stored().await, ["one/", "two/"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_plugin_is_back_for_the_next_request() {
    let bench = Bench::new();
    bench.register("gokv", &go_plugin("kv"), &[]);
    bench.mount("one", "gokv").await.unwrap();
    bench.mount("two", "gokv").await.unwrap();
    bench.write("one", "a", r#"{"value":"1"}"#).await;
    let first = bench.process().await.pid;
    signal(first, Signal::KILL);
    eventually("the killed process is gone", async || !is_alive(first)).await;
    bench.write("one", "b", r#"{"value":"2"}"#).await;
    assert_eq!(bench.read("one", "a").await.unwrap()["value"], "1");
    assert_eq!(bench.read("two", "a").await.unwrap(), serde_json::Value::Null);
    let second = bench.process().await;
    assert_ne!(second.pid, first);
    assert_eq!(second.restarts, 1);
    assert!(!is_alive(first));
    assert_eq!(bench.process_dirs(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_process_ends_with_its_last_mount() {
    let bench = Bench::new();
    bench.register("gokv", &go_plugin("kv"), &[]);
    bench.mount("one", "gokv").await.unwrap();
    bench.mount("two", "gokv").await.unwrap();
    let pid = bench.process().await.pid;
    bench.unmount("one").await;
    assert!(is_alive(pid));
    assert_eq!(bench.process().await.mounts, ["two/"]);
    bench.unmount("two").await;
    assert!(bench.processes().await.is_empty());
    assert!(!is_alive(pid));
    assert_eq!(bench.process_dirs(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn version_two_works_and_options_take_effect_by_tuning() {
    let bench = Bench::new();
    bench.register("gokv", &go_plugin("kv"), &[]);
    bench.mount("one", "gokv").await.unwrap();
    let mut tuned = spec("one", "gokv");
    tuned.options.insert("version".to_owned(), "2".to_owned());
    let request = wire::launcher::v1::MountRequest { spec: Some(tuned), fresh: false };
    bench.client.clone().tune(request).await.unwrap();
    // The plugin upgrades its storage in the background, and says so until it is done.
    eventually("the upgrade ends", async || {
        let reply = bench.call("one", "create", "data/a", r#"{"data":{"k":"v"}}"#).await.unwrap();
        reply.err.is_none() && !reply.response.unwrap().data.starts_with(br#"{"error""#)
    })
    .await;
    let read = bench.read("one", "data/a").await.unwrap();
    assert_eq!(read["data"]["k"], "v");
    assert_eq!(bench.processes().await.len(), 1);
}
