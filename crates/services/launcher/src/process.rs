use std::{
    ffi::OsString,
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use goplugin::host::{self, Connection, StartError};
use tokio::{
    net::unix::pipe,
    sync::Semaphore,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;
use tonic::Code;
use wire::multiplexing::{MultiplexingSupportRequest, plugin_multiplexing_client::PluginMultiplexingClient};

use crate::{
    Error, Result, artifacts,
    child::{Child, Exit},
    diagnosis::{self, Cause, Observed},
    entry::Entry,
    environment,
    greeting::{Greeting, Manner},
    host::Host,
    image::Image,
    logs::Speaker,
    masks::Masks,
    members::Members,
    offspring,
    runtime_dir::ProcessDir,
    sandbox::{self, Cgroup, Prepared, Surroundings},
    spawn::{Program, SpawnError},
    stderr::Stderr,
};

/// How long what belongs together may come apart: an exit and the end of its pipes, a broken connection and its exit.
pub const MOMENT: Duration = Duration::from_millis(100);

/// So many mounts of a process clean up at a time.
const CLEANUPS: usize = 64;

/// How a process is started.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// How long a start may take.
    pub limit: Duration,
    /// Whether the process may serve several mounts, if it can.
    pub may_share: bool,
    /// Whether it is only asked who it is.
    pub only_asked: bool,
}

/// A running program, with all that has to go when it ends.
#[derive(Debug)]
pub struct Process {
    entry: Arc<Entry>,
    child: Child,
    stderr: Stderr,
    greeting: Greeting,
    dir: ProcessDir,
    cgroup: Option<Cgroup>,
    locks_memory: bool,
}

/// A process that has said who it is, as those see it who call it.
#[derive(Debug)]
pub struct Live {
    /// Whether it serves several mounts.
    pub multiplexed: bool,
    /// The one connection to it.
    pub connection: Connection,
    /// Turns for mounts that end.
    pub cleanups: Semaphore,
    gone: CancellationToken,
    end: OnceLock<String>,
}

impl Live {
    /// Whether it has ended.
    pub fn is_gone(&self) -> bool {
        // Asked by every request: unlike the token this takes no lock.
        self.end.get().is_some()
    }

    /// Ends when it has.
    pub async fn gone(&self) {
        self.gone.cancelled().await;
    }

    /// How it ended, in words that follow its name.
    pub fn how_it_ended(&self) -> String {
        self.end.get().cloned().unwrap_or_else(|| "broke its connection".to_owned())
    }

    /// Says that it has ended, and how.
    pub fn bury(&self, how: impl fmt::Display) {
        let _ = self.end.set(how.to_string());
        self.gone.cancel();
    }
}

/// Reads the program of a plugin from the cache or the catalog, and verifies it. What the cache has is no better than
/// what anybody sends.
pub async fn verify(host: &Host, entry: &Entry) -> Result<Arc<Image>> {
    match verify_once(host, entry).await {
        Err(Error::ChecksumMismatch { .. }) if artifacts::discard(host, entry.sha256).await => {
            tracing::warn!(plugin = %entry, "a plugin was damaged in the cache, and is fetched anew");
            verify_once(host, entry).await
        }
        outcome => outcome,
    }
}

async fn verify_once(host: &Host, entry: &Entry) -> Result<Arc<Image>> {
    let chunks = artifacts::program(host, entry).await?;
    host.images.verify(&entry.to_string(), entry.sha256, host.config.largest_plugin, chunks).await
}

fn does_not_start(entry: &Entry, cause: Cause) -> Error {
    Error::Start { plugin: entry.to_string(), cause: Box::new(cause), masks: Masks::of(entry) }
}

/// Makes the entry's sandbox ready, if it has one. Control groups and folders are opened for it, which blocks.
async fn prepare(
    host: &Host,
    entry: &Arc<Entry>,
    env: &[(OsString, OsString)],
    dir: &ProcessDir,
) -> Result<Option<Prepared>> {
    let Some(sandbox) = entry.sandbox.clone() else { return Ok(None) };
    if sandbox.ids().is_some() {
        host.runtime
            .let_through()
            .map_err(Error::host("let other users pass the folder of plugins' sockets"))?;
    }
    let (offers, folder) = (host.offers.clone(), dir.path().to_owned());
    let (trusted, name) = (environment::trusted(env), dir.number());
    let preparing = tokio::task::spawn_blocking(move || {
        let surroundings = Surroundings { offers: &offers, folder: &folder, trusted, name };
        sandbox::prepare(&sandbox, &surroundings)
    });
    let prepared = preparing.await.map_err(|_| Error::Panicked("sandbox".to_owned()))?;
    prepared.map(Some).map_err(|refusal| does_not_start(entry, Cause::Sandbox(refusal)))
}

impl Process {
    /// Executes a verified program.
    pub async fn spawn(
        host: &Host,
        entry: Arc<Entry>,
        image: Arc<Image>,
        mounts: Arc<Members>,
        manner: Manner,
    ) -> Result<(Self, pipe::Receiver)> {
        let dir = host.runtime.process_dir().map_err(Error::host("make a folder for a plugin's sockets"))?;
        let greeting = Greeting::prepare(host, &entry, manner).await?;
        let env = environment::of(&entry, &host.config, &greeting, &dir);
        let (sandbox, cgroup) = match prepare(host, &entry, &env, &dir).await? {
            Some(prepared) => (Some((prepared.confinement, prepared.reports)), prepared.cgroup),
            None => (None, None),
        };
        let program = Program {
            image: Arc::clone(&image),
            name: entry.program_name().to_owned(),
            args: entry.args.clone(),
            env,
            sandbox,
        };
        let spawned = host.spawner.spawn(program).await.map_err(|error| {
            let cause = match error {
                SpawnError::Sandbox(refusal) => Cause::Sandbox(refusal),
                SpawnError::System(error) => diagnosis::of_exec(error, image.file()),
            };
            does_not_start(&entry, cause)
        })?;
        let speaker = Speaker {
            lines: host.logs.of(&entry),
            version: entry.version.clone(),
            pid: spawned.child.pid(),
            mounts,
        };
        let stderr = Stderr::follow(spawned.stderr, &entry, speaker);
        let locks_memory = environment::locks_memory(&entry, &host.config);
        let process = Self { entry, child: spawned.child, stderr, greeting, dir, cgroup, locks_memory };
        Ok((process, spawned.stdout))
    }

    /// Its number.
    pub const fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// What it writes to its standard error.
    pub fn stderr(&self) -> Stderr {
        self.stderr.clone()
    }

    /// Waits until it has ended. Harmless to cancel.
    pub async fn exited(&self) -> Exit {
        self.child.exited().await
    }

    /// How it ended, if it has.
    pub async fn exit_so_far(&self) -> Option<Exit> {
        timeout(Duration::ZERO, self.exited()).await.ok()
    }

    /// Lets it say who it is, and makes the first call.
    pub async fn greet(&self, stdout: pipe::Receiver, terms: Terms) -> Result<Live> {
        let deadline = Instant::now() + terms.limit;
        let Greeting { security, versions, .. } = &self.greeting;
        let connecting = host::connect(stdout, versions, security, self.dir.path(), deadline);
        let (connection, rest) = match self.unless_it_ends(connecting).await {
            Ok(connected) => connected,
            Err(error) => return Err(self.failed(error, terms.limit).await),
        };
        tokio::spawn(rest.drain());
        let multiplexed = terms.may_share && self.is_multiplexed(&connection, deadline).await?;
        let (cleanups, gone) = (Semaphore::new(CLEANUPS), CancellationToken::new());
        Ok(Live { multiplexed, connection, cleanups, gone, end: OnceLock::new() })
    }

    /// A program may end while something of it holds its output open.
    async fn unless_it_ends<T>(
        &self,
        connecting: impl Future<Output = Result<T, StartError>>,
    ) -> Result<T, StartError> {
        let mut connecting = std::pin::pin!(connecting);
        tokio::select! {
            connected = &mut connecting => connected,
            _ = self.exited() => {
                timeout(MOMENT, connecting).await.unwrap_or(Err(StartError::Silent))
            }
        }
    }

    async fn is_multiplexed(&self, connection: &Connection, deadline: Instant) -> Result<bool> {
        let mut client = PluginMultiplexingClient::new(connection.channel());
        let call = client.multiplexing_support(MultiplexingSupportRequest {});
        match tokio::time::timeout_at(deadline, call).await {
            Ok(Ok(reply)) => Ok(reply.into_inner().supported),
            Ok(Err(status)) if status.code() == Code::Unimplemented => Ok(false),
            Ok(Err(status)) => Err(self.first_call_failed(status.message().to_owned()).await),
            Err(_) => Err(self.first_call_failed("nothing, before its time was over".to_owned()).await),
        }
    }

    async fn failed(&self, error: StartError, limit: Duration) -> Error {
        let exit = timeout(MOMENT, self.exited()).await.ok();
        let said = self.stderr.last_words().await;
        let observed = Observed { exit, limit, locks_memory: self.locks_memory, said };
        self.does_not_start(diagnosis::of_greeting(error, observed))
    }

    async fn first_call_failed(&self, error: String) -> Error {
        let said = self.stderr.last_words().await;
        self.does_not_start(Cause::FirstCall { error, said })
    }

    fn does_not_start(&self, cause: Cause) -> Error {
        does_not_start(&self.entry, cause)
    }

    /// Lets it end by itself until the deadline.
    pub async fn drain(&self, live: &Live, kill_at: Instant) {
        let now = Instant::now();
        let half = now + kill_at.saturating_duration_since(now) / 2;
        let asked = async {
            live.connection.shutdown(half).await;
            let _ = tokio::time::timeout_at(half, self.exited()).await;
            // It does not listen to us; perhaps to the system.
            let _ = self.child.terminate();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            _ = tokio::time::timeout_at(kill_at, self.exited()) => {}
            () = asked => {}
        }
    }

    /// Ends it with all that it started, and removes all that it left.
    pub async fn bury(self) -> Exit {
        let exit = self.child.end().await;
        let mark = environment::mark(&self.dir);
        let (dir, cgroup) = (self.dir, self.cgroup);
        let swept = tokio::task::spawn_blocking(move || {
            offspring::sweep(&mark);
            drop((cgroup, dir));
        });
        let _ = swept.await;
        exit
    }
}
