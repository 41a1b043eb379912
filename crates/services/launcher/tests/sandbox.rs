//! A plugin that tries to break out of its sandbox, in every way that it can think of.
//!
//! What the kernel of the machine cannot give, the launcher has to refuse: each story tells both.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod support;

use std::{fs, os::unix::fs::PermissionsExt};

use domain::{Sandbox, SandboxSettings};
use launcher::{Config, Offers};
use serde_json::{Value, json};
use support::{Bench, go_plugin, sentence};

/// A user that no machine has.
const USER: u32 = 61_234;

/// A launcher with the fixture in a sandbox; none: the machine cannot give it, and the launcher said so.
struct Jail {
    bench: Bench,
}

impl Jail {
    async fn new(asked: SandboxSettings) -> Option<Self> {
        Self::of("fixture", asked).await
    }

    /// Likewise, of another plugin.
    async fn of(plugin: &str, asked: SandboxSettings) -> Option<Self> {
        let bench = Bench::new();
        let lacks = lacks(&Offers::detect(), &asked);
        register(&bench, plugin, asked);
        match (bench.mount("m", "jailed").await, lacks) {
            (Ok(_), None) => Some(Self { bench }),
            (Err(refused), Some(lacks)) => {
                is_refused_for(&sentence(&refused), lacks);
                assert!(bench.processes().await.is_empty());
                None
            }
            (outcome, lacks) => panic!("lacking {lacks:?}: {outcome:?}"),
        }
    }

    async fn tries(&self, how: &str, data: Value) -> Value {
        self.bench.read_with("m", &format!("escape/{how}"), &data.to_string()).await.unwrap()
    }

    async fn is_refused(&self, how: &str, data: Value) -> String {
        let outcome = self.tries(how, data.clone()).await;
        outcome["refused"].as_str().unwrap_or_else(|| panic!("{how} {data}: {outcome}")).to_owned()
    }

    async fn is_allowed(&self, how: &str, data: Value) {
        let outcome = self.tries(how, data.clone()).await;
        assert_eq!(outcome.get("refused"), None, "{how} {data}: {outcome}");
    }
}

fn is_refused_for(said: &str, lacks: &str) {
    assert!(said.contains("its sandbox cannot be had") && said.contains(lacks), "{lacks}: {said}");
}

fn register(bench: &Bench, plugin: &str, asked: SandboxSettings) {
    // Another user has to get to its own folder.
    fs::set_permissions(bench.folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
    bench.register("jailed", &go_plugin(plugin), &[]);
    let sandbox = Sandbox::try_from(asked).unwrap();
    let mut plugins = bench.plugins.lock().unwrap();
    let plugin = plugins.get_mut("jailed").unwrap();
    (plugin.runtime, plugin.sandbox) = ("jail".to_owned(), Some(sandbox.into()));
}

/// What of a sandbox this machine does not have, by a word of the sentence that refuses it.
fn lacks(offers: &Offers, asked: &SandboxSettings) -> Option<&'static str> {
    let lacking = [
        ("user needs the right", asked.user.is_some() && !offers.changes_users),
        ("filesystem needs Landlock 3", asked.filesystem && offers.landlock < 3),
        ("needs Landlock 6", asked.filesystem && asked.user.is_none() && offers.landlock < 6),
        ("system_calls needs", asked.system_calls && !offers.filters),
        ("CAP_SETPCAP", !offers.drops_capabilities),
    ];
    lacking.into_iter().find(|(_, lacks)| *lacks).map(|(word, _)| word)
}

fn usual() -> SandboxSettings {
    SandboxSettings::default()
}

