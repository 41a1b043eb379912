use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
    process::Command,
    time::Duration,
};

use tempfile::TempDir;

use super::Engine;
use crate::{Api, eventually, mortise, own_plugin, ports, process::Process, tls};

/// How long a service may take to be well again.
const PATIENCE: Duration = Duration::from_secs(90);

/// Those who may read the secrets.
const GROUP: u32 = 8200;

/// The services of `docker-compose.yml` together with one of the files that complete it.
#[derive(Debug)]
pub struct Stack<'e> {
    engine: &'e Engine,
    name: &'static str,
    files: &'static [&'static str],
    environment: Vec<(&'static str, String)>,
    port: u16,
}

impl<'e> Stack<'e> {
    /// What `docker-compose up` starts in a fresh clone.
    pub fn development(engine: &'e Engine) -> Self {
        Self::new(engine, "development", &["docker-compose.yml", "docker-compose.override.yml"])
    }

    /// What is started in earnest, with secrets that are made in this folder.
    pub fn production(engine: &'e Engine, folder: &TempDir) -> Self {
        let secrets = Self::secrets(folder.path());
        let mut stack =
            Self::new(engine, "production", &["docker-compose.yml", "docker-compose.production.yml"]);
        let folder = folder.path().display();
        stack.environment.extend([
            ("MORTISE_SECRETS", secrets),
            ("MORTISE_PLUGINS", format!("{folder}/plugins")),
            ("MORTISE_API_ADDR", format!("https://127.0.0.1:{}", stack.port)),
        ]);
        stack
    }

    fn new(engine: &'e Engine, name: &'static str, files: &'static [&'static str]) -> Self {
        let port = ports::free();
        let environment = vec![
            ("MORTISE_IMAGE", Engine::IMAGE.to_owned()),
            ("MORTISE_LISTEN", format!("127.0.0.1:{port}")),
        ];
        Self { engine, name, files, environment, port }
    }

    /// Every secret that the production stack takes, and a folder with a plugin.
    fn secrets(folder: &Path) -> String {
        let secrets = folder.join("secrets");
        let made = mortise().arg("dev-certs").arg(&secrets).status();
        assert!(made.is_ok_and(|status| status.success()), "certificates can be made");
        tls::make(&[secrets.join("public.pem"), secrets.join("public-key.pem")], "IP:127.0.0.1");
        let shown = secrets.join("postgresql.pem");
        tls::make(&[shown.clone(), secrets.join("postgresql-key.pem")], "DNS:postgresql");
        // It is its own authority.
        fs::copy(shown, secrets.join("database-ca.pem")).expect("a file can be copied");
        fs::write(secrets.join("database-password"), "canary-of-the-database\n")
            .expect("a file can be written");
        for file in fs::read_dir(&secrets).expect("a folder can be read").flatten() {
            chown(file.path(), None, Some(GROUP)).expect("root can give files away");
            fs::set_permissions(file.path(), fs::Permissions::from_mode(0o640)).expect("a mode can be set");
        }
        let plugins = folder.join("plugins");
        fs::create_dir(&plugins).expect("a folder can be made");
        let plugin = own_plugin("kv");
        fs::copy(&plugin.path, plugins.join(plugin.command())).expect("a plugin can be copied");
        for open in [folder, &plugins] {
            fs::set_permissions(open, fs::Permissions::from_mode(0o755)).expect("a mode can be set");
        }
        secrets.display().to_string()
    }

    fn compose(&self) -> Command {
        let mut command = self.engine.command("docker-compose");
        command.args(["--ansi", "never", "--project-name", self.name]);
        command.args(self.files.iter().flat_map(|file| ["--file", *file]));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// What `docker-compose` answers.
    #[track_caller]
    pub fn ask(&self, arguments: &[&str]) -> String {
        self.engine.run(self.compose().args(arguments))
    }

    /// Starts everything, and waits until it is well.
    pub async fn up(&self, services: &[&str]) {
        let mut up = self.compose();
        up.args(["up", "--detach", "--no-build"]);
        let started = up.output().expect("docker-compose is installed");
        let said = String::from_utf8_lossy(&started.stderr).into_owned();
        assert!(started.status.success(), "{said}\n{}", self.ask(&["logs", "--tail=40"]));
        self.is_well(services).await;
    }

    /// Waits until Docker says of all these services that they are healthy.
    pub async fn is_well(&self, services: &[&str]) {
        for service in services {
            let healthy =
                async || self.state(service, "Health.Status").is_some_and(|state| state == "healthy");
            eventually(PATIENCE, &format!("{service} is healthy"), healthy).await;
        }
    }

    /// A client of the gateway, from outside.
    pub fn api(&self) -> Api {
        Api::new(format!("http://127.0.0.1:{}", self.port), None, None)
    }

    /// A client that believes a certificate of the production stack.
    pub fn api_over_tls(&self, folder: &TempDir) -> Api {
        let trusted = tls::certificate(&folder.path().join("secrets/public.pem"));
        Api::new(format!("https://127.0.0.1:{}", self.port), Some(trusted), None)
    }

    /// The process that a service's container is made around.
    pub fn process(&self, service: &str) -> Option<Process> {
        Process::of(self.state(service, "Pid")?.parse().ok().filter(|pid| *pid != 0)?)
    }

    /// What Docker knows about the state of a service's container.
    pub fn state(&self, service: &str, field: &str) -> Option<String> {
        let format = format!("{{{{.State.{field}}}}}");
        self.engine.try_docker(&["inspect", "--format", &format, &self.container(service)]).ok()
    }

    /// What a program in a service's container prints, or says against it.
    pub fn run_in(&self, service: &str, command: &[&str]) -> Result<String, String> {
        self.engine.try_docker(&[&["exec", &*self.container(service)], command].concat())
    }

    fn container(&self, service: &str) -> String {
        format!("{}_{service}_1", self.name)
    }
}
