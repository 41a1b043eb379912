use std::sync::Arc;

use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{
    changes::{Change, changes},
    queries, schema,
    verdict::{Verdict, refusal, verdict},
};
use crate::{
    Error, Result, Write,
    group::{self, Jobs, Queue},
};

type Job = group::Job<Outcome>;

/// The way to the one task that writes.
#[derive(Debug)]
pub(super) struct Writer(Queue<Outcome>);

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
    jobs: Jobs<Outcome>,
}

impl Writer {
    pub(super) async fn start(options: &SqliteConnectOptions) -> Result<Self> {
        let mut connection = options.connect().await.map_err(Error::backend)?;
        let epoch = schema::take_over(&mut connection).await.map_err(Error::backend)?;
        let (queue, jobs) = Queue::new();
        tokio::spawn(Task { connection, epoch, jobs }.run());
        Ok(Self(queue))
    }

    pub(super) async fn commit(&self, writes: Vec<Write>) -> Result<()> {
        match self.0.commit(writes).await.unwrap_or(Outcome::Stopped) {
            Outcome::Durable => Ok(()),
            Outcome::Deposed => Err(Error::ReadOnly),
            Outcome::Stopped => Err(Error::Stopped),
            Outcome::Failed { source, .. } => Err(refusal(source)),
        }
    }
}

impl Task {
    /// Writes until the last handle is gone or writing has to end.
    async fn run(mut self) {
        while let Some(group) = self.jobs.gather().await {
            if let Some(end) = self.settle(group).await {
                return self.jobs.refuse(&end).await;
            }
        }
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
}

/// Tells every member how it ended, and gives the outcome back when it ends writing.
fn tell(group: impl IntoIterator<Item = Job>, outcome: Outcome) -> Option<Outcome> {
    for job in group {
        job.tell(outcome.clone());
    }
    matches!(outcome, Outcome::Deposed | Outcome::Stopped).then_some(outcome)
}
