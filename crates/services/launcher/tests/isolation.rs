//! What a plugin is given, and what it can do to others: the first is little, the second nothing.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod support;

use std::time::{Duration, Instant};

use domain::Kind;
use launcher::Config;
use rustix::process::Signal;
use support::{Bench, eventually, go_plugin, is_alive, sentence, signal};

#[tokio::test(flavor = "multi_thread")]
async fn l2_a_plugin_inherits_three_streams_and_a_short_environment() {
    let bench = Bench::new();
    bench.register("fixture", &go_plugin("fixture"), &[]);
    bench.mount("m", "fixture").await.unwrap();
    let environment = bench.read("m", "environment").await.unwrap();
    let names: Vec<&str> = environment.as_object().unwrap().keys().map(String::as_str).collect();
    assert!(names.contains(&"PATH") && names.contains(&"VAULT_VERSION"), "{names:?}");
    // Cargo's own variables are all around a test.
    assert!(!names.iter().any(|name| name.starts_with("CARGO") || name.starts_with("RUST")), "{names:?}");
    let descriptors = bench.read("m", "descriptors").await.unwrap();
    let foreign = descriptors.as_object().unwrap().iter().filter(|(number, target)| {
        let target = target.as_str().unwrap();
        let own = ["socket:", "pipe:", "anon_inode:"].iter().any(|kind| target.starts_with(kind));
        number.parse::<u32>().unwrap() > 2 && !own && !target.starts_with("/sys/")
    });
    assert_eq!(foreign.count(), 0, "{descriptors}");
    assert_eq!(descriptors["0"], "/dev/null");
}

#[tokio::test(flavor = "multi_thread")]
async fn l2_a_plugin_leads_its_own_session_and_can_gain_no_privileges() {
    let bench = Bench::new();
    bench.register("fixture", &go_plugin("fixture"), &[]);
    bench.mount("m", "fixture").await.unwrap();
    let pid = bench.process().await.pid;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let value = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_ascii_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!(value("NoNewPrivs:"), "1");
    assert_eq!(value("NSsid:"), pid.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn l2_a_plugin_starts_with_no_signal_blocked() {
    let bench = Bench::new();
    bench.register_script("teller", "#!/bin/sh\nexec grep SigBlk /proc/self/status >&2\n");
    let said = sentence(&bench.mount("m", "teller").await.unwrap_err());
    assert!(said.contains(&format!("SigBlk:\\t{}", "0".repeat(16))), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_request_ends_at_its_deadline_and_others_go_on() {
    let bench = Bench::with(Config { request_deadline: Duration::from_millis(500), ..Config::default() });
    bench.register("fixture", &go_plugin("fixture"), &[]);
    bench.mount("m", "fixture").await.unwrap();
    let (hanging, other) = tokio::join!(bench.call("m", "read", "hang", "{}"), bench.read("m", "pid"));
    assert_eq!(wire::failure_of(&hanging.unwrap_err()).kind, Kind::Timeout);
    other.unwrap();
    assert_eq!(bench.process().await.restarts, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn l6_an_answer_that_is_too_large_harms_only_its_own_request() {
    let bench = Bench::new();
    bench.register("fixture", &go_plugin("fixture"), &[]);
    bench.mount("m", "fixture").await.unwrap();
    let pid = bench.read("m", "pid").await.unwrap();
    let error = bench.call("m", "read", "big", r#"{"mib":100}"#).await.unwrap_err();
    assert!(sentence(&error).contains("more than 33554432 bytes"), "{error}");
    assert_eq!(bench.read("m", "pid").await.unwrap(), pid);
}

#[tokio::test(flavor = "multi_thread")]
async fn l7_a_flood_on_stderr_slows_nobody_else() {
    let bench = Bench::new();
    let program = go_plugin("fixture");
    bench.register("flooder", &program, &[]);
    bench.register("calm", &program, &[]);
    bench.mount("f", "flooder").await.unwrap();
    bench.mount("c", "calm").await.unwrap();
    let flood = bench.read_with("f", "flood", r#"{"mib":20}"#);
    let calm = async {
        let mut slowest = Duration::ZERO;
        for _ in 0..50 {
            let began = Instant::now();
            bench.read("c", "pid").await.unwrap();
            slowest = slowest.max(began.elapsed());
        }
        slowest
    };
    let (flooded, slowest) = tokio::join!(flood, calm);
    flooded.unwrap();
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn l12_a_daemon_that_a_plugin_leaves_ends_with_the_plugin() {
    let bench = Bench::new();
    bench.register("fixture", &go_plugin("fixture"), &[]);
    bench.mount("m", "fixture").await.unwrap();
    let tag = format!("daemon-{}", std::process::id());
    bench.read_with("m", "fork", &format!(r#"{{"tag":"{tag}"}}"#)).await.unwrap();
    let plugin = bench.process().await.pid;
    eventually("the daemon runs", async || !daemons(&tag).is_empty()).await;
    signal(plugin, Signal::KILL);
    eventually("the daemon is gone", async || daemons(&tag).is_empty()).await;
    eventually("no zombie is left", async || zombies().is_empty()).await;
    assert!(!is_alive(plugin));
}

fn numbers() -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn daemons(tag: &str) -> Vec<u32> {
    let tagged = |pid: &u32| {
        let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        arguments.split(|byte| *byte == 0).any(|argument| argument == tag.as_bytes())
    };
    numbers().into_iter().filter(tagged).collect()
}

/// Our children that nobody has reaped.
fn zombies() -> Vec<u32> {
    let host = std::process::id().to_string();
    let is_zombie = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields: Vec<&str> =
            stat.rsplit_once(") ").map(|(_, rest)| rest.split(' ').collect()).unwrap_or_default();
        fields.first() == Some(&"Z") && fields.get(1) == Some(&host.as_str())
    };
    numbers().into_iter().filter(is_zombie).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_cannot_share_gets_a_process_for_each_mount() {
    let bench = Bench::new();
    bench.register("single", &go_plugin("fixture"), &["single"]);
    bench.mount("a", "single").await.unwrap();
    bench.mount("b", "single").await.unwrap();
    let processes = bench.processes().await;
    assert_eq!(processes.len(), 2);
    assert!(processes.iter().all(|process| !process.multiplexed && process.mounts.len() == 1));
    assert_ne!(bench.read("a", "pid").await.unwrap(), bench.read("b", "pid").await.unwrap());
    bench.unmount("a").await;
    assert_eq!(bench.process().await.mounts, ["b/"]);
    bench.read("b", "pid").await.unwrap();
}
