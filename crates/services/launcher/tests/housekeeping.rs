//! Plugins are asked to do what is due, and only those that run.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod support;

use std::time::Duration;

use launcher::Config;
use rustix::process::Signal;
use storage::Storage;
use support::{Bench, eventually, exists, go_plugin, signal};

fn busy() -> Bench {
    Bench::with(Config { housekeeping_period: Duration::from_millis(20), ..Config::default() })
}

/// How often the engine of that mount was asked.
async fn rounds(bench: &Bench, mount: &str) -> usize {
    let key = format!("logical/{mount}/rounds").parse().unwrap();
    bench.stored.get(&key).await.unwrap().unwrap_or_default().len()
}

#[tokio::test]
async fn every_mount_is_asked_again_and_again_until_it_ends() {
    let bench = busy();
    bench.register_builtin();
    bench.mount("a", "obedient").await.unwrap();
    bench.mount("b", "obedient").await.unwrap();
    eventually("both were asked", async || rounds(&bench, "a").await > 2 && rounds(&bench, "b").await > 2)
        .await;

    bench.unmount("a").await;
    let (last, other) = (rounds(&bench, "a").await, rounds(&bench, "b").await);
    eventually("the other is still asked", async || rounds(&bench, "b").await > other + 2).await;
    assert_eq!(rounds(&bench, "a").await, last);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_does_not_run_is_not_started_for_it() {
    let bench = busy();
    bench.register("fixture", &go_plugin("fixture"), &[]);
    bench.register_builtin();
    bench.mount("m", "fixture").await.unwrap();
    bench.mount("a", "obedient").await.unwrap();
    let pid = bench.process().await.pid;
    let before = rounds(&bench, "a").await;
    eventually("a round or two", async || rounds(&bench, "a").await > before + 2).await;
    assert_eq!(bench.process().await.pid, pid, "being asked does it no harm");

    signal(pid, Signal::KILL);
    let runs = async || bench.processes().await.iter().any(|process| process.state == "running");
    eventually("the host has seen it", async || !runs().await).await;
    let before = rounds(&bench, "a").await;
    eventually("a round or two", async || rounds(&bench, "a").await > before + 2).await;
    assert!(!runs().await, "nobody has asked for it");
    bench.read("m", "pid").await.unwrap();
}

/// A plugin was about to do something, and has not got to the end of it.
async fn leave_half_done(bench: &Bench, mount: &str) {
    bench.stored.put(format!("logical/{mount}/wal/1").parse().unwrap(), "{}".into()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_died_with_something_half_done_is_started_to_undo_it() {
    let bench = busy();
    bench.register("fixture", &go_plugin("fixture"), &[]);
    bench.mount("m", "fixture").await.unwrap();
    leave_half_done(&bench, "m").await;
    let pid = bench.process().await.pid;
    bench.read_with("m", "crash", r#"{"how":"kill"}"#).await.unwrap_err();
    eventually("the host has seen it", async || !exists(pid)).await;
    let runs = async || bench.processes().await.iter().any(|it| it.state == "running" && it.pid != pid);
    eventually("it runs, and nobody has used it", runs).await;
}

#[tokio::test]
async fn what_is_half_done_is_undone_before_a_mount_goes() {
    let bench = Bench::new();
    bench.register_builtin();
    for mount in ["a", "b"] {
        bench.mount(mount, "obedient").await.unwrap();
    }
    leave_half_done(&bench, "a").await;
    bench.unmount("a").await;
    bench.unmount("b").await;
    assert_eq!((rounds(&bench, "a").await, rounds(&bench, "b").await), (1, 0));
}
