use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{PgConnection, postgres::PgRow};
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};

use super::{
    config::PostgreSqlConfig,
    failure::{Failure, within},
    link::Link,
    statements::{Ask, Statements},
};
use crate::{Error, Result};

/// How long a read waits for one of the connections.
const TURN_PATIENCE: Duration = Duration::from_secs(30);

/// How long an answer may take.
const READ_PATIENCE: Duration = Duration::from_secs(30);

/// How long a database that is lost is waited for.
pub(super) const PATIENCE: Duration = Duration::from_millis(if cfg!(test) { 300 } else { 10_000 });

/// How long it is left alone after it did not answer.
const PAUSE: Duration = Duration::from_millis(100);

/// A connection that nobody used for so long may have been forgotten on the way.
const IDLE: Duration = Duration::from_secs(300);

/// The connections that read. Not sqlx's pool: that one hides why a database is not reached, and asks each connection
/// after each use whether it is still there. A read may be repeated, so it is simply made again by another one.
pub(super) struct Readers {
    link: Arc<Link>,
    turns: Semaphore,
    idle: Mutex<Vec<(PgConnection, Instant)>>,
    most_idle: usize,
}

impl Readers {
    /// As many as the configuration leaves beside the one that writes.
    pub(super) fn new(link: Arc<Link>, config: &PostgreSqlConfig) -> Self {
        let most = config.max_parallel.saturating_sub(1).max(1);
        Self {
            link,
            turns: Semaphore::new(most as usize),
            idle: Mutex::default(),
            most_idle: config.max_idle_connections as usize,
        }
    }

    /// All rows of the answer. The question is put again when its connection turns out to be gone.
    pub(super) async fn rows<'q>(&self, question: impl Fn(&Statements) -> Ask<'q>) -> Result<Vec<PgRow>> {
        let turn = timeout(TURN_PATIENCE, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(Error::Busy) };
        let begun = Instant::now();
        loop {
            match self.try_rows(question(&self.link.statements)).await {
                Err(failure) if failure.is_passing() && begun.elapsed() < PATIENCE => sleep(PAUSE).await,
                answer => return Ok(answer?),
            }
        }
    }

    async fn try_rows(&self, question: Ask<'_>) -> Result<Vec<PgRow>, Failure> {
        let mut connection = match self.waiting() {
            Some(connection) => connection,
            None => self.link.connect().await?,
        };
        // A read that is abandoned takes its connection with it: the answer would be the next one's.
        let answer = within(READ_PATIENCE, question.fetch_all(&mut connection)).await;
        match &answer {
            // What has happened to this one has happened to those that wait, too.
            Err(Failure::Lost(_)) => self.idle().clear(),
            _ => self.keep(connection),
        }
        answer
    }

    // A panic cannot leave the list half changed, so a poisoned lock means nothing.
    fn idle(&self) -> MutexGuard<'_, Vec<(PgConnection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that was used last.
    fn waiting(&self) -> Option<PgConnection> {
        let mut idle = self.idle();
        idle.retain(|(_, since)| since.elapsed() < IDLE);
        idle.pop().map(|(connection, _)| connection)
    }

    fn keep(&self, connection: PgConnection) {
        let mut idle = self.idle();
        if idle.len() < self.most_idle {
            idle.push((connection, Instant::now()));
        }
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("link", &self.link).finish_non_exhaustive()
    }
}
