//! Plugins that start well and then misbehave: it harms their own requests and nobody else's.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{Options, Registration, Server, eventually, go_plugin, process, soak};

/// How long a request may take, in these stories.
const DEADLINE: Duration = Duration::from_secs(5);

/// A server with the fixture at `bad` and the built-in kv at `good`.
async fn server() -> Server {
    server_with(DEADLINE).await
}

/// The same with another deadline for requests.
async fn server_with(deadline: Duration) -> Server {
    let listener = format!("max_request_duration = \"{}s\"", deadline.as_secs());
    let environment = vec![("HOST_SECRET".into(), "only for the host".into())];
    let server = Server::start_with(Options { listener, environment, ..Options::default() }).await;
    let entry = Registration { env: &["FOR_THE_PLUGIN=yes"], ..Registration::default() };
    server.register_as("bad", &go_plugin("fixture"), entry).await;
    server.enable("bad", "bad").await;
    server.api().enable_kv("good", 2).await;
    server
}

/// The bad plugin serves its next request, the other mount was never in doubt, nothing is left over.
async fn all_is_well(server: &Server) {
    let api = server.api();
    assert!(api.put_secret("good", "a", json!({"v": "1"})).await > 0);
    api.get("bad/pid").await.ok();
    assert_eq!(server.plugins().len(), 1);
    eventually(Duration::from_secs(5), "no zombie is left", async || {
        process::zombies(server.pid()).is_empty()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_hangs_ends_at_its_deadline() {
    let server = server().await;
    let asked = Instant::now();
    let refusal = server.api().get("bad/hang").await;
    assert!(refusal.status >= 500, "{refusal}");
    assert!(asked.elapsed() < DEADLINE * 2, "it took {:?}", asked.elapsed());
    assert!(refusal.errors().contains("longer than 5 s"), "{refusal}");
    all_is_well(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn l17_hanging_requests_do_not_keep_others_waiting() {
    let server = server().await;
    let mut hanging = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let api = server.api();
        hanging.spawn(async move { api.get("bad/hang").await.status });
    }
    // Wherever the sixteen are by now: neither their plugin nor another mount is held up by them.
    for _ in 0..20 {
        let asked = Instant::now();
        server.api().get("bad/pid").await.ok();
        server.api().get("good/config").await.ok();
        assert!(asked.elapsed() < Duration::from_secs(2), "it took {:?}", asked.elapsed());
    }
    assert!(hanging.join_all().await.iter().all(|status| *status >= 500));
    all_is_well(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn l17_whatever_becomes_of_one_plugin_no_request_to_another_fails() {
    let server = server().await;
    server.mount("other", &go_plugin("kv")).await;
    let api = server.api();
    api.post("other/a", json!({"v": "1"})).await.ok();
    let others = server.plugins();
    let ended = AtomicBool::new(false);
    let harm = async {
        let ways = [
            "crash?how=kill",
            "crash?how=panic",
            "big?mib=100",
            "flood?mib=8&to=1",
            "crash?how=exit",
            "hang",
        ];
        for way in ways {
            // Whatever it is answered, if at all.
            api.get(&format!("bad/{way}")).await;
        }
        server.disable("bad").await;
        ended.store(true, Ordering::Relaxed);
    };
    let served = async {
        let mut served = 0;
        while !ended.load(Ordering::Relaxed) {
            assert_eq!(server.api().get("other/a").await.data(), json!({"v": "1"}));
            assert!(server.api().put_secret("good", "a", json!({"v": "1"})).await > 0);
            served += 1;
        }
        served
    };
    let (served, ()) = tokio::join!(served, harm);
    assert!(served > 20, "{served}");
    assert!(others.contains(&server.only_plugin()), "the other process is the one that it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn l6_a_reply_of_100_megabytes_is_refused_with_its_reason() {
    let server = server().await;
    let refusal = server.api().get("bad/big?mib=100").await;
    assert!(refusal.status >= 500, "{refusal}");
    assert!(refusal.errors().contains("answer of more than"), "{refusal}");
    all_is_well(&server).await;
    // What is merely large goes through.
    let large = server.api().get("bad/big?mib=8").await.data();
    assert_eq!(large["filler"].as_str().map(str::len), Some(8 << 20));
    let memory = server.process().resident_kib();
    assert!(memory < 512 << 10, "{memory} KiB are held");
}

#[tokio::test(flavor = "multi_thread")]
async fn l7_a_flood_on_any_output_is_drained_while_it_serves() {
    // So much takes its time on a busy machine.
    let server = server_with(Duration::from_secs(120)).await;
    let first = server.only_plugin();
    for to in ["stderr", "stdout", "1", "2"] {
        server.api().get(&format!("bad/flood?mib={}&to={to}", soak(32, 1_024))).await.ok();
    }
    assert_eq!(server.only_plugin(), first, "it lives on");
    assert!(server.log().len() < 32 << 20, "the log grew to {} bytes", server.log().len());
    all_is_well(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_in_a_request_is_named_and_the_next_request_succeeds() {
    for (how, cause) in [("exit", "exited with code 7"), ("panic", "code 2"), ("kill", "signal 9")] {
        let server = server().await;
        let first = server.only_plugin();
        let refusal = server.api().get(&format!("bad/crash?how={how}")).await;
        assert!(refusal.status >= 500, "{refusal}");
        for named in ["bad", cause] {
            assert!(refusal.errors().contains(named), "{named:?} in {refusal}");
        }
        all_is_well(&server).await;
        assert_ne!(server.only_plugin(), first);
        if how == "panic" {
            assert!(server.log().contains("crashing as asked"), "what it said last is in the log");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l12_what_a_plugin_forks_ends_with_it() {
    let server = server().await;
    let tag = format!("left-by-request-{}", server.pid());
    server.api().get(&format!("bad/fork?tag={tag}")).await.ok();
    eventually(Duration::from_secs(5), "it forked", async || !process::with_argument(&tag).is_empty()).await;
    server.disable("bad").await;
    eventually(Duration::from_secs(5), "what it forked is gone", async || {
        process::with_argument(&tag).is_empty()
    })
    .await;
    assert_eq!(process::zombies(server.pid()), [0; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_process_delays_nobody_for_long() {
    let server = server().await;
    server.only_plugin().signal(rustix::process::Signal::STOP);
    let asked = Instant::now();
    let refusal = server.api().get("bad/pid").await;
    assert!(refusal.status >= 500, "{refusal}");
    server.disable("bad").await;
    assert!(asked.elapsed() < DEADLINE * 4, "it took {:?}", asked.elapsed());
    assert_eq!(server.plugins(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn l2_it_inherits_nothing_that_it_was_not_given() {
    let server = server().await;
    let environment = server.api().get("bad/environment").await.data();
    assert_eq!(environment["FOR_THE_PLUGIN"], json!("yes"));
    assert_eq!(environment.get("HOST_SECRET"), None, "{environment}");
    assert!(!environment.to_string().contains("only for the host"), "{environment}");

    let open = server.api().get("bad/descriptors").await.data();
    assert_eq!(open["0"], json!("/dev/null"), "{open}");
    let data = server.data_directory();
    for (number, target) in open.as_object().unwrap() {
        let target = target.as_str().unwrap();
        let harmless = target == "/dev/null"
            || ["pipe:", "socket:", "anon_inode:", "/sys/"].iter().any(|kind| target.starts_with(kind));
        assert!(harmless, "descriptor {number} is {target}; the server's data is in {}", data.display());
    }
}
