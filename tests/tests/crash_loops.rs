//! A plugin that ends again and again is left alone for growing pauses, and its requests are answered at once.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{Options, Registration, Server, eventually, go_plugin};

const PATIENCE: Duration = Duration::from_secs(30);

const RESTART: &str = r#"
plugin_restart {
  forgiven          = 1
  first_pause       = "200ms"
  longest_pause     = "2s"
  jitter            = "20%"
  breaker_threshold = 3
}"#;

/// What is registered with the plugin, and it repeats when it ends.
const SECRET: &str = "hunter2-and-more";

/// A server with a plugin that does not start while a file is there.
async fn moody() -> (Server, PathBuf) {
    let server = Server::start_with(Options { extra: RESTART.into(), ..Options::default() }).await;
    let mood = server.data_directory().join("mood");
    let (args, env) = (["moody", mood.to_str().unwrap()], [format!("TOLD={SECRET}")]);
    let entry = Registration { args: &args, env: &[&env[0]], ..Registration::default() };
    server.register_as("moody", &go_plugin("fixture"), entry).await;
    server.enable("moody", "moody").await;
    (server, mood)
}

fn starts(server: &Server) -> usize {
    server.transitions().iter().filter(|each| each.is_start()).count()
}

/// Asks until the breaker is open: an answer then tells of the last end, and not of a start of its own.
async fn asks_until_open(server: &Server) {
    eventually(PATIENCE, "it is left alone", async || {
        let refusal = server.api().get("moody/pid").await.refused(503);
        refusal.contains("is tried again in")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn l15_a_crash_loop_is_answered_at_once_with_what_went_wrong() {
    let (server, mood) = moody().await;
    server.api().enable_kv("other", 1).await;
    fs::write(&mood, "").unwrap();
    server.only_plugin().kill();
    asks_until_open(&server).await;

    let (before, began) = (starts(&server), Instant::now());
    for _ in 0..100 {
        let refusal = server.api().get("moody/pid").await.refused(503);
        assert!(refusal.contains("exited with code 3"), "{refusal}");
        assert!(refusal.contains("in no mood; told ***"), "{refusal}");
        assert!(!refusal.contains(SECRET) && refusal.len() < 4096, "{refusal}");
    }
    let (took, started) = (began.elapsed(), starts(&server) - before);
    // The pauses are of 800 ms at least by now, less what chance takes off.
    assert!(started <= 1 + took.as_millis() as usize / 640, "{started} starts in {took:?}");
    server.api().get("other/none").await;
    assert!(!server.log().contains(SECRET), "what the plugin was given is in no log");
}

#[tokio::test(flavor = "multi_thread")]
async fn l15_nobody_asks_nothing_is_started() {
    let (server, mood) = moody().await;
    fs::write(&mood, "").unwrap();
    server.only_plugin().kill();
    asks_until_open(&server).await;
    let before = starts(&server);
    // Longer than the longest pause.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(starts(&server), before);
    assert_eq!(server.plugins(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn l15_one_request_tries_a_plugin_that_may_be_well_again() {
    let (server, mood) = moody().await;
    server.api().post("moody/store/a", json!({"value": "1"})).await.ok();
    fs::write(&mood, "").unwrap();
    server.only_plugin().kill();
    asks_until_open(&server).await;
    fs::remove_file(&mood).unwrap();
    let well = Instant::now();
    eventually(PATIENCE, "it serves again", async || server.api().get("moody/pid").await.is_ok()).await;
    println!("it served {:?} after it got well", well.elapsed());
    for _ in 0..20 {
        assert_eq!(server.api().get("moody/store/a").await.data(), json!({"value": "1"}));
    }
    server.only_plugin();
    assert_eq!(server.api().get("sys/mounts/moody").await.data().get("degraded"), None);
}

/// A mount whose requests end its process.
#[tokio::test(flavor = "multi_thread")]
async fn l15_a_mount_that_breaks_its_process_stops_no_other_mount_of_the_plugin() {
    let environment = vec![("VAULT_PLUGIN_MULTIPLEXING_OPT_OUT".into(), "fixture".into())];
    let server =
        Server::start_with(Options { extra: RESTART.into(), environment, ..Options::default() }).await;
    server.register("fixture", &go_plugin("fixture")).await;
    let api = server.api();
    server.enable("good", "fixture").await;
    let good = server.only_plugin();
    server.enable("broken", "fixture").await;
    assert_eq!(server.plugins().len(), 2, "a process for each mount");

    let is_open = async || {
        let refusal = api.get("broken/crash?how=exit").await;
        !refusal.is_ok() && refusal.errors().contains("is tried again in")
    };
    eventually(PATIENCE, "the broken one is left alone", is_open).await;
    for _ in 0..20 {
        assert_eq!(api.get("good/pid").await.data()["pid"], json!(good.pid));
        api.get("broken/pid").await;
    }
    assert!(good.is_alive());
    assert_eq!(server.ends_of(good.pid), [""; 0]);
    eventually(PATIENCE, "it serves again", async || api.get("broken/pid").await.is_ok()).await;
    assert_eq!(api.get("good/pid").await.data()["pid"], json!(good.pid));
}
