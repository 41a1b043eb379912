//! A plugin's file is swapped for an evil one between check and execution, on purpose and as fast as possible.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use serde_json::json;
use tempfile::TempDir;
use testkit::{Plugin, Server, c_program, go_plugin, soak};

/// Leaves a mark where nothing should, and is no plugin.
const EVIL: &str =
    "#include <fcntl.h>\nint main(void) { return open(MARK, O_CREAT | O_WRONLY, 0600) < 0; }\n";

/// Puts the good and the evil file in turn where the server looks, until it is told to stop.
struct Swapper {
    stop: Arc<AtomicBool>,
    swaps: Arc<AtomicU64>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Swapper {
    fn start(target: PathBuf, good: &Path, evil: &Path) -> Self {
        let (good, evil) = (fs::read(good).unwrap(), fs::read(evil).unwrap());
        let stop = Arc::new(AtomicBool::new(false));
        let swaps = Arc::new(AtomicU64::new(0));
        let (stopped, count) = (stop.clone(), swaps.clone());
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                // By turns another file of that name, and other bytes in the same file.
                replace(&target, &evil);
                replace(&target, &good);
                overwrite(&target, &evil);
                overwrite(&target, &good);
                count.fetch_add(4, Ordering::Relaxed);
            }
        });
        Self { stop, swaps, thread: Some(thread) }
    }
}

impl Drop for Swapper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn replace(target: &Path, bytes: &[u8]) {
    let part = target.with_extension("part");
    fs::write(&part, bytes).unwrap();
    fs::set_permissions(&part, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    fs::rename(&part, target).unwrap();
}

/// The kernel refuses this while the file itself is being executed, which is as good.
fn overwrite(target: &Path, bytes: &[u8]) {
    let _ = fs::write(target, bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn l1_what_was_not_checked_never_runs() {
    let folder = TempDir::new().unwrap();
    let mark = folder.path().join("mark");
    let mark_option = format!("-DMARK=\"{}\"", mark.display());
    let evil = c_program(folder.path(), "evil", EVIL, &[&mark_option]);
    assert!(std::process::Command::new(&evil.path).status().unwrap().success() && mark.exists());
    fs::remove_file(&mark).unwrap();

    let server = Server::start().await;
    let good: Plugin = go_plugin("fixture");
    server.register("good", &good).await;
    let api = server.api();
    api.enable_kv("other", 2).await;

    let swapper = Swapper::start(server.plugin_directory().join(good.command()), &good.path, &evil.path);
    let mut served = 0;
    for _ in 0..soak(100, 1_000) {
        let enabled = api.post("sys/mounts/try", json!({"type": "good"})).await;
        served += usize::from(enabled.is_ok() && api.get("try/pid").await.is_ok());
        assert!(!mark.exists(), "the evil file ran; the server answered {enabled}");
        server.disable("try").await;
    }
    let swaps = swapper.swaps.load(Ordering::Relaxed);
    drop(swapper);
    println!("{swaps} swaps; the good file was met {served} times");

    assert!(!mark.exists(), "the evil file ran");
    assert_eq!(api.put_secret("other", "a", json!({"v": "1"})).await, 1);
    server.install(&good);
    server.enable("good", "good").await;
    api.get("good/pid").await.ok();
}
