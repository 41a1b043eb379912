//! Programs that do not become plugins: each is told by name, and leaves nothing behind.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod support;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use launcher::{Config, Pauses};
use support::{Bench, eventually, go_plugin, is_alive, sentence, spec};

fn impatient() -> Config {
    Config { start_deadline: Duration::from_millis(700), ..Config::default() }
}

/// Mounts what cannot be mounted; gives the sentence, and checks that nothing is left.
async fn refusal(bench: &Bench, plugin: &str) -> String {
    let error = bench.mount("m", plugin).await.unwrap_err();
    assert!(bench.processes().await.is_empty());
    eventually("its folder is gone", async || bench.process_dirs() == 0).await;
    let unknown = bench.call("m", "read", "a", "{}").await.unwrap_err();
    assert_eq!(sentence(&unknown), "the mount has not been handed to the launcher");
    sentence(&error)
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_that_are_no_plugins_are_told_apart() {
    let cases = [
        ("exits", "#!/bin/sh\necho 'no config' >&2\nexit 3\n", &["exited with code 3", "\"no config\""][..]),
        ("dies", "#!/bin/sh\nkill -9 $$\n", &["ended by signal 9", "wrote nothing"]),
        (
            "chats",
            "#!/bin/sh\necho 'Usage: chats [options]'\nexec sleep 60\n",
            &["\"Usage: chats [options]\""],
        ),
        ("mute", "#!/bin/sh\nexec sleep 60\n", &["no handshake within 700ms"]),
        ("stutters", "#!/bin/sh\nprintf '1|5|unix'\nexec sleep 60\n", &["within 700ms", "\"1|5|unix\""]),
        ("old", "#!/bin/sh\necho '1|5|unix|/tmp/x|netrpc'\nexec sleep 60\n", &["legacy net/rpc protocol"]),
        ("ancient", "#!/bin/sh\necho '1|3|unix|/tmp/x|grpc|'\nexec sleep 60\n", &["version 3", "speaks 5"]),
        ("core", "#!/bin/sh\necho '2|5|unix|/tmp/x|grpc|'\nexec sleep 60\n", &["core protocol version 2"]),
        ("bare", "#!/bin/sh\necho '1|5|unix|/tmp/x|grpc|'\nexec sleep 60\n", &["no certificate"]),
        ("lost", "#!/no/such/shell\n", &["interpreter /no/such/shell"]),
        ("text", "hello\n", &["neither a program nor a script"]),
        (
            "floods",
            "#!/bin/sh\nyes | head -c 1000000 | tr -d '\\n'\nexec sleep 60\n",
            &["\"yyyy", "and more"],
        ),
    ];
    let bench = Bench::with(impatient());
    for (name, script, parts) in cases {
        bench.register_script(name, script);
        let said = refusal(&bench, name).await;
        assert!(said.starts_with(&format!("plugin {name} does not start: ")), "{said}");
        for part in parts {
            assert!(said.contains(part), "{name}: {part:?} is not in {said}");
        }
    }
}

/// A copy of a program with some bytes replaced.
fn patched(bench: &Bench, program: &str, patch: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let mut bytes = std::fs::read(program).unwrap();
    patch(&mut bytes);
    let path = bench.folder.path().join("patched");
    std::fs::write(&path, bytes).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_for_another_processor_is_named_as_such() {
    let bench = Bench::new();
    let (foreign, name) = if cfg!(target_arch = "aarch64") { (62, "x86_64") } else { (183, "aarch64") };
    bench.register("foreign", &patched(&bench, "/bin/sh", |bytes| bytes[18] = foreign), &[]);
    let said = refusal(&bench, "foreign").await;
    assert!(said.contains(&format!("was built for {name}, this host is")), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_without_its_loader_names_it() {
    let bench = Bench::new();
    let program = patched(&bench, "/bin/sh", |bytes| {
        let at = bytes.windows(4).position(|part| part == b"/lib").unwrap();
        bytes[at..at + 4].copy_from_slice(b"/nib");
    });
    bench.register("loaderless", &program, &[]);
    let said = refusal(&bench, "loaderless").await;
    assert!(said.contains("needs the loader /nib"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_bytes_are_refused_with_both_checksums() {
    let bench = Bench::new();
    let program = bench.register_script("kv", "#!/bin/sh\nexit 0\n");
    std::fs::write(program, "#!/bin/sh\ntouch /tmp/never\n").unwrap();
    let said = refusal(&bench, "kv").await;
    let expected = hex(&bench.plugins.lock().unwrap()["kv"].sha256);
    assert!(said.contains("plugin kv") && said.contains(&expected), "{said}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn l1_a_program_that_is_swapped_all_the_time_never_runs_unverified() {
    let bench = Bench::new();
    let foreign_ran = bench.folder.path().join("foreign-ran");
    let good = "#!/bin/sh\nexit 3\n";
    let evil = format!("#!/bin/sh\ntouch {}\n", foreign_ran.display());
    let program = bench.register_script("kv", good);
    let stop = Arc::new(AtomicBool::new(false));
    let swapper = std::thread::spawn({
        let stop = Arc::clone(&stop);
        let (other, evil) = (program.with_extension("new"), evil.clone());
        move || {
            for text in [evil.as_str(), good].iter().cycle() {
                std::fs::write(&other, text).unwrap();
                std::fs::rename(&other, &program).unwrap();
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
        }
    });
    let (mut ran, mut refused) = (0, 0);
    for _ in 0..100 {
        match sentence(&bench.mount("m", "kv").await.unwrap_err()) {
            said if said.contains("exited with code 3") => ran += 1,
            said if said.contains("SHA256") => refused += 1,
            said => panic!("{said}"),
        }
    }
    stop.store(true, Ordering::Relaxed);
    swapper.join().unwrap();
    assert!(ran > 0 && refused > 0, "{ran} {refused}");
    assert!(!foreign_ran.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn l4_a_plugin_that_presents_another_certificate_is_refused() {
    let bench = Bench::new();
    bench.register("imposter", &go_plugin("fixture"), &["other-cert"]);
    let said = refusal(&bench, "imposter").await;
    assert!(said.contains("mutual TLS with the plugin failed"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_may_not_lock_its_memory_says_so() {
    let bench = Bench::new();
    bench.register("locker", &go_plugin("fixture"), &["mlock"]);
    bench.plugins.lock().unwrap().get_mut("locker").unwrap().env =
        vec!["VAULT_PLUGIN_MLOCK_ENABLED=true".into()];
    let said = refusal(&bench, "locker").await;
    assert!(said.contains("could not lock its memory"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn l12_what_a_plugin_forked_away_goes_with_it() {
    let bench = Bench::with(impatient());
    let tag = format!("tag-{}", std::process::id());
    bench.register("forker", &go_plugin("fixture"), &["fork", &tag]);
    let said = refusal(&bench, "forker").await;
    assert!(said.contains("no handshake"), "{said}");
    assert_eq!(with_argument(&tag), Vec::<u32>::new());
}

/// The processes that have this argument.
fn with_argument(tag: &str) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let tagged = numbers.filter(|pid| {
        let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        arguments.split(|byte| *byte == 0).any(|argument| argument == tag.as_bytes())
    });
    tagged.filter(|pid| is_alive(*pid)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mount_that_is_not_fresh_is_remembered_and_recovers_when_its_program_is_back() {
    let bench = Bench::new();
    let program = bench.folder.path().join("kv");
    std::fs::copy(go_plugin("kv"), &program).unwrap();
    bench.register("kv", &program, &[]);
    let away = program.with_extension("away");
    std::fs::rename(&program, &away).unwrap();
    bench.mount_as(spec("m", "kv"), false).await.unwrap_err();
    let error = bench.call("m", "read", "a", "{}").await.unwrap_err();
    let failure = wire::failure_of(&error);
    assert_eq!(failure.kind, domain::Kind::Unavailable, "{failure}");
    std::fs::rename(&away, &program).unwrap();
    eventually("the mount serves again", async || bench.call("m", "read", "a", "{}").await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loop_is_slowed_down_and_told() {
    let pauses = Pauses { forgiven: 1, first: Duration::from_secs(20), ..Pauses::default() };
    let bench = Bench::with(Config { pauses, ..Config::default() });
    bench.register_script("looper", "#!/bin/sh\nexit 3\n");
    bench.mount_as(spec("m", "looper"), false).await.unwrap_err();
    bench.call("m", "read", "a", "{}").await.unwrap_err();
    let began = Instant::now();
    for _ in 0..100 {
        let error = bench.call("m", "read", "a", "{}").await.unwrap_err();
        let failure = wire::failure_of(&error);
        assert_eq!(failure.kind, domain::Kind::Unavailable);
        assert!(failure.to_string().contains("exited with code 3"), "{failure}");
    }
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(bench.processes().await[0].state, "backoff");
}
