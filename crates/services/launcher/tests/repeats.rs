//! What becomes of requests whose plugin dies.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod support;

use std::time::{Duration, Instant};

use domain::Kind;
use launcher::{Config, Pauses};
use rustix::process::Signal;
use support::{Bench, eventually, exists, go_plugin, sentence, signal};

async fn mounted(config: Config) -> Bench {
    let bench = Bench::with(config);
    bench.register("fixture", &go_plugin("fixture"), &[]);
    bench.mount("m", "fixture").await.unwrap();
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn l16_a_write_that_died_inside_is_not_repeated_and_says_so() {
    let bench = mounted(Config::default()).await;
    bench.write("m", "store/a", r#"{"value":"1"}"#).await;
    let pid = bench.process().await.pid;
    let before = bench.commits.asked();
    let held = bench.commits.hold_up().await;
    let kill = async {
        eventually("the write is inside", async || bench.commits.asked() > before).await;
        signal(pid, Signal::KILL);
        eventually("the host has seen it", async || !exists(pid)).await;
        drop(held);
    };
    let (write, ()) = tokio::join!(bench.call("m", "update", "store/a", r#"{"value":"2"}"#), kill);
    let said = sentence(&write.unwrap_err());
    assert!(said.contains("may have taken effect and was not repeated"), "{said}");
    assert_eq!(bench.commits.asked(), before + 1);
    bench.write("m", "store/a", r#"{"value":"3"}"#).await;
    assert_eq!(bench.read("m", "store/a").await.unwrap()["value"], "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn l16_a_read_that_died_inside_is_repeated_once() {
    let bench = mounted(Config::default()).await;
    let pid = bench.process().await.pid;
    let read = bench.call("m", "read", "sleep", r#"{"ms":300}"#);
    let kill = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        signal(pid, Signal::KILL);
    };
    let (read, ()) = tokio::join!(read, kill);
    assert_eq!(read.unwrap().err, None);
    assert_eq!(bench.process().await.restarts, 1);
    let error = bench.call("m", "read", "crash", r#"{"how":"exit"}"#).await.unwrap_err();
    assert!(sentence(&error).contains("exited with code 7"), "{error}");
    bench.read("m", "pid").await.unwrap();
    assert_eq!(bench.process().await.restarts, 3, "killed, ended by the read and by its repetition");
}

#[tokio::test(flavor = "multi_thread")]
async fn l15_who_is_killed_from_outside_again_and_again_still_serves_every_request() {
    let pauses = Pauses {
        forgiven: 0,
        first: Duration::from_secs(60),
        jitter: 0,
        longest_blameless: Duration::from_millis(100),
        ..Pauses::default()
    };
    let bench = mounted(Config { pauses, ..Config::default() }).await;
    for restarts in 1..6 {
        let began = Instant::now();
        signal(bench.process().await.pid, Signal::KILL);
        bench.read("m", "pid").await.unwrap();
        assert_eq!(bench.process().await.restarts, restarts);
        assert!(began.elapsed() >= pauses.longest_blameless, "a loop has to be slowed down");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_kills_itself_at_every_start_is_given_up_and_told() {
    let bench = Bench::new();
    bench.register_script("lemming", "#!/bin/sh\nkill -9 $$\n");
    let said = sentence(&bench.mount("m", "lemming").await.unwrap_err());
    assert!(said.contains("was ended by signal 9 before it printed its handshake"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mount_that_comes_to_a_process_just_killed_is_served_by_the_next_one() {
    let bench = mounted(Config::default()).await;
    for _ in 0..12 {
        bench.read("m", "pid").await.unwrap();
        signal(bench.process().await.pid, Signal::KILL);
        bench.mount("late", "fixture").await.unwrap();
        bench.unmount("late").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_leaves_nothing_inside() {
    let config = Config { cleanup_deadline: Duration::from_secs(60), ..Config::default() };
    let bench = mounted(config).await;
    let hanging = bench.call("m", "read", "hang", "{}");
    assert!(tokio::time::timeout(Duration::from_millis(300), hanging).await.is_err());
    bench.read("m", "pid").await.unwrap();
    let began = Instant::now();
    bench.unmount("m").await;
    assert!(began.elapsed() < Duration::from_secs(30), "it waited for a request that nobody waits for");
}

#[tokio::test(flavor = "multi_thread")]
async fn l14_a_plugin_that_never_says_who_it_is_holds_up_nobody() {
    let bench = mounted(Config::default()).await;
    bench.register_script("mute", "#!/bin/sh\nexec sleep 600\n");
    let others = async {
        eventually("it is being started", async || bench.processes().await.len() == 2).await;
        bench.read("m", "pid").await.unwrap();
        bench.mount("n", "fixture").await.unwrap();
        bench.unmount("n").await;
        bench.unmount("mute").await;
    };
    let (mute, ()) = tokio::join!(bench.mount("mute", "mute"), others);
    assert_eq!(wire::failure_of(&mute.unwrap_err()).kind, Kind::Unavailable);
    assert_eq!(bench.process().await.mounts, ["m/"]);
}
