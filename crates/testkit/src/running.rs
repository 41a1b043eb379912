//! One process of a server under test.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::paths::program;
use crate::process::Process;
use crate::{Options, eventually};

/// The program, to be run with other arguments. It finds nothing of what the tester has set for himself.
pub fn mortise() -> Command {
    without_settings(Command::new(program()))
}

/// The same with a umask of its own.
fn with_umask(umask: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("umask {umask} && exec \"$0\" \"$@\"")]).arg(program());
    without_settings(shell)
}

fn without_settings(mut command: Command) -> Command {
    for name in ["VAULT_TOKEN", "VAULT_ADDR", "XDG_RUNTIME_DIR"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// A child that ends with its owner.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts the program for a server in `folder`: its output is added to a file there, its temporary files
    /// are made there.
    pub(crate) fn start(arguments: &[String], options: &Options, folder: &Path) -> Self {
        let log = folder.join(&arguments[0]).with_extension("log");
        let output = File::options().create(true).append(true).open(&log).expect("a log can be opened");
        let child = options
            .umask
            .map_or_else(mortise, with_umask)
            .args(arguments)
            .envs(options.environment.iter().map(|(name, value)| (name, value)))
            .env("TMPDIR", folder.join("tmp"))
            .stdout(output.try_clone().expect("a file can be shared"))
            .stderr(output)
            .spawn()
            .expect("the server's program can be started");
        Self { child, log }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, unless it has ended.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(process) = Process::of(self.pid()) {
            process.signal(signal);
        }
    }

    /// Its status, when it has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// What it has written so far.
    pub(crate) fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Asks it to end, and waits for it.
    pub(crate) async fn stop(&mut self, signal: Signal, limit: Duration) -> ExitStatus {
        self.signal(signal);
        eventually(limit, "the server ends", async || self.ended().is_some()).await;
        self.ended().expect("it has ended")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already; nobody is left to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
