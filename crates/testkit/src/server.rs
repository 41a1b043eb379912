//! A real server: the real program, in a folder of its own.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::ExitStatus;
use std::thread;
use std::time::Duration;

use reqwest::Identity;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::running::Running;
use crate::{Api, Form, Keys, Options, apart, eventually, one, ports, tls};

const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(30);

/// How often a port may turn out to be taken after all.
const ATTEMPTS: usize = 5;

/// A server under test. It ends, and its folder goes, when this is dropped.
#[derive(Debug)]
pub struct Server {
    pub(crate) options: Options,
    pub(crate) running: Vec<Running>,
    port: u16,
    api: Api,
    keys: Option<Keys>,
    // Last: what runs in it has to end first.
    pub(crate) folder: TempDir,
}

impl Server {
    /// An ordinary server, initialised and unsealed.
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    /// A server of another kind, initialised and unsealed.
    pub async fn start_with(options: Options) -> Self {
        let mut server = Self::fresh(options).await;
        server.init(1, 1).await;
        server.unseal().await;
        server
    }

    /// A server in development mode, which initialises itself and has the root token `root`.
    pub async fn dev() -> Self {
        let mut server = Self::fresh(Options { form: Form::Dev, ..Options::default() }).await;
        server.adopt(Keys { shares: Vec::new(), threshold: 0, root: "root".into() });
        server
    }

    /// A server that runs and has not been initialised.
    pub async fn fresh(options: Options) -> Self {
        let folder = TempDir::with_prefix("story-").expect("a temporary folder can be made");
        for name in ["data", "plugins", "tmp"] {
            // Whatever the tester's umask: nobody else may write to a plugin directory.
            let made = DirBuilder::new().mode(0o700).create(folder.path().join(name));
            made.expect("a folder can be made in an empty one");
        }
        if options.tls {
            tls::renew(folder.path());
        }
        let port = ports::free();
        let api = client(&options, folder.path(), port);
        let mut server = Self { options, running: Vec::new(), port, api, keys: None, folder };
        server.run().await;
        server
    }

    /// Initialises it, and keeps the keys.
    pub async fn init(&mut self, shares: usize, threshold: usize) -> &Keys {
        let keys = Keys::init(&self.api, shares, threshold).await;
        self.keys.insert(keys)
    }

    /// Unseals it with the keys that it was initialised with.
    pub async fn unseal(&self) {
        self.keys().unseal(&self.api).await;
    }

    /// The keys that it was initialised with.
    pub fn keys(&self) -> &Keys {
        self.keys.as_ref().expect("this server was initialised")
    }

    /// Takes the keys of somebody else who initialised it.
    pub fn adopt(&mut self, keys: Keys) {
        self.keys = Some(keys);
    }

    /// A client with the root token.
    pub fn api(&self) -> Api {
        self.api.with_token(&self.keys().root)
    }

    /// A client without a token.
    pub fn anonymous(&self) -> Api {
        self.api.clone()
    }

    /// A client without a token that shows a certificate: PEM of it and its key.
    pub fn showing(&self, certificate: &str) -> Api {
        let identity = Identity::from_pem(certificate.as_bytes()).expect("a certificate and its key");
        let trusted = tls::trusted(self.folder.path());
        Api::new(self.api.address().to_owned(), Some(trusted), Some(identity))
    }

    /// Ends it as the kernel does, without a chance to say good-bye.
    pub async fn kill9(&mut self) {
        // All at one instant, the gateway first: nobody is told by one of them that another one is gone.
        for running in self.running.iter().rev() {
            running.signal(Signal::KILL);
        }
        self.end(Signal::KILL).await;
    }

    /// Ends the catalog of services apart, as the kernel does, and leaves the others alone.
    pub async fn kill9_catalog(&mut self) {
        self.running[apart::CATALOG].stop(Signal::KILL, STOP).await;
    }

    /// Starts that catalog again on the same data, and unseals it.
    pub async fn start_catalog_again(&mut self) {
        let folder = self.folder.path();
        self.running[apart::CATALOG] = Running::start(&apart::catalog(folder), &self.options, folder);
        assert!(self.answers().await, "the catalog ended at once:\n{}", self.log());
        self.unseal().await;
    }

    /// Asks it to end, and waits until it has. The last status is the catalog's.
    pub async fn stop(&mut self) -> ExitStatus {
        self.end(Signal::TERM).await
    }

    /// Asks it to end as the terminal does.
    pub async fn interrupt(&mut self) -> ExitStatus {
        self.end(Signal::INT).await
    }

    async fn end(&mut self, signal: Signal) -> ExitStatus {
        let mut last = None;
        // Those above first, so that none of them meets a neighbour that is gone.
        for running in self.running.iter_mut().rev() {
            last = Some(running.stop(signal, STOP).await);
        }
        self.running.clear();
        last.expect("this server ran")
    }

    /// Has other lines in its configuration from its next start on.
    pub fn configure(&mut self, extra: String) {
        self.options.extra = extra;
    }

    /// Starts it again on the same data, after `kill9` or `stop`, and unseals it.
    pub async fn start_again(&mut self) {
        self.start_again_sealed().await;
        self.unseal().await;
    }

    /// Starts it again on the same data, and leaves it sealed.
    pub async fn start_again_sealed(&mut self) {
        assert!(self.running.is_empty(), "it runs still");
        self.run().await;
    }

    /// Stops it, starts it again and unseals it.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    /// Puts another certificate in the place of its listener's, and believes that one only from now on. The server
    /// has to be told.
    pub fn renew_certificate(&mut self) {
        tls::renew(self.folder.path());
        self.api = client(&self.options, self.folder.path(), self.port);
    }

    async fn run(&mut self) {
        for _ in 0..ATTEMPTS {
            self.spawn();
            if self.answers().await {
                return;
            }
            assert!(self.log().contains("in use"), "the server ended at once:\n{}", self.log());
            self.running.clear();
            self.port = ports::free();
            self.api = client(&self.options, self.folder.path(), self.port);
        }
        panic!("{ATTEMPTS} ports in a row were taken");
    }

    fn spawn(&mut self) {
        let folder = self.folder.path();
        let commands = match self.options.form {
            Form::One => vec![one::command(&self.options, folder, self.port)],
            Form::Dev => vec![one::dev(folder, self.port)],
            Form::Apart => apart::commands(&self.options, folder, self.port),
        };
        self.running =
            commands.iter().map(|command| Running::start(command, &self.options, folder)).collect();
    }

    /// Whether it has come to answer; false when it has ended instead.
    async fn answers(&mut self) -> bool {
        let mut up = false;
        eventually(START, "the server answers or ends", async || {
            up = self.api.try_send("GET", "sys/seal-status", None).await.is_ok_and(|answer| answer.is_ok());
            up || self.running.iter_mut().any(|running| running.ended().is_some())
        })
        .await;
        up
    }
}

fn client(options: &Options, folder: &Path, port: u16) -> Api {
    let trusted = options.tls.then(|| tls::trusted(folder));
    Api::new(format!("{}://127.0.0.1:{port}", options.scheme()), trusted, None)
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(60)..];
            eprintln!("the server's last lines:\n{}", tail.join("\n"));
        }
    }
}
