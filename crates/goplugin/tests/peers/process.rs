//! Programs as a host runs them.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use goplugin::host::{self, Connection, Rest, StartError};
use goplugin::{Cookie, Identity};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

/// A plugin's process, greeted.
pub struct Running {
    pub connection: Connection,
    pub directory: TempDir,
    child: Child,
    stderr: JoinHandle<String>,
    _stdout: JoinHandle<()>,
}

impl Running {
    pub async fn start(program: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let identity = Identity::generate().unwrap();
        let mut child = Command::new(program)
            .env_clear()
            .envs(host::environment(Cookie::BACKEND, &[5], &identity, directory.path()))
            .env("VAULT_VERSION", "1.21.4")
            .env("VAULT_PLUGIN_AUTOMTLS_ENABLED", "true")
            .env("VAULT_PLUGIN_METADATA_MODE", "false")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let stderr = tokio::spawn(async move {
            let mut text = String::new();
            stderr.read_to_string(&mut text).await.unwrap();
            text
        });
        let started: Result<(_, Rest<ChildStdout>), StartError> =
            host::connect(child.stdout.take().unwrap(), &[5], &identity, directory.path(), soon()).await;
        let (connection, rest) = started.unwrap();
        Self { connection, directory, child, stderr, _stdout: tokio::spawn(rest.drain()) }
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().unwrap().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    pub async fn exit(&mut self) -> ExitStatus {
        let exit = timeout(Duration::from_secs(2), self.child.wait()).await;
        exit.expect("a plugin ends within two seconds").unwrap()
    }

    /// Asks for the end, and returns how it came and what the plugin had written to stderr.
    pub async fn stop(mut self) -> (ExitStatus, String) {
        self.connection.shutdown(soon()).await;
        (self.exit().await, self.stderr.await.unwrap())
    }

    /// What lies in the socket directory.
    pub fn sockets(&self) -> Vec<String> {
        files(self.directory.path())
    }
}

pub fn files(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The example, which cargo has built beside this test.
pub fn greeter() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let greeter = test.parent().unwrap().parent().unwrap().join("examples/greeter");
    assert!(greeter.is_file(), "{} is missing: cargo build -p goplugin --examples", greeter.display());
    greeter
}

/// A program of the Go module beside this file. Go itself knows what has to be built again.
pub fn go_program(name: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let package = format!("./{name}");
    download(&package);
    let built = go(&["build", "-trimpath", "-buildvcs=false", "-o", program.to_str().unwrap(), &package]);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    program
}

/// Has Go fetch what a package needs. Go itself does not try again when the network fails; what is still missing then,
/// the build tells.
fn download(package: &str) {
    for pause in [2, 10, 30] {
        if go(&["list", "-deps", package]).status.success() {
            return;
        }
        std::thread::sleep(Duration::from_secs(pause));
    }
}

fn go(arguments: &[&str]) -> Output {
    std::process::Command::new("go")
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/go"))
        .env("CGO_ENABLED", "0")
        .output()
        .unwrap()
}