fn of_its_own_user() -> SandboxSettings {
    SandboxSettings { user: Some(USER), ..usual() }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_reads_no_file_outside_and_writes_none() {
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret");
    fs::write(&secret, "hush").unwrap();
    let Some(jail) = Jail::new(usual()).await else { return };
    for path in [secret.to_str().unwrap(), "/etc/passwd", "/etc/shadow", "/proc/1/cmdline", "/root/.bashrc"] {
        let refused = jail.is_refused("read", json!({ "path": path })).await;
        assert!(refused.contains("permission denied"), "{path}: {refused}");
    }
    for path in [secret.to_str().unwrap(), outside.path().join("new").to_str().unwrap(), "/etc/hosts"] {
        let refused = jail.is_refused("write", json!({ "path": path })).await;
        assert!(refused.contains("permission denied"), "{path}: {refused}");
    }
    assert_eq!(fs::read_to_string(&secret).unwrap(), "hush");
    jail.is_refused("execute", json!({ "path": "/bin/sh" })).await;
    // What it needs, it has.
    jail.is_allowed("write", json!({ "path": "" })).await;
    jail.is_allowed("read", json!({ "path": "/etc/hosts" })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_gets_to_what_the_sandbox_names_and_no_further() {
    let outside = tempfile::tempdir().unwrap();
    let place = |name: &str| {
        let folder = outside.path().join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("file"), "open").unwrap();
        folder.to_str().unwrap().to_owned()
    };
    let (read, write, other) = (place("read"), place("write"), place("other"));
    let asked = SandboxSettings {
        read_paths: vec![read.clone()],
        write_paths: vec![write.clone()],
        execute_paths: vec!["/bin/true".to_owned()],
        ..usual()
    };
    let Some(jail) = Jail::new(asked).await else { return };
    let file = |folder: &str| json!({ "path": format!("{folder}/file") });
    jail.is_allowed("read", file(&read)).await;
    jail.is_refused("write", file(&read)).await;
    jail.is_allowed("write", file(&write)).await;
    jail.is_allowed("read", file(&write)).await;
    jail.is_refused("read", file(&other)).await;
    jail.is_allowed("execute", json!({ "path": "/bin/true" })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_cannot_signal_trace_or_look_into_the_host() {
    for asked in [usual(), of_its_own_user()] {
        let Some(jail) = Jail::new(asked).await else { continue };
        for call in ["kill", "ptrace"] {
            let refused = jail.is_refused("call", json!({ "path": call })).await;
            assert_eq!(refused, "operation not permitted", "{call}");
        }
        for file in ["environ", "mem", "maps", "fd/0", "fd/1", "cmdline", "root/etc/hostname"] {
            jail.is_refused("host", json!({ "path": file })).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_administers_nothing_and_leaves_by_no_other_view() {
    for asked in [usual(), of_its_own_user()] {
        let Some(jail) = Jail::new(asked).await else { continue };
        for call in ["mount", "unshare", "reboot"] {
            let refused = jail.is_refused("call", json!({ "path": call })).await;
            // The kernel itself would not like what reboot is told.
            assert_eq!(refused, "operation not permitted", "{call}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_has_no_more_files_memory_or_processes_than_it_may() {
    let asked = SandboxSettings { open_files: 64, data_bytes: 512 << 20, processes: 64, ..of_its_own_user() };
    let Some(jail) = Jail::new(asked).await else { return };
    let refused = jail.is_refused("files", json!({ "most": 100 })).await;
    assert!(refused.contains("too many open files"), "{refused}");
    let refused = jail.is_refused("memory", json!({ "most": 600 })).await;
    assert!(refused.contains("cannot allocate memory"), "{refused}");
    jail.is_allowed("memory", json!({ "most": 16 })).await;
    let refused = jail.is_refused("processes", json!({ "most": 100 })).await;
    assert!(refused.contains("resource temporarily unavailable"), "{refused}");
    jail.is_allowed("processes", json!({ "most": 2 })).await;
    // All of that was survived.
    assert_eq!(jail.bench.process().await.restarts, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_its_own_user_without_rights_and_cannot_go_back() {
    let Some(jail) = Jail::new(of_its_own_user()).await else { return };
    let pid = jail.bench.process().await.pid;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let value = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_ascii_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    let number = USER.to_string();
    assert_eq!(value("Uid:"), [number.as_str(); 4].join(" "));
    assert_eq!(value("Gid:"), [number.as_str(); 4].join(" "));
    assert_eq!(value("Groups:"), "");
    assert_eq!((value("CapEff:"), value("CapBnd:")), ("0".repeat(16), "0".repeat(16)));
    assert_eq!((value("NoNewPrivs:"), value("Seccomp:")), ("1".to_owned(), "2".to_owned()));
    jail.is_refused("call", json!({ "path": "setuid" })).await;
    // Storage, by which it calls the host, works all the same.
    jail.bench.write("m", "store/a", r#"{"value":"1"}"#).await;
    assert_eq!(jail.bench.read("m", "store/a").await.unwrap()["value"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_super_users_plugin_loses_its_rights_too() {
    let Some(jail) = Jail::new(usual()).await else { return };
    let pid = jail.bench.process().await.pid;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    for line in status.lines().filter(|line| line.starts_with("Cap")) {
        assert!(line.ends_with(&"0".repeat(16)), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_handed_only_the_variables_that_the_sandbox_names() {
    let asked = SandboxSettings { environment: Some(vec!["CARGO".to_owned()]), ..usual() };
    let Some(jail) = Jail::new(asked).await else { return };
    let environment = jail.bench.read("m", "environment").await.unwrap();
    assert!(
        environment.get("CARGO").is_some() && environment.get("VAULT_VERSION").is_some(),
        "{environment}"
    );
    assert!(environment.get("PATH").is_none() && environment.get("HOME").is_none(), "{environment}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_machine_cannot_give_refuses_the_start_and_is_named() {
    let able = Offers::detect();
    let cgroup = SandboxSettings { memory_bytes: 64 << 20, ..usual() };
    let cases = [
        (
            Offers { landlock: 0, ..able.clone() },
            usual(),
            "filesystem needs Landlock 3 in the kernel, which has none",
        ),
        (Offers { landlock: 4, ..able.clone() }, usual(), "needs Landlock 6"),
        (Offers { filters: false, ..able.clone() }, usual(), "system_calls needs filters"),
        (Offers { changes_users: false, ..able.clone() }, of_its_own_user(), "user needs the right"),
        (Offers { drops_capabilities: false, ..able.clone() }, usual(), "CAP_SETPCAP"),
        (Offers { cgroups: None, ..able.clone() }, cgroup, "control groups of version 2"),
    ];
    for (offers, asked, word) in cases {
        let bench = Bench::with(Config { offers: Some(offers.clone()), ..Config::default() });
        register(&bench, "fixture", asked.clone());
        let said = sentence(&bench.mount("m", "jailed").await.unwrap_err());
        // A machine that lacks more may say that first.
        is_refused_for(
            &said,
            lacks(&offers, &asked).filter(|_| lacks(&able, &asked).is_some()).unwrap_or(word),
        );
        assert!(said.contains("best_effort"), "{said}");
        assert!(bench.processes().await.is_empty());
        register(&bench, "fixture", SandboxSettings { best_effort: true, ..asked });
        bench.mount("m", "jailed").await.unwrap();
        bench.read("m", "pid").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_of_the_sandbox_that_is_not_there_refuses_the_start() {
    let asked = SandboxSettings { read_paths: vec!["/no/such/place".to_owned()], ..usual() };
    let bench = Bench::new();
    register(&bench, "fixture", asked.clone());
    let said = sentence(&bench.mount("m", "jailed").await.unwrap_err());
    match lacks(&Offers::detect(), &asked) {
        // It does not come to that.
        Some(lacks) => is_refused_for(&said, lacks),
        None => assert!(said.contains("the sandbox names /no/such/place"), "{said}"),
    }
    assert!(bench.processes().await.is_empty());
    register(&bench, "fixture", SandboxSettings { best_effort: true, ..asked });
    bench.mount("m", "jailed").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_confined_process_is_left() {
    let Some(jail) = Jail::new(of_its_own_user()).await else { return };
    jail.is_allowed("write", json!({ "path": "" })).await;
    let pid = jail.bench.process().await.pid;
    assert_eq!(jail.bench.process_dirs(), 1);
    jail.bench.unmount("m").await;
    assert!(!support::exists(pid));
    assert_eq!(jail.bench.process_dirs(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_kv_works_in_the_usual_sandbox() {
    for asked in [usual(), of_its_own_user()] {
        let Some(Jail { bench }) = Jail::of("kv", asked).await else { continue };
        bench.write("m", "a", r#"{"v":"1"}"#).await;
        assert_eq!(bench.read("m", "a").await.unwrap()["v"], "1");
    }
}
