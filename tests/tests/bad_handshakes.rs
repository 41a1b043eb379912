//! Plugins that go wrong before or in the handshake: an error that names the true cause, and nothing left behind.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use testkit::{Plugin, Registration, Server, bad_plugin, c_program, eventually, go_plugin, process};
use tokio::task::JoinSet;

/// How long a plugin may take to introduce itself, and a little more.
const DEADLINE: Duration = Duration::from_secs(75);

/// How a plugin is started, and words that an error about it has to hold.
type Case = (&'static [&'static str], &'static [&'static str]);

/// What our own fixture does wrong.
const CASES: &[Case] = &[
    (&["exit"], &["exited with code 3", "licence expired"]),
    (&["exit-zero"], &["exited with code 0", "nothing to do"]),
    (&["abort"], &["signal 6"]),
    (&["garbage"], &["Hello! I am not a plugin."]),
    (&["binary"], &["handshake"]),
    (&["endless-line"], &["handshake"]),
    (&["silence"], &["no handshake within"]),
    (&["close"], &["handshake"]),
    (&["partial"], &["no handshake within", "1|5|unix"]),
    (&["flood-then-garbage"], &["after the flood"]),
    (&["flood-then-line"], &["certificate"]),
    (&["flood-then-exit"], &["exited with code 5", "drowned"]),
    (&["old-core"], &["core protocol version 2"]),
    (&["version-99"], &["protocol version 99"]),
    (&["netrpc"], &["net/rpc"]),
    (&["no-certificate"], &["certificate"]),
    (&["bad-certificate"], &["certificate"]),
    (&["bad-address"], &["relative/plugin.sock"]),
    (&["remote-address"], &["192.0.2.1"]),
];

/// What the Go fixture does wrong.
const GO_CASES: &[Case] =
    &[(&["other-cert"], &["mutual TLS"]), (&["fork", "left-by-handshake"], &["no handshake within"])];

/// A server with a good mount beside the bad ones, and the temporary files that it has anyway.
async fn server() -> (Server, Vec<PathBuf>) {
    let server = Server::start().await;
    server.api().enable_kv("good", 2).await;
    let files = server.temporary_files();
    (server, files)
}

/// Registers and enables a bad plugin that is installed: refused in time, with each of `words` in the error, and not mounted.
async fn is_refused(server: &Server, name: &str, plugin: &Plugin, entry: Registration<'_>, words: &[&str]) {
    let api = server.api();
    let registered = api.register(plugin, name, entry).await;
    let asked = Instant::now();
    let refusal = match registered.is_ok() {
        true => api.post(&format!("sys/mounts/{name}"), json!({"type": name})).await,
        false => registered,
    };
    assert!(!refusal.is_ok(), "{refusal}");
    assert!(asked.elapsed() < DEADLINE, "{name} took {:?}", asked.elapsed());
    for word in words {
        assert!(refusal.errors().contains(word), "{name}: {word:?} in {refusal}");
    }
    let mounts = api.get("sys/mounts").await.data();
    assert_eq!(mounts.get(format!("{name}/")), None);
}

async fn nothing_is_left(server: &Server, files: &[PathBuf]) {
    eventually(Duration::from_secs(10), "no process and no file is left", async || {
        process::descendants(server.pid()).is_empty()
            && process::zombies(server.pid()).is_empty()
            && server.temporary_files() == files
    })
    .await;
    let log = server.log().len();
    assert!(log < 32 << 20, "a flood is not copied whole into the log: {log} bytes");
    assert_eq!(server.api().put_secret("good", "a", json!({"v": "1"})).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_is_named_and_leaves_nothing() {
    let (server, files) = server().await;
    let server = Arc::new(server);
    let (bad, fixture) = (bad_plugin(), go_plugin("fixture"));
    server.install(&bad);
    server.install(&fixture);
    let cases = CASES.iter().map(|case| (&bad, case)).chain(GO_CASES.iter().map(|case| (&fixture, case)));
    // All at once: one that hangs keeps nobody waiting but those who asked for it.
    let mut refusals = JoinSet::new();
    for (plugin, (args, words)) in cases {
        let (server, plugin) = (server.clone(), plugin.clone());
        refusals.spawn(async move {
            let entry = Registration { args, ..Registration::default() };
            is_refused(&server, args[0], &plugin, entry, words).await;
        });
    }
    eventually(Duration::from_secs(5), "the good mount serves meanwhile", async || {
        server.api().get("good/config").await.is_ok()
    })
    .await;
    refusals.join_all().await;
    nothing_is_left(&server, &files).await;
    assert_eq!(process::with_argument("left-by-handshake"), [], "a child in a session of its own is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_memory_lock_is_named() {
    let (server, files) = server().await;
    let entry = Registration {
        args: &["mlock"],
        env: &["VAULT_PLUGIN_MLOCK_ENABLED=true"],
        ..Registration::default()
    };
    let fixture = go_plugin("fixture");
    server.install(&fixture);
    is_refused(&server, "mlock", &fixture, entry, &["lock its memory"]).await;
    nothing_is_left(&server, &files).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_executed_are_named() {
    let folder = TempDir::new().unwrap();
    let loaderless = c_program(
        folder.path(),
        "loaderless",
        "int main(void) { return 0; }\n",
        &["-Wl,--dynamic-linker=/nonexistent/ld.so"],
    );
    let foreign = file(folder.path(), "foreign", &other_architecture(&loaderless.path), 0o755);
    let text = file(folder.path(), "text", b"just some words\n", 0o755);
    let locked = file(folder.path(), "locked", b"\x7fELF", 0o644);

    let (server, files) = server().await;
    let cases: [(&str, &Plugin, &[&str]); 4] = [
        ("foreign", &foreign, &["aarch64", "x86_64"]),
        ("loaderless", &loaderless, &["/nonexistent/ld.so"]),
        ("text", &text, &["neither a program nor a script"]),
        ("locked", &locked, &["not executable"]),
    ];
    for (name, plugin, words) in cases {
        server.install(plugin);
        is_refused(&server, name, plugin, Registration::default(), words).await;
    }
    nothing_is_left(&server, &files).await;
}

fn file(folder: &Path, name: &str, bytes: &[u8], mode: u32) -> Plugin {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    Plugin::at(path)
}

/// The same program as its header would call it on another machine.
fn other_architecture(program: &Path) -> Vec<u8> {
    const MACHINE: usize = 18;
    const AARCH64: [u8; 2] = 183_u16.to_le_bytes();
    let mut bytes = fs::read(program).unwrap();
    bytes[MACHINE..MACHINE + 2].copy_from_slice(&AARCH64);
    bytes
}
