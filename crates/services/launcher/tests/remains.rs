//! Whatever happens, nothing is left of what is over.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod support;

use std::time::Duration;

use launcher::Config;
use rustix::process::Signal;
use support::{Bench, eventually, exists, go_plugin, is_alive, sentence, signal, spec};
use wire::launcher::v1::MountRequest;

#[tokio::test(flavor = "multi_thread")]
async fn l12_an_unmount_whose_caller_went_away_is_carried_to_its_end() {
    let bench = Bench::with(Config { cleanup_deadline: Duration::from_secs(1), ..Config::default() });
    bench.register("fixture", &go_plugin("fixture"), &[]);
    bench.mount("m", "fixture").await.unwrap();
    let pid = bench.process().await.pid;
    let hanging = bench.call("m", "read", "hang", "{}");
    let leaving = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        // A request is inside, so the mount waits.
        assert!(tokio::time::timeout(Duration::from_millis(200), bench.unmount("m")).await.is_err());
    };
    let (hanging, ()) = tokio::join!(hanging, leaving);
    hanging.unwrap_err();
    eventually("the process is gone", async || !exists(pid)).await;
    eventually("nothing is listed", async || bench.processes().await.is_empty()).await;
    eventually("its folder is gone", async || bench.process_dirs() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn l12_a_set_up_that_fails_leaves_nothing() {
    let bench = Bench::new();
    bench.register("gokv", &go_plugin("kv"), &[]);
    let mut wrong = spec("m", "gokv");
    wrong.r#type = "auth".to_owned();
    let said = sentence(&bench.mount_as(wrong, true).await.unwrap_err());
    assert!(said.contains("is no auth plugin"), "{said}");
    assert!(bench.processes().await.is_empty());
    eventually("its folder is gone", async || bench.process_dirs() == 0).await;
    assert_eq!(listeners(&bench), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn l12_r9_a_candidate_that_cannot_take_over_leaves_nothing_and_the_old_one_serves_on() {
    let bench = Bench::new();
    bench.register("gokv", &go_plugin("kv"), &[]);
    // An auth method: it starts, but refuses to be a secrets engine.
    bench.register("userpass", &go_plugin("userpass"), &[]);
    bench.mount("m", "gokv").await.unwrap();
    bench.write("m", "a", r#"{"value":"1"}"#).await;
    let pid = bench.process().await.pid;
    let request = MountRequest { spec: Some(spec("m", "userpass")), fresh: false };
    let said = sentence(&bench.client.tune(request).await.unwrap_err());
    assert!(said.contains("is no secret plugin"), "{said}");
    let process = bench.process().await;
    assert_eq!((process.pid, process.name.as_str()), (pid, "gokv"));
    assert_eq!(bench.read("m", "a").await.unwrap()["value"], "1");
    assert_eq!(bench.process_dirs(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn l12_a_crash_leaves_no_socket_that_nobody_dials() {
    let bench = Bench::new();
    bench.register("gokv", &go_plugin("kv"), &[]);
    for mount in ["one", "two", "three"] {
        bench.mount(mount, "gokv").await.unwrap();
    }
    let pid = bench.process().await.pid;
    // The doors of the mounts are closed while the plugin is in; its own socket is not.
    assert!(listeners(&bench) >= 1);
    signal(pid, Signal::KILL);
    eventually("the sockets are closed", async || listeners(&bench) == 0).await;
    assert!(!is_alive(pid));
}

/// The sockets below the bench's folder that somebody holds open.
fn listeners(bench: &Bench) -> usize {
    let folder = bench.folder.path().to_str().unwrap();
    let sockets = std::fs::read_to_string("/proc/net/unix").unwrap();
    // A listening socket is marked as accepting; connections bear the listener's path as well.
    sockets.lines().filter(|line| line.contains(folder) && line.contains(" 00010000 ")).count()
}
