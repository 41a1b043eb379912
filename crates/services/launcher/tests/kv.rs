//! Stories with the unmodified Go kv plugin.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod support;

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
};

use futures::StreamExt;
use launcher::Config;
use rustix::process::Signal;
use support::{Bench, eventually, exists, go_plugin, is_alive, signal, spec};

#[tokio::test(flavor = "multi_thread")]
async fn l9_two_mounts_of_one_plugin_share_a_process_but_no_data() {
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
    eventually("the host has seen it", async || !exists(first)).await;
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
    eventually("its folder is gone", async || bench.process_dirs() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn version_two_works_and_options_take_effect_by_tuning() {
    let bench = Bench::new();
    bench.register("gokv", &go_plugin("kv"), &[]);
    bench.mount("one", "gokv").await.unwrap();
    let mut tuned = spec("one", "gokv");
    tuned.options.insert("version".to_owned(), "2".to_owned());
    let request = wire::launcher::v1::MountRequest { spec: Some(tuned), fresh: false };
    bench.client.tune(request).await.unwrap();
    // The plugin upgrades its storage in the background, and says so until it is done.
    eventually("the upgrade ends", async || {
        let reply = bench.call("one", "create", "data/a", r#"{"data":{"k":"v"}}"#).await.unwrap();
        reply.err.is_none() && !reply.response.unwrap().data.starts_with(br#"{"error""#)
    })
    .await;
    let read = bench.read("one", "data/a").await.unwrap();
    assert_eq!(read["data"]["k"], "v");
    eventually("the old process is gone", async || bench.processes().await.len() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_need_a_dead_plugin_start_it_once() {
    let bench = Bench::new();
    bench.register("gokv", &go_plugin("kv"), &[]);
    for mount in ["a", "b", "c", "d"] {
        bench.mount(mount, "gokv").await.unwrap();
        bench.write(mount, "x", r#"{"value":"1"}"#).await;
    }
    signal(bench.process().await.pid, Signal::KILL);
    let reads = (0..32).map(|number| bench.read(["a", "b", "c", "d"][number % 4], "x"));
    for read in futures::future::join_all(reads).await {
        assert_eq!(read.unwrap()["value"], "1");
    }
    assert_eq!(bench.process().await.restarts, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_says_what_a_plugin_is_and_leaves_nothing() {
    let bench = Bench::new();
    bench.register("gokv", &go_plugin("kv"), &[]);
    let request = wire::launcher::v1::ProbeRequest {
        name: "gokv".to_owned(),
        r#type: "secret".to_owned(),
        version: String::new(),
    };
    let reply = bench.client.probe(request).await.unwrap().into_inner();
    assert!(reply.multiplexed);
    assert!(bench.processes().await.is_empty());
    eventually("its folder is gone", async || bench.process_dirs() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_move_of_a_process_is_an_event_in_order() {
    let bench = Bench::new();
    bench.register("gokv", &go_plugin("kv"), &[]);
    bench.mount("one", "gokv").await.unwrap();
    bench.unmount("one").await;
    let request = wire::launcher::v1::EventsRequest { after: 0 };
    let mut events = bench.client.events(request).await.unwrap().into_inner();
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(events.next().await.unwrap().unwrap());
    }
    let states: Vec<&str> = seen.iter().map(|event| event.state.as_str()).collect();
    assert_eq!(states, ["verifying", "starting", "running", "draining", "exited"]);
    assert!(seen.is_sorted_by(|a, b| a.id < b.id));
    assert_eq!(seen[4].reason(), wire::launcher::v1::Reason::Disabled);
    assert_eq!(seen[2].pid, seen[4].pid);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_all_forgets_the_mounts_and_leaves_nothing() {
    let bench = Bench::new();
    bench.register("gokv", &go_plugin("kv"), &[]);
    bench.register("other", &go_plugin("fixture"), &[]);
    bench.mount("one", "gokv").await.unwrap();
    bench.mount("two", "other").await.unwrap();
    let request = wire::launcher::v1::StopAllRequest { reason: 2 };
    bench.client.stop_all(request).await.unwrap();
    assert!(bench.processes().await.is_empty());
    eventually("its folder is gone", async || bench.process_dirs() == 0).await;
    bench.call("one", "read", "a", "{}").await.unwrap_err();
    bench.mount("one", "gokv").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn r9_a_reload_moves_all_mounts_to_one_new_process() {
    let bench = Bench::new();
    bench.register("gokv", &go_plugin("kv"), &[]);
    for mount in ["one", "two"] {
        bench.mount(mount, "gokv").await.unwrap();
        bench.write(mount, "a", r#"{"value":"1"}"#).await;
    }
    let before = bench.process().await.pid;
    for mount in ["one", "two"] {
        let request = wire::launcher::v1::MountRequest { spec: Some(spec(mount, "gokv")), fresh: true };
        bench.client.tune(request).await.unwrap();
    }
    eventually("the old process is gone", async || !exists(before)).await;
    let after = bench.process().await;
    assert_ne!(after.pid, before);
    assert_eq!(after.mounts, ["one/", "two/"]);
    assert_eq!(bench.read("one", "a").await.unwrap()["value"], "1");
    assert_eq!(bench.read("two", "a").await.unwrap()["value"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn r9_every_request_during_reloads_is_answered_by_the_old_process_or_the_new_one() {
    let bench = Bench::new();
    bench.register("fixture", &go_plugin("fixture"), &[]);
    bench.mount("m", "fixture").await.unwrap();
    let first = bench.process().await.pid;
    let reloaded = AtomicBool::new(false);
    // Each is long enough to be inside when the processes change.
    let ask = async |n: usize| {
        let mut served = BTreeSet::new();
        while !reloaded.load(Ordering::Relaxed) {
            let answer = bench.read_with("m", "sleep", &format!(r#"{{"ms":{}}}"#, 10 * n)).await.unwrap();
            served.insert(answer["pid"].as_u64().unwrap());
        }
        served
    };
    let reload = async {
        let mut processes = BTreeSet::from([u64::from(first)]);
        for _ in 0..4 {
            let request = wire::launcher::v1::MountRequest { spec: Some(spec("m", "fixture")), fresh: true };
            bench.client.tune(request).await.unwrap();
            processes.insert(bench.read("m", "pid").await.unwrap()["pid"].as_u64().unwrap());
        }
        reloaded.store(true, Ordering::Relaxed);
        processes
    };
    let (served, processes) = tokio::join!(futures::future::join_all((1..=8).map(ask)), reload);
    assert_eq!(processes.len(), 5);
    let served: BTreeSet<u64> = served.into_iter().flatten().collect();
    assert!(served.len() > 1 && served.is_subset(&processes), "{served:?} of {processes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_told_never_to_share_gets_a_process_for_each_mount() {
    let bench = Bench::with(Config { never_shared: vec!["gokv".to_owned()], ..Config::default() });
    bench.register("gokv", &go_plugin("kv"), &[]);
    bench.mount("one", "gokv").await.unwrap();
    bench.mount("two", "gokv").await.unwrap();
    let processes = bench.processes().await;
    assert_eq!(processes.len(), 2);
    assert!(processes.iter().all(|process| !process.multiplexed && process.mounts.len() == 1));
}
