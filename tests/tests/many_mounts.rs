//! Thousands of mounts in one process: enabled, sealed, unsealed, all of them served.

use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use testkit::{Api, Options, Plugin, Server, eventually, go_plugin, own_plugin, soak};
use tokio::task::JoinSet;

/// As many clients work side by side.
const CLIENTS: usize = 8;

/// A mount takes one descriptor of the host: the connection on which its plugin calls back, or the socket for it.
const DESCRIPTORS: usize = 1;

/// What the server has open beside its mounts.
const OTHERS: usize = 1_000;

/// Memory, in KiB.
#[derive(Clone, Copy, Debug)]
struct Memory {
    host: u64,
    plugin: u64,
}

impl Memory {
    fn of(server: &Server) -> Self {
        Self { host: server.process().resident_kib(), plugin: server.only_plugin().resident_kib() }
    }

    fn line(self, when: &str, took: Option<Duration>, mounts: usize, before: Self) {
        let took = took.map_or_else(String::new, |took| format!("{:.2} s", took.as_secs_f64()));
        let each = |now: u64, before: u64| now.saturating_sub(before) as f64 / mounts as f64;
        println!(
            "| {when} | {took} | {} MiB | {} MiB | {:.1} KiB | {:.1} KiB |",
            self.host / 1024,
            self.plugin / 1024,
            each(self.host, before.host),
            each(self.plugin, before.plugin),
        );
    }
}

/// Does something with each of so many mounts, by several clients side by side.
async fn each<F>(api: &Api, mounts: usize, work: fn(Api, usize) -> F) -> Duration
where
    F: Future<Output = ()> + Send + 'static,
{
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let api = api.clone();
        clients.spawn(async move {
            for n in (client..mounts).step_by(CLIENTS) {
                work(api.clone(), n).await;
            }
        });
    }
    clients.join_all().await;
    began.elapsed()
}

async fn enable(api: Api, n: usize) {
    api.post(&format!("sys/mounts/m/{n}"), json!({"type": "my-kv"})).await.ok();
    api.post(&format!("m/{n}/a"), json!({"n": n})).await.ok();
}

async fn read(api: Api, n: usize) {
    assert_eq!(api.get(&format!("m/{n}/a")).await.data(), json!({"n": n}));
}

/// As many mounts as are wanted, or as descriptors allow: the server inherits the limit that is raised here.
fn allowed(wanted: usize) -> usize {
    let needed = (wanted * DESCRIPTORS + OTHERS) as u64;
    let limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_none_or(|maximum| maximum >= needed) {
        return wanted;
    }
    let raised = Rlimit { current: limit.current, maximum: Some(needed) };
    if setrlimit(Resource::Nofile, raised).is_ok() {
        return wanted;
    }
    let maximum = usize::try_from(limit.maximum.unwrap_or(needed)).unwrap_or(usize::MAX);
    let fewer = maximum.saturating_sub(OTHERS) / DESCRIPTORS;
    println!("only {fewer} of {wanted} mounts: this process may not have more than {maximum} descriptors");
    fewer
}

async fn live(name: &str, plugin: &Plugin) {
    let mounts = allowed(soak(150, 10_000));
    let server = Server::start_with(Options { log_level: "info", ..Options::default() }).await;
    let api = server.api();
    server.mount("my-kv", plugin).await;
    api.get("my-kv/none").await;
    let first = Memory::of(&server);
    println!("| {name}, {mounts} mounts | time | host | plugin | host, each mount | plugin, each mount |");
    println!("|---|---|---|---|---|---|");
    first.line("one mount", None, mounts, first);

    let took = each(&api, mounts, enable).await;
    Memory::of(&server).line("enabled, each written once", Some(took), mounts, first);
    let process = server.only_plugin();

    let began = Instant::now();
    api.put("sys/seal", json!({})).await.ok();
    let sealed = began.elapsed();
    eventually(Duration::from_secs(30), "the process is gone", async || !process.is_alive()).await;
    let began = Instant::now();
    server.unseal().await;
    let unsealed = began.elapsed();
    read(api.clone(), mounts / 2).await;
    let served = began.elapsed();
    Memory::of(&server).line("unsealed, one served", Some(served), mounts, first);
    let took = each(&api, mounts, read).await;
    Memory::of(&server).line("all served once", Some(took), mounts, first);
    let took = each(&api, mounts, read).await;
    Memory::of(&server).line("all served again", Some(took), mounts, first);
    println!("sealing took {sealed:?}, unsealing {unsealed:?}");
    assert_eq!(server.plugins().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_mounts_of_the_go_kv_share_one_process() {
    live("Go kv v0.25.0", &go_plugin("kv")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_mounts_of_the_rust_kv_share_one_process() {
    live("Rust kv", &own_plugin("kv")).await;
}
