use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::{
    eventually,
    paths::{built, repository},
    process::{Process, descendants},
};

/// How long it may take to begin, and to end with all of its containers.
const PATIENCE: Duration = Duration::from_secs(120);

/// Debian's programs, before others of their names that a machine may have.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// Debian's `dockerd`, with everything below a folder of its own. To be started where [`alone`] says so.
#[derive(Debug)]
pub struct Engine {
    child: Child,
    folder: TempDir,
}

impl Engine {
    /// What the image under test is called.
    pub const IMAGE: &str = "mortise";

    /// Starts one.
    pub async fn start() -> Self {
        // What it keeps does not fit into memory.
        let folder = TempDir::with_prefix_in("story-", "/var/tmp").expect("a folder can be made");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("daemon.json"), "{}").expect("a file can be written");
        let log = File::create(path("log")).expect("a log can be made");
        let mut serve = Command::new("dockerd");
        for (option, name) in [
            ("--config-file", "daemon.json"),
            ("--data-root", "data"),
            ("--exec-root", "run"),
            ("--pidfile", "pid"),
        ] {
            serve.arg(option).arg(path(name));
        }
        serve.arg("--host").arg(format!("unix://{}", path("socket").display()));
        serve.arg(format!("--cgroup-parent={}", groups(folder.path()).display()));
        serve.env("PATH", PATH).stdin(Stdio::null());
        serve.stdout(log.try_clone().expect("a file can be shared")).stderr(log);
        let child = serve.spawn().expect("docker.io is installed, and the tester is root");
        let engine = Self { child, folder };
        let answers = async || engine.try_docker(&["version"]).is_ok() || !engine.process().is_alive();
        eventually(PATIENCE, "the Docker engine answers", answers).await;
        assert!(engine.process().is_alive(), "dockerd has ended:\n{}", engine.log());
        engine
    }

    /// Makes stand-ins for the images of others, unless a registry is reached, and the image of what was built here.
    pub fn make_images(&self) {
        self.run(&mut self.command(repository().join("tests/docker/base-images")));
        let programs = built("");
        self.run(self.command(repository().join("tests/docker/image")).arg(programs).arg(Self::IMAGE));
    }

    /// What `docker` answers.
    #[track_caller]
    pub fn docker(&self, arguments: &[&str]) -> String {
        self.try_docker(arguments).unwrap_or_else(|said| panic!("docker {arguments:?}: {said}"))
    }

    /// What `docker` answers, or how it refuses.
    pub fn try_docker(&self, arguments: &[&str]) -> Result<String, String> {
        answer(self.command("docker").args(arguments))
    }

    /// A program that asks this engine.
    pub(super) fn command(&self, program: impl Into<PathBuf>) -> Command {
        let mut command = Command::new("env");
        // Of the machine's own programs, those come last that Debian does not have.
        let path = format!("{PATH}:{}", env::var("PATH").unwrap_or_default());
        command.arg(program.into()).env("PATH", path).stdin(Stdio::null()).current_dir(repository());
        command.env("DOCKER_HOST", format!("unix://{}", self.folder.path().join("socket").display()));
        command
    }

    #[track_caller]
    pub(super) fn run(&self, command: &mut Command) -> String {
        answer(command).unwrap_or_else(|said| panic!("{command:?}:\n{said}"))
    }

    fn process(&self) -> Process {
        Process::of(self.child.id()).expect("nobody has waited for it")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Ends it, with all that it has started, and looks that nothing is left.
    pub async fn stop(self) {
        let folder = self.folder.path().to_owned();
        let started = descendants(self.child.id());
        drop(self);
        let gone = async || !started.iter().any(Process::is_alive);
        eventually(PATIENCE, "everything that the Docker engine had started is gone", gone).await;
        assert!(!folder.exists(), "{} is still there", folder.display());
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let started = descendants(self.child.id());
        self.process().signal(Signal::TERM);
        // It ends its containers first, and kills those that do not end.
        let _ = self.child.wait();
        started.iter().for_each(Process::kill);
        for hierarchy in fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
            remove_groups(&hierarchy.path().join(groups(self.folder.path())));
        }
    }
}

/// Whether this test runs where a Docker engine does no harm: among processes, mounts and networks of its own, which all
/// go with it and lead nowhere. Otherwise the test has been run again in such a place, and has passed.
pub fn alone(test: &str) -> bool {
    const ALONE: &str = "MORTISE_TEST_ALONE";
    if env::var_os(ALONE).is_some() {
        let up = Command::new("ip").args(["link", "set", "lo", "up"]).status();
        assert!(up.is_ok_and(|status| status.success()), "the loopback is there");
        return true;
    }
    let mut again = Command::new("unshare");
    again.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    // It waits for those whose parents have ended.
    again.args(["docker-init", "--"]).arg(env::current_exe().expect("the running program has a path"));
    again.args(["--exact", "--nocapture", test]).env(ALONE, "1").stdin(Stdio::null());
    let said = answer(&mut again).unwrap_or_else(|said| panic!("{test}:\n{said}"));
    assert!(said.contains("1 passed"), "{said}");
    false
}

/// Its control groups, by the name of its folder.
fn groups(folder: &Path) -> PathBuf {
    folder.file_name().expect("a folder has a name").into()
}

/// Removes a control group and those in it. Many hierarchies have none of ours.
fn remove_groups(group: &Path) {
    for inner in fs::read_dir(group).into_iter().flatten().flatten() {
        if inner.path().is_dir() {
            remove_groups(&inner.path());
        }
    }
    let _ = fs::remove_dir(group);
}

fn answer(command: &mut Command) -> Result<String, String> {
    let run = command.output().map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if run.status.success() {
        Ok(text(&run.stdout))
    } else {
        Err(text(&run.stdout) + "\n" + &text(&run.stderr))
    }
}
