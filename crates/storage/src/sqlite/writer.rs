use std::sync::Arc;

use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::{
    changes::{Change, changes},
    queries, schema,
    verdict::{Verdict, refusal, verdict},
};
use crate::{Error, Result, Write};

/// Bytes of commits that wait for the writer before senders have to wait themselves.
const QUEUE: usize = 64 << 20;

/// What a commit, and each write of it, takes beside its bytes.
const OVERHEAD: usize = 128;

/// Commits that share one transaction at most.
const GROUP: usize = 256;

/// A transaction takes up no further commit once it has so many bytes.
const GROUP_BYTES: usize = 4 << 20;

/// The way to the one task that writes.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: mpsc::UnboundedSender<Job>,
    /// A permit for each byte that may wait.
    room: Arc<Semaphore>,
}

#[derive(Debug)]
struct Job {
    writes: Vec<Write>,
    size: u32,
    done: oneshot::Sender<Outcome>,
    _room: OwnedSemaphorePermit,
}

/// How a transaction ended.
#[derive(Clone, Debug)]
enum Outcome {
    Durable,
    Deposed,
    Stopped,
    /// It was undone. `whole`: whatever else had been in it, it would have failed.
    Failed {
        source: Arc<sqlx::Error>,
        whole: bool,
    },
}

struct Task {
    connection: SqliteConnection,
    epoch: i64,
    jobs: mpsc::UnboundedReceiver<Job>,
}

/// Commits that will share a transaction.
struct Group {
    jobs: Vec<Job>,
    bytes: usize,
}

impl Group {
    fn of(first: Job) -> Self {
        Self { bytes: first.size as usize, jobs: vec![first] }
    }

    fn push(&mut self, job: Job) {
        self.bytes += job.size as usize;
        self.jobs.push(job);
    }

    fn is_full(&self) -> bool {
        self.jobs.len() >= GROUP || self.bytes >= GROUP_BYTES
    }
}

impl Writer {
    pub(super) async fn start(options: &SqliteConnectOptions) -> Result<Self> {
        let mut connection = options.connect().await.map_err(Error::backend)?;
        let epoch = schema::take_over(&mut connection).await.map_err(Error::backend)?;
        let (sender, jobs) = mpsc::unbounded_channel();
        tokio::spawn(Task { connection, epoch, jobs }.run());
        Ok(Self { jobs: sender, room: Arc::new(Semaphore::new(QUEUE)) })
    }

    pub(super) async fn commit(&self, writes: Vec<Write>) -> Result<()> {
        let size = size_of(&writes);
        let room = self.room.clone().acquire_many_owned(size).await.map_err(|_| Error::Stopped)?;
        let (done, outcome) = oneshot::channel();
        self.jobs.send(Job { writes, size, done, _room: room }).map_err(|_| Error::Stopped)?;
        match outcome.await.unwrap_or(Outcome::Stopped) {
            Outcome::Durable => Ok(()),
            Outcome::Deposed => Err(Error::ReadOnly),
            Outcome::Stopped => Err(Error::Stopped),
            Outcome::Failed { source, .. } => Err(refusal(source)),
        }
    }
}

/// What writes take up in the queue; one commit never takes up more than all of it.
fn size_of(writes: &[Write]) -> u32 {
    let bytes = writes.iter().map(|write| match write {
        Write::Put(key, value) => key.as_str().len() + value.len() + OVERHEAD,
        Write::Delete(key) => key.as_str().len() + OVERHEAD,
    });
    u32::try_from((OVERHEAD + bytes.sum::<usize>()).min(QUEUE)).unwrap_or(u32::MAX)
}

impl Task {
    /// Writes until the last handle is gone or writing has to end.
    async fn run(mut self) {
        while let Some(group) = self.gather().await {
            if let Some(end) = self.settle(group).await {
                return self.refuse(&end).await;
            }
        }
    }

    /// Takes what is queued, never waiting for more.
    async fn gather(&mut self) -> Option<Vec<Job>> {
        let mut group = Group::of(self.jobs.recv().await?);
        while !group.is_full()
            && let Ok(job) = self.jobs.try_recv()
        {
            group.push(job);
        }
        Some(group.jobs)
    }

    /// Commits a group and tells its members. When it failed by one of them, each is tried alone: a bad write harms
    /// only itself. Returns the outcome that ends writing.
    async fn settle(&mut self, group: Vec<Job>) -> Option<Outcome> {
        let outcome = self.commit(&group).await;
        if group.len() == 1 || !matches!(outcome, Outcome::Failed { whole: false, .. }) {
            return tell(group, outcome);
        }
        let mut end = None;
        for job in group {
            let outcome = match &end {
                None => self.commit(std::slice::from_ref(&job)).await,
                Some(end) => Outcome::clone(end),
            };
            end = tell([job], outcome);
        }
        end
    }

    async fn commit(&mut self, group: &[Job]) -> Outcome {
        let changes = changes(group.iter().flat_map(|job| &job.writes));
        match self.apply(&changes).await {
            Ok(true) => Outcome::Durable,
            Ok(false) => Outcome::Deposed,
            Err(error) => self.failed(error).await,
        }
    }

    async fn failed(&mut self, error: sqlx::Error) -> Outcome {
        let verdict = match queries::undo(&mut self.connection).await {
            Ok(()) => verdict(&error),
            Err(_) => Verdict::Unknown,
        };
        // When nobody knows what reached the disk, trying again could hide a loss.
        if verdict == Verdict::Unknown {
            tracing::error!(%error, "storage stops writing: a commit failed");
            return Outcome::Stopped;
        }
        tracing::error!(%error, "a write failed and was undone");
        Outcome::Failed { source: error.into(), whole: verdict == Verdict::Locked }
    }

    /// Makes all changes in one transaction, unless another handle has become the writer: then it says `false`.
    async fn apply(&mut self, changes: &[Change<'_>]) -> sqlx::Result<bool> {
        let connection = &mut self.connection;
        if let [only] = changes {
            // A statement is a transaction of its own. Epochs only grow: one that is still the same was it before.
            let touched = only.execute(connection, self.epoch).await?;
            return Ok(touched > 0 || queries::epoch(connection).await? == self.epoch);
        }
        if queries::begin(connection).await? != self.epoch {
            return Ok(false);
        }
        for change in changes {
            change.execute(connection, self.epoch).await?;
        }
        queries::commit(connection).await.map(|()| true)
    }

    async fn refuse(mut self, end: &Outcome) {
        while let Some(job) = self.jobs.recv().await {
            tell([job], end.clone());
        }
    }
}

/// Tells every member how it ended, and gives the outcome back when it ends writing.
fn tell(group: impl IntoIterator<Item = Job>, outcome: Outcome) -> Option<Outcome> {
    for job in group {
        // Who asked may have gone away; the write stands all the same.
        let _ = job.done.send(outcome.clone());
    }
    matches!(outcome, Outcome::Deposed | Outcome::Stopped).then_some(outcome)
}
