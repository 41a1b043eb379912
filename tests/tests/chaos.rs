//! Many processes of a plugin that may not share one are killed at random while clients use all of them. Afterwards every
//! mount serves, nothing is left over, and every start and every end was told exactly once.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::process::{self, Process};
use testkit::{Api, Options, Server, Transition, eventually, go_plugin, soak};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::crowd::Dice;
use crate::visible::{Event, Events};

const PATIENCE: Duration = Duration::from_secs(60);

const CLIENTS: usize = 8;

/// One kill every so often.
const PACE: Duration = Duration::from_millis(150);

/// What the clients saw together.
#[derive(Default)]
struct Seen {
    served: AtomicUsize,
    lost: AtomicUsize,
    stop: AtomicBool,
}

/// Reads and writes at random until it is told to stop. What was inside a process that was killed may fail, and says so.
async fn client(api: Api, seen: Arc<Seen>, mounts: usize, mut dice: Dice) {
    while !seen.stop.load(Ordering::Relaxed) {
        let path = format!("m/{}/a", dice.roll(mounts));
        let write = dice.roll(3) == 0;
        let answer = match write {
            true => api.post(&path, json!({"v": "1"})).await,
            false => api.get(&path).await,
        };
        if answer.is_ok() {
            seen.served.fetch_add(1, Ordering::Relaxed);
        } else {
            assert!(answer.status >= 500 && answer.errors().contains("my-kv"), "{answer}");
            seen.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Kills at random for a time; answers with whom.
async fn kill(server: &Server, time: Duration, mut dice: Dice) -> HashSet<Process> {
    let until = Instant::now() + time;
    let mut killed = HashSet::new();
    while Instant::now() < until {
        let living = server.plugins();
        if !living.is_empty() {
            let victim = living[dice.roll(living.len())];
            victim.kill();
            killed.insert(victim);
        }
        sleep(PACE).await;
    }
    killed
}

/// What is open, but for the storage's files and the connections of our own clients.
fn descriptors(server: &Server) -> usize {
    let process = server.process();
    let connections = process.connections();
    let is_ours = |open: &std::path::PathBuf| {
        open.to_string_lossy().contains("mortise.db") || connections.contains(open)
    };
    process.descriptors().iter().filter(|open| !is_ours(open)).count()
}

async fn every_mount_serves(api: &Api, mounts: usize) {
    for n in 0..mounts {
        let path = format!("m/{n}/a");
        let serves = async || api.get(&path).await.is_ok();
        eventually(PATIENCE, &format!("{path} is served"), serves).await;
    }
}

/// What the event stream has told so far.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Transition>>>);

impl Told {
    /// Writes down what is told from now on, and what is still known of before. Nothing may be missing in between.
    async fn follow(self, mut events: Events) {
        let mut last = None;
        loop {
            let event = events.next().await;
            let id = event.id.expect("nothing is missing");
            assert!(last.is_none_or(|last| id == last + 1), "{id} follows {last:?}");
            last = Some(id);
            self.0.lock().unwrap().push(transition(&event));
        }
    }

    fn now(&self) -> Vec<Transition> {
        self.0.lock().unwrap().clone()
    }
}

/// As the log words it.
fn transition(event: &Event) -> Transition {
    let word = |name: &str| event.data[name].as_str().unwrap_or_default().to_owned();
    let pid = event.data["pid"].as_u64().and_then(|pid| pid.try_into().ok()).filter(|pid| *pid > 0);
    Transition { plugin: word("plugin"), pid, state: word("state"), reason: word("reason") }
}

/// Each process begins once and ends once, in this order, unless it lives still.
fn each_is_told_once(told: Vec<Transition>, server: &Server, killed: usize) -> (usize, usize) {
    let mut lives: HashMap<u32, bool> = HashMap::new();
    let (mut starts, mut ends) = (0, 0);
    let mut reasons: HashMap<String, usize> = HashMap::new();
    for event in told {
        let Some(pid) = event.pid else { continue };
        // A number may be given to a later process.
        if event.is_start() {
            starts += 1;
            assert_ne!(lives.insert(pid, true), Some(true), "{pid} has begun twice");
        } else if event.is_exit() {
            ends += 1;
            assert_eq!(lives.insert(pid, false), Some(true), "{pid} has ended twice, or never begun");
            *reasons.entry(event.reason).or_default() += 1;
        }
    }
    let living: HashSet<u32> = lives.into_iter().filter_map(|(pid, lives)| lives.then_some(pid)).collect();
    assert_eq!(living, server.plugins().iter().map(|process| process.pid).collect());
    // The first one was only asked for its version.
    assert_eq!(reasons.remove("probed"), Some(1));
    assert_eq!(reasons, HashMap::from([("killed".to_owned(), killed)]));
    (starts, ends)
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_are_killed_at_random_come_back_and_are_accounted_for() {
    let (mounts, time) = (soak(12, 200), Duration::from_secs(soak(10, 300) as u64));
    let environment = vec![("VAULT_PLUGIN_MULTIPLEXING_OPT_OUT".into(), "other, my-kv".into())];
    let server = Server::start_with(Options { environment, log_level: "info", ..Options::default() }).await;
    let (api, told) = (server.api(), Told::default());
    let mut listener = JoinSet::new();
    listener.spawn(told.clone().follow(Events::follow(&api, "sys/plugins/events", None).await));
    server.register("my-kv", &go_plugin("kv")).await;
    for n in 0..mounts {
        server.enable(&format!("m/{n}"), "my-kv").await;
        api.post(&format!("m/{n}/a"), json!({"v": "1"})).await.ok();
    }
    assert_eq!(server.plugins().len(), mounts, "a process for each mount");
    let (open, files) = (descriptors(&server), server.temporary_files().len());

    let seen = Arc::new(Seen::default());
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(client(api.clone(), seen.clone(), mounts, Dice::new(number)));
    }
    let killed = kill(&server, time, Dice::new(CLIENTS)).await;
    seen.stop.store(true, Ordering::Relaxed);
    clients.join_all().await;

    every_mount_serves(&api, mounts).await;
    eventually(PATIENCE, "no zombie is left", async || process::zombies(server.pid()).is_empty()).await;
    assert_eq!(server.plugins().len(), mounts);
    assert_eq!(process::descendants(server.pid()).len(), mounts, "no orphan is left");
    eventually(PATIENCE, "nothing is left open", async || {
        descriptors(&server) <= open && server.temporary_files().len() <= files
    })
    .await;
    let log = server.transitions();
    eventually(PATIENCE, "all is told", async || told.now().len() >= log.len()).await;
    let (starts, ends) = each_is_told_once(told.now(), &server, killed.len());
    assert_eq!(each_is_told_once(log, &server, killed.len()), (starts, ends));
    println!(
        "{mounts} processes for {time:?}: {} killed, {starts} starts and {ends} ends told, {} requests served, {} lost \
         inside a process that was killed",
        killed.len(),
        seen.served.load(Ordering::Relaxed),
        seen.lost.load(Ordering::Relaxed),
    );
}
