use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::PgConnection;
use tokio::{sync::watch, time::sleep};
use uuid::Uuid;

use super::{
    failure::{Failure, within},
    link::Link,
    readers::PATIENCE,
    session,
    statements::Changes,
};
use crate::{
    Error, Result, Write,
    group::{self, Jobs, Queue},
};

type Job = group::Job<Outcome>;

/// How long a transaction may take.
const WRITE_PATIENCE: Duration = Duration::from_secs(60);

/// How long a write is tried whose connection was lost under way: longer than another one, because until the database
/// is back nobody can say whether it took place.
const DOUBT_PATIENCE: Duration = PATIENCE.saturating_mul(6);

/// How long the database is left alone after it did not answer, at first and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(2)];

/// The way to the one task that writes.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Queue<Outcome>,
    /// Whether a lost connection may still be writing.
    doubt: watch::Receiver<bool>,
}

/// How a transaction ended.
#[derive(Clone, Debug)]
enum Outcome {
    Durable,
    Deposed,
    Failed(Failure),
}

struct Task {
    link: Arc<Link>,
    /// By which this handle is known from others.
    owner: String,
    turn: Option<Turn>,
    jobs: Jobs<Outcome>,
    doubt: watch::Sender<bool>,
    pause: Duration,
}

/// A connection that may write until another one has the next epoch.
struct Turn {
    connection: PgConnection,
    epoch: i64,
}

impl Writer {
    /// Takes over writing.
    pub(super) async fn start(link: Arc<Link>, make: bool) -> Result<Self> {
        let owner = Uuid::new_v4().to_string();
        let mut connection = link.connect().await?;
        let epoch =
            session::open(&mut connection, &link.tables, make, &owner).await.map_err(Failure::from)?;
        let (queue, jobs) = Queue::new();
        let (sender, doubt) = watch::channel(false);
        let turn = Some(Turn { connection, epoch });
        tokio::spawn(Task { link, owner, turn, jobs, doubt: sender, pause: PAUSES[0] }.run());
        Ok(Self { queue, doubt })
    }

    pub(super) async fn commit(&self, writes: Vec<Write>) -> Result<()> {
        match self.queue.commit(writes).await {
            Some(Outcome::Durable) => Ok(()),
            Some(Outcome::Deposed) => Err(Error::ReadOnly),
            Some(Outcome::Failed(failure)) => Err(failure.into()),
            None => Err(Error::Stopped),
        }
    }

    /// Waits until nothing is written any more that somebody was told has failed: what was read before that could
    /// change afterwards.
    pub(super) async fn settled(&self) -> Result<()> {
        let mut doubt = self.doubt.clone();
        let settled = tokio::time::timeout(PATIENCE, doubt.wait_for(|doubt| !doubt)).await;
        settled.map(drop).map_err(|_| Failure::in_doubt().into())
    }
}

impl Task {
    /// Writes until the last handle is gone or another one has taken over.
    async fn run(mut self) {
        while let Some(group) = self.next().await {
            if self.settle(group).await {
                return self.jobs.refuse(&Outcome::Deposed).await;
            }
        }
    }

    /// The next commits. A lost connection is made anew while there are none.
    async fn next(&mut self) -> Option<Vec<Job>> {
        loop {
            if self.turn.is_some() {
                return self.jobs.gather().await;
            }
            tokio::select! {
                biased;
                group = self.jobs.gather() => return group,
                () = sleep(self.pause) => {}
            }
            match self.take_turn().await {
                // Whoever writes next is told.
                Ok(false) => return self.jobs.gather().await,
                Ok(true) => {}
                Err(_) => self.pause = longer(self.pause),
            }
        }
    }

    /// Commits a group and tells its members. When it failed by one of them, each is tried alone: a bad write harms
    /// only itself. Says whether that was the end of writing.
    async fn settle(&mut self, group: Vec<Job>) -> bool {
        let outcome = self.commit(&group).await;
        let theirs = matches!(outcome, Outcome::Failed(Failure::Refused(_) | Failure::Full(_)));
        if group.len() == 1 || !theirs {
            let deposed = matches!(outcome, Outcome::Deposed);
            group.into_iter().for_each(|job| job.tell(outcome.clone()));
            return deposed;
        }
        for job in group {
            let outcome = self.commit(std::slice::from_ref(&job)).await;
            let deposed = matches!(outcome, Outcome::Deposed);
            job.tell(outcome);
            if deposed {
                return true;
            }
        }
        false
    }

    /// Tries until it is known how it ended, or for as long as somebody may be kept waiting.
    ///
    /// To try again is safe, though an earlier try may have been a success. Nothing else is written in between, by
    /// this handle for it is the only task, by the lost connection for its epoch has passed, and by another handle for
    /// then this one is deposed.
    async fn commit(&mut self, group: &[Job]) -> Outcome {
        let changes = Changes::of(group.iter().flat_map(|job| &job.writes));
        let since = group.first().map_or_else(Instant::now, |job| job.since);
        let mut patience = PATIENCE;
        loop {
            let failure = match self.attempt(&changes).await {
                Ok(true) => return Outcome::Durable,
                Ok(false) => return Outcome::Deposed,
                Err(failure) => failure,
            };
            match failure {
                Failure::Lost(_) => patience = DOUBT_PATIENCE,
                Failure::Unreached(_) | Failure::Again(_) => {}
                Failure::Full(_) | Failure::Refused(_) => return failed(failure),
            }
            if since.elapsed() + self.pause > patience {
                return failed(failure);
            }
            sleep(self.pause).await;
            self.pause = longer(self.pause);
        }
    }

    /// Makes all changes in one transaction, unless another handle has become the writer: then it says `false`.
    async fn attempt(&mut self, changes: &Changes<'_>) -> Result<bool, Failure> {
        if self.turn.is_none() && !self.take_turn().await? {
            return Ok(false);
        }
        let Some(Turn { connection, epoch }) = &mut self.turn else { return Ok(false) };
        let write = self.link.statements.write(connection, *epoch, changes);
        let written = within(WRITE_PATIENCE, write).await;
        match &written {
            Ok(_) => self.pause = PAUSES[0],
            Err(Failure::Lost(why)) => {
                self.link.is_lost(why);
                self.turn = None;
                self.doubt.send_replace(true);
            }
            Err(_) => {}
        }
        written
    }

    /// Connects anew, in the next epoch: whatever the lost connection has begun is over by then, and it begins nothing
    /// more. Says `false` when another handle has taken over, which ended it as well.
    async fn take_turn(&mut self) -> Result<bool, Failure> {
        let mut connection = self.link.connect().await?;
        let again = session::again(&mut connection, &self.link.statements, &self.owner);
        let epoch = within(WRITE_PATIENCE, again).await.map_err(Failure::unreached)?;
        self.doubt.send_replace(false);
        self.turn = epoch.map(|epoch| Turn { connection, epoch });
        Ok(self.turn.is_some())
    }
}

fn failed(failure: Failure) -> Outcome {
    tracing::error!(why = %failure.why(), "a write failed");
    Outcome::Failed(failure)
}

fn longer(pause: Duration) -> Duration {
    PAUSES[1].min(pause * 2)
}
