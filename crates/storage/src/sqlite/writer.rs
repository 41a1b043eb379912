use std::sync::Arc;

use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{mpsc, oneshot};

use super::{queries, schema};
use crate::{Error, Result, Write};

/// Commits that wait for the writer before senders have to wait themselves.
const QUEUE: usize = 1024;

/// Commits that share one transaction at most.
const GROUP: usize = 256;

/// The way to the one task that writes.
#[derive(Debug)]
pub(super) struct Writer(mpsc::Sender<Job>);

#[derive(Debug)]
struct Job {
    writes: Vec<Write>,
    done: oneshot::Sender<Outcome>,
}

/// How a transaction ended; the same for every commit in it.
#[derive(Clone, Debug)]
enum Outcome {
    Durable,
    Deposed,
    Stopped,
    Failed(Arc<sqlx::Error>),
}

struct Task {
    connection: SqliteConnection,
    epoch: i64,
    jobs: mpsc::Receiver<Job>,
}

impl Writer {
    pub(super) async fn start(options: &SqliteConnectOptions) -> Result<Self> {
        let mut connection = options.connect().await.map_err(Error::backend)?;
        let epoch = schema::take_over(&mut connection).await.map_err(Error::backend)?;
        let (sender, jobs) = mpsc::channel(QUEUE);
        tokio::spawn(Task { connection, epoch, jobs }.run());
        Ok(Self(sender))
    }

    pub(super) async fn commit(&self, writes: Vec<Write>) -> Result<()> {
        let (done, outcome) = oneshot::channel();
        self.0.send(Job { writes, done }).await.map_err(|_| Error::Stopped)?;
        match outcome.await.unwrap_or(Outcome::Stopped) {
            Outcome::Durable => Ok(()),
            Outcome::Deposed => Err(Error::ReadOnly),
            Outcome::Stopped => Err(Error::Stopped),
            Outcome::Failed(source) => Err(Error::backend(source)),
        }
    }
}

impl Task {
    /// Takes what is queued, never waiting for more, until the last handle is gone or writing has to end.
    async fn run(mut self) {
        let mut group = Vec::new();
        while self.jobs.recv_many(&mut group, GROUP).await > 0 {
            let outcome = self.commit(&group).await;
            for job in group.drain(..) {
                // Who asked may have gone away; the write stands all the same.
                let _ = job.done.send(outcome.clone());
            }
            match outcome {
                Outcome::Durable => {}
                Outcome::Failed(error) => tracing::error!(%error, "a write failed and was undone"),
                end @ (Outcome::Deposed | Outcome::Stopped) => return self.refuse(&end).await,
            }
        }
    }

    async fn commit(&mut self, group: &[Job]) -> Outcome {
        let mut transaction = match self.connection.begin_with("BEGIN IMMEDIATE").await {
            Ok(transaction) => transaction,
            Err(error) => return Outcome::Failed(error.into()),
        };
        match apply(&mut transaction, self.epoch, group).await {
            Ok(true) => {}
            // Dropping the transaction undoes it.
            Ok(false) => return Outcome::Deposed,
            Err(error) => return Outcome::Failed(error.into()),
        }
        match transaction.commit().await {
            Ok(()) => Outcome::Durable,
            // What reached the disk is unknown now; trying again could hide a loss.
            Err(error) => {
                tracing::error!(%error, "storage stops writing: a commit failed");
                Outcome::Stopped
            }
        }
    }

    async fn refuse(mut self, end: &Outcome) {
        while let Some(job) = self.jobs.recv().await {
            let _ = job.done.send(end.clone());
        }
    }
}

/// Writes all of it, unless another handle has become the writer: then it says `false`.
async fn apply(connection: &mut SqliteConnection, epoch: i64, group: &[Job]) -> sqlx::Result<bool> {
    if queries::epoch(connection).await? != epoch {
        return Ok(false);
    }
    queries::apply(connection, group.iter().flat_map(|job| &job.writes)).await?;
    Ok(true)
}
