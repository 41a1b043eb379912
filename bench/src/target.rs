use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, ensure};
use clap::ValueEnum;
use serde_json::json;
use tempfile::TempDir;
use testkit::{Api, Form, Options, PostgreSql, Server, go_plugin};

use crate::{policies, usage::Usage};

/// The name of the bare path in the report.
pub const BARE: &str = "bare";

/// A form of deployment to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Wanted {
    /// All services in one process, their data in memory as the bare path's is: like for like.
    Memory,
    /// All services in one process, their data in SQLite: what is acknowledged is on the disk.
    One,
    /// Each service in a process of its own, with SQLite.
    Apart,
    /// All services in one process, their data in a PostgreSQL on the same machine, which waits for the disk.
    Postgresql,
}

/// Something that answers HTTP.
#[derive(Debug)]
pub struct Target {
    pub name: &'static str,
    pub address: SocketAddr,
    pub token: String,
    /// The token of somebody with very many policies.
    pub restricted: String,
    host: Vec<u32>,
    plugin: Vec<u32>,
}

/// What a target has used so far.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    pub host: Usage,
    pub plugin: Usage,
}

impl Target {
    pub fn usage(&self) -> Used {
        Used { host: Usage::of(&self.host), plugin: Usage::of(&self.plugin) }
    }
}

/// All that is measured; everything ends when this is dropped.
pub struct Targets {
    all: Vec<Target>,
    servers: Vec<Server>,
    databases: Vec<PostgreSql>,
    _bare: Bare,
}

impl Targets {
    /// Starts the bare path and a server of each form, each with its own plugin process.
    pub async fn start(forms: &[Wanted]) -> anyhow::Result<Self> {
        let (bare, target) = Bare::start()?;
        let mut targets = Self { all: vec![target], servers: Vec::new(), databases: Vec::new(), _bare: bare };
        for form in forms {
            let options = targets.options(*form).await;
            let (server, target) = server(*form, options).await?;
            targets.servers.push(server);
            targets.all.push(target);
        }
        Ok(targets)
    }

    async fn options(&mut self, form: Wanted) -> Options {
        let one = Options { form: Form::One, ..Options::default() };
        match form {
            Wanted::Memory => Options { storage: "storage \"inmem\" {}", ..one },
            Wanted::One => one,
            Wanted::Apart => Options { form: Form::Apart, ..one },
            Wanted::Postgresql => {
                let database = PostgreSql::start_durable().await;
                let options = Options { form: Form::One, ..Options::on(&database) };
                self.databases.push(database);
                options
            }
        }
    }

    pub fn all(&self) -> &[Target] {
        &self.all
    }

    /// Asks every server to end.
    pub async fn stop(mut self) {
        for server in &mut self.servers {
            server.stop().await;
        }
    }
}

async fn server(form: Wanted, options: Options) -> anyhow::Result<(Server, Target)> {
    let name = match form {
        Wanted::Memory => "one process, in memory",
        Wanted::One => "one process",
        Wanted::Apart => "four processes",
        Wanted::Postgresql => "one process, PostgreSQL",
    };
    let server = Server::start_with(Options { log_level: "warn", ..options }).await;
    let api = server.api();
    api.enable_kv("b1", 1).await;
    api.enable_kv("b2", 2).await;
    server.register("go-kv", &go_plugin("kv")).await;
    server.enable("e1", "go-kv").await;
    server.enable("e2", "go-kv").await;
    api.upgrade_kv("e2").await;
    people(&api).await;
    let restricted = policies::holder(&api).await;
    let address = api.address().strip_prefix("http://").context("an HTTP address")?.parse()?;
    let host = server.processes().iter().map(|process| process.pid).collect();
    let plugin = server.plugins().iter().map(|process| process.pid).collect();
    let target = Target { name, address, token: api.token().to_owned(), restricted, host, plugin };
    Ok((server, target))
}

/// Those who log in.
async fn people(api: &Api) {
    api.post("sys/auth/approle", json!({"type": "approle"})).await.ok();
    let role = json!({"token_policies": "default", "token_ttl": "1h"});
    api.post("auth/approle/role/bench", role.clone()).await.ok();
    api.post("auth/approle/role/bench/role-id", json!({"role_id": "bench"})).await.ok();
    api.post("sys/auth/userpass", json!({"type": "userpass"})).await.ok();
    let user = json!({"password": "horse", "token_policies": "default", "token_ttl": "1h"});
    api.post("auth/userpass/users/ann", user).await.ok();
}

/// This program once more, as the bare path. It ends with its standard input, and so with us in any case.
struct Bare {
    child: Child,
    _folder: TempDir,
}

impl Bare {
    fn start() -> anyhow::Result<(Self, Target)> {
        let folder = TempDir::with_prefix("bare-")?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg("bare")
            .arg(&go_plugin("kv").path)
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the bare path")?;
        let stdout = child.stdout.take().context("its output is a pipe")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let words: Vec<&str> = line.split_whitespace().collect();
        ensure!(words.len() == 2, "the bare path did not start: {line:?}");
        let (host, plugin) = (vec![child.id()], vec![words[1].parse()?]);
        let (token, restricted) = ("none".to_owned(), "none".to_owned());
        let target = Target { name: BARE, address: words[0].parse()?, token, restricted, host, plugin };
        Ok((Self { child, _folder: folder }, target))
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // The end of its input is its sign to end.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
