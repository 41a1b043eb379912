use std::{
    ffi::{CString, OsString},
    io, iter,
    os::fd::OwnedFd,
    process::{Command, Stdio},
    sync::{Arc, mpsc},
    thread,
};

use rustix::process::Pid;
use tokio::{net::unix::pipe, sync::oneshot};

use crate::{
    child::{Child, Newborn},
    image::Image,
    kernel::{Execution, confine},
    offspring,
    sandbox::{Confinement, Refusal, Reports},
};

/// What to start.
#[derive(Debug)]
pub struct Program {
    /// The sealed bytes.
    pub image: Arc<Image>,
    /// What it is told that it is called.
    pub name: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// What it is confined by, and where the child says at what it failed.
    pub sandbox: Option<(Confinement, Reports)>,
}

/// Why there is no child.
#[derive(Debug)]
pub enum SpawnError {
    /// The sandbox could not be entered.
    Sandbox(Refusal),
    /// All else.
    System(io::Error),
}

impl From<io::Error> for SpawnError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// A child and what it writes.
#[derive(Debug)]
pub struct Spawned {
    /// The process.
    pub child: Child,
    /// Its standard output.
    pub stdout: pipe::Receiver,
    /// Its standard error.
    pub stderr: pipe::Receiver,
}

struct Pipes {
    stdout: OwnedFd,
    stderr: OwnedFd,
}

struct Job {
    program: Program,
    done: oneshot::Sender<Result<(Newborn, Pipes), SpawnError>>,
}

/// The thread that starts every child. The kernel ends children with the *thread* that forked them, so it lives as
/// long as any of its handles.
#[derive(Clone, Debug)]
pub struct Spawner(mpsc::Sender<Job>);

impl Spawner {
    /// Starts the thread.
    pub fn start() -> io::Result<Self> {
        let (jobs, todo) = mpsc::channel::<Job>();
        let work = move || {
            for job in todo {
                // Whoever asked may have gone: the child then goes with the answer.
                let _ = job.done.send(spawn(job.program));
            }
        };
        thread::Builder::new().name("spawner".to_owned()).spawn(work)?;
        Ok(Self(jobs))
    }

    /// Starts a child; returns once it executes the program.
    pub async fn spawn(&self, program: Program) -> Result<Spawned, SpawnError> {
        let (done, spawned) = oneshot::channel();
        self.0.send(Job { program, done }).map_err(|_| stopped())?;
        let (newborn, pipes) = spawned.await.map_err(|_| stopped())??;
        let child = Child::watch(newborn)?;
        let stdout = pipe::Receiver::from_owned_fd(pipes.stdout)?;
        let stderr = pipe::Receiver::from_owned_fd(pipes.stderr)?;
        Ok(Spawned { child, stdout, stderr })
    }
}

fn stopped() -> io::Error {
    io::Error::other("the thread that starts plugins has stopped")
}

fn spawn(mut program: Program) -> Result<(Newborn, Pipes), SpawnError> {
    let mut command = Command::new(program.image.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (confinement, reports) = program.sandbox.take().unzip();
    confine(&mut command, execution(&program)?, program.image.inherited(), confinement);
    let forked = offspring::own(|| {
        let child = command.spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        Ok((pid.ok_or(io::ErrorKind::InvalidData)?, child))
    });
    let failed = |source| match reports.as_ref().and_then(Reports::failed) {
        Some(step) => SpawnError::Sandbox(Refusal::Failed { step, source }),
        None => SpawnError::System(source),
    };
    let (newborn, mut child) = forked.map_err(failed)?;
    let pipes = child.stdout.take().zip(child.stderr.take());
    let (stdout, stderr) = pipes.ok_or(io::Error::from(io::ErrorKind::BrokenPipe))?;
    Ok((newborn, Pipes { stdout: stdout.into(), stderr: stderr.into() }))
}

fn execution(program: &Program) -> io::Result<Execution> {
    let args = iter::once(&program.name).chain(&program.args).map(|arg| text(arg.as_bytes().to_vec()));
    let env = program.env.iter().map(|(name, value)| {
        let setting = [name.as_encoded_bytes(), b"=", value.as_encoded_bytes()].concat();
        text(setting)
    });
    let path = text(program.image.path().into_bytes())?;
    Ok(Execution::new(path, args.collect::<io::Result<_>>()?, env.collect::<io::Result<_>>()?))
}

fn text(bytes: Vec<u8>) -> io::Result<CString> {
    let refused =
        |_| io::Error::new(io::ErrorKind::InvalidInput, "arguments and environment cannot hold NUL");
    CString::new(bytes).map_err(refused)
}
