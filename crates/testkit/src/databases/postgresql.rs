use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::{Signal, geteuid};
use tempfile::TempDir;

use crate::{
    daemon::{Daemon, PATIENCE},
    eventually, ports,
    process::{Process, descendants},
    tls,
};

/// A PostgreSQL of one test's own.
#[derive(Debug)]
pub struct PostgreSql {
    daemon: Daemon,
    folder: TempDir,
    owner: Option<u32>,
    /// Whether it waits for the disk.
    durable: bool,
    /// On the loopback.
    pub port: u16,
}

impl PostgreSql {
    /// The user that may do everything.
    pub const ADMIN: &str = "admin";
    /// That user's password, at first.
    pub const PASSWORD: &str = "first-password";

    /// Makes and starts one.
    pub async fn start() -> Self {
        Self::begin(false, false).await
    }

    /// One that waits for the disk, as one in earnest does; the others need not survive the machine.
    pub async fn start_durable() -> Self {
        Self::begin(false, true).await
    }

    /// One that speaks TLS as well, with a certificate of its own for 127.0.0.1.
    pub async fn start_with_tls() -> Self {
        Self::begin(true, false).await
    }

    async fn begin(tls: bool, durable: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let owner = owner();
        let data = folder.path().join("data");
        let password = folder.path().join("password");
        fs::write(&password, Self::PASSWORD).expect("a file can be written");
        let mut owned = vec![folder.path().to_owned(), password.clone()];
        if tls {
            tls::renew(folder.path());
            owned.extend(tls::pair(folder.path()));
        }
        for path in &owned {
            if let Some(user) = owner {
                chown(path, Some(user), None).expect("root can give files away");
            }
        }
        let mut make = run("initdb", owner, folder.path());
        make.args([
            "--no-sync",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--username",
            Self::ADMIN,
        ]);
        make.arg("--pwfile").arg(&password).arg("--pgdata").arg(&data);
        let made = make.output().expect("initdb can be run");
        assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        let port = ports::free();
        let daemon = serve(folder.path(), owner, durable, port);
        let mut started = Self { daemon, folder, owner, durable, port };
        started.lets_us_in().await;
        started
    }

    /// Ends it as the kernel does: it has no chance to write down anything. Nothing that it has started, which would go
    /// on with what it was asked for a moment, is left when this returns.
    pub async fn kill9(&mut self) {
        let started = descendants(self.daemon.id());
        self.daemon.end(Signal::KILL);
        started.iter().for_each(|process| process.signal(Signal::KILL));
        eventually(PATIENCE, "all of PostgreSQL is gone", async || !started.iter().any(Process::is_alive))
            .await;
    }

    /// Starts it again on the same data.
    pub async fn start_again(&mut self) {
        self.daemon = serve(self.folder.path(), self.owner, self.durable, self.port);
        self.lets_us_in().await;
    }

    /// Waits until it does. After a kill it does not start before all that it had started has noticed and ended.
    async fn lets_us_in(&mut self) {
        eventually(PATIENCE, "PostgreSQL lets us in", async || {
            if self.daemon.has_ended() {
                self.daemon = serve(self.folder.path(), self.owner, self.durable, self.port);
            }
            self.ask("SELECT 1").is_ok()
        })
        .await;
    }

    /// Where it keeps everything.
    pub fn data_directory(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// How its administrator reaches it.
    pub fn admin_url(&self) -> String {
        format!("postgresql://{}:{}@127.0.0.1:{}/postgres", Self::ADMIN, Self::PASSWORD, self.port)
    }

    /// How an engine reaches it: with placeholders for name and password.
    pub fn url(&self) -> String {
        format!(
            "postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{}/postgres?sslmode=disable",
            self.port
        )
    }

    /// The certificate that it shows, for those who believe nobody else.
    pub fn certificate(&self) -> String {
        fs::read_to_string(&tls::pair(self.folder.path())[0]).expect("it speaks TLS")
    }

    /// What it says to a question of its first administrator.
    pub fn ask(&self, sql: &str) -> Result<String, String> {
        self.ask_as(Self::ADMIN, Self::PASSWORD, sql)
    }

    /// What it says to somebody's question, or why it says nothing.
    pub fn ask_as(&self, user: &str, password: &str, sql: &str) -> Result<String, String> {
        let mut client = self.client("psql", user, password);
        client.args(["--no-psqlrc", "-tA", "-c", sql]);
        let run = client.output().expect("psql can be run");
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if run.status.success() { Ok(said(&run.stdout)) } else { Err(said(&run.stderr)) }
    }

    /// One of its client programs, on behalf of its first administrator.
    pub fn admin_client(&self, name: &str) -> Command {
        self.client(name, Self::ADMIN, Self::PASSWORD)
    }

    fn client(&self, name: &str, user: &str, password: &str) -> Command {
        let mut client = Command::new(program(name));
        client.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-d", "postgres", "-U", user]);
        client.env("PGPASSWORD", password).env("PGCONNECT_TIMEOUT", "10");
        client
    }

    /// Whether it lets somebody in.
    pub fn lets_in(&self, user: &str, password: &str) -> bool {
        self.ask_as(user, password, "SELECT 1").is_ok()
    }
}

/// PostgreSQL does not run as root. Debian makes a user for it.
fn owner() -> Option<u32> {
    if !geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let id_of = |name: &str| {
        let line = users.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split(':').nth(1)?.parse().ok()
    };
    Some(id_of("postgres").or_else(|| id_of("nobody")).expect("there is a user that is not root"))
}

fn serve(folder: &Path, owner: Option<u32>, durable: bool, port: u16) -> Daemon {
    let mut serve = run("postgres", owner, folder);
    serve.arg("-D").arg(folder.join("data")).arg("-p").arg(port.to_string());
    for setting in [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        if durable { "fsync=on" } else { "fsync=off" },
        "shared_buffers=16MB",
        "max_connections=40",
        "max_wal_senders=0",
    ] {
        serve.args(["-c", setting]);
    }
    let [certificate, key] = tls::pair(folder);
    if certificate.exists() {
        serve.args(["-c", "ssl=on", "-c", &format!("ssl_cert_file={}", certificate.display())]);
        serve.args(["-c", &format!("ssl_key_file={}", key.display())]);
    }
    // An "immediate" shutdown, in PostgreSQL's words.
    Daemon::start(&mut serve, Signal::QUIT)
}

fn run(name: &str, owner: Option<u32>, folder: &Path) -> Command {
    let mut command = Command::new(program(name));
    command.current_dir(folder);
    if let Some(user) = owner {
        command.uid(user);
    }
    command
}

/// Debian keeps PostgreSQL's programs by version, away from the `PATH`.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let programs = versions.map(|version| version.path().join("bin").join(name));
    programs.filter(|program| program.is_file()).max().unwrap_or_else(|| PathBuf::from(name))
}
