use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    process::Command,
    time::Duration,
};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::{
    daemon::{Daemon, PATIENCE},
    eventually, ports,
};

/// A Redis of one test's own.
#[derive(Debug)]
pub struct Redis {
    _daemon: Daemon,
    _folder: TempDir,
    /// On the loopback.
    pub port: u16,
}

impl Redis {
    /// The user that may do everything.
    pub const ADMIN: &str = "default";
    /// That user's password.
    pub const PASSWORD: &str = "first-password";

    /// Starts one.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let port = ports::free();
        let mut serve = Command::new("redis-server");
        serve.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        serve.args(["--requirepass", Self::PASSWORD, "--port", &port.to_string()]);
        serve.arg("--dir").arg(folder.path());
        let started = Self { _daemon: Daemon::start(&mut serve, Signal::KILL), _folder: folder, port };
        let ready = async || started.lets_in(Self::ADMIN, Self::PASSWORD);
        eventually(PATIENCE, "Redis lets us in", ready).await;
        started
    }

    /// Whether it lets somebody in.
    pub fn lets_in(&self, user: &str, password: &str) -> bool {
        self.greeted(user, password).is_some_and(|answer| answer.starts_with("+OK"))
    }

    fn greeted(&self, user: &str, password: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        let words = ["AUTH", user, password].map(|word| format!("${}\r\n{word}\r\n", word.len()));
        stream.write_all(format!("*3\r\n{}", words.concat()).as_bytes()).ok()?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).ok()?;
        Some(answer)
    }
}
