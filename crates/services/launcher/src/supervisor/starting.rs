//! From nothing to an answering process.

use std::{sync::Arc, time::Duration};

use domain::{Life, News, Reason};
use spans::{Attribute, Failed, Phase, Span, Work};
use tokio::time::{Instant, sleep_until};

use super::Supervisor;
use crate::{
    Error, Result,
    child::Exit,
    greeting::Manner,
    process::{Live, Process, verify},
};

impl Supervisor {
    /// Waits for the end of a short pause; a longer one is an answer.
    pub(super) async fn wait_for_pause(&mut self) -> bool {
        let life = self.chronicle.life();
        let Life::Backoff { until, reason, .. } = life else { return true };
        let until = Instant::from_std(until);
        let wait = until.saturating_duration_since(Instant::now());
        let open = self.host.config.pauses.is_open(life.strikes());
        if wait > self.patience(reason, open) {
            let (plugin, last) = (self.plugin(), self.last.clone());
            let wait = Duration::from_secs(wait.as_secs() + 1);
            self.answer(|| Err(Error::Backoff { plugin: plugin.clone(), last: last.clone(), wait }));
            return false;
        }
        self.unless_stopped(sleep_until(until)).await.is_some()
    }

    /// Who ran a moment ago is worth waiting for; who never answered is less so, and who fails again and again not at
    /// all.
    fn patience(&self, reason: Reason, open: bool) -> Duration {
        let config = &self.host.config;
        match reason {
            Reason::Crashed | Reason::HandshakeFailed if open => Duration::ZERO,
            Reason::Crashed | Reason::Killed => config.patience,
            _ => config.patience.min(config.pauses.longest_blameless),
        }
    }

    /// Starts it, as a part of the work of the one who waits longest.
    pub(super) async fn start(&mut self) -> Result<(Process, Arc<Live>)> {
        let span = Span::begin(&Work::Start);
        let entry = self.chronicle.entry();
        span.tell(Attribute::Plugin(&entry.name));
        span.tell(Attribute::Version(&entry.version));
        let started = span.around(self.try_start()).await;
        if let Err(error) = &started {
            span.fail(Failed::Kind(error.kind()));
        }
        started
    }

    async fn try_start(&mut self) -> Result<(Process, Arc<Live>)> {
        let (host, entry) = (Arc::clone(&self.host), Arc::clone(self.chronicle.entry()));
        let manner = self.manner();
        self.chronicle.enter(News::Wanted, "");
        let image = match self.unless_stopped(phase(Phase::Verify, verify(&host, &entry))).await {
            Some(Ok(image)) => image,
            Some(Err(error)) => {
                let mismatch = matches!(error, Error::ChecksumMismatch { .. });
                let reason = if mismatch { Reason::ChecksumMismatch } else { Reason::HandshakeFailed };
                return Err(self.failed(reason, error));
            }
            None => return Err(self.stopped()),
        };
        let spawning = Process::spawn(&host, Arc::clone(&entry), image, Arc::clone(&self.members), manner);
        let spawned = phase(Phase::Spawn, spawning).await;
        if let Ok((process, _)) = &spawned {
            self.chronicle.began(process.pid());
        }
        self.chronicle.enter(News::Verified, "");
        let (process, stdout) = spawned.map_err(|error| self.failed(Reason::HandshakeFailed, error))?;
        let greeted = self.unless_stopped(phase(Phase::Handshake, process.greet(stdout, self.terms))).await;
        match greeted {
            Some(Ok(live)) => Ok((process, Arc::new(live))),
            Some(Err(error)) if manner == Manner::Current && error.is_of_an_old_plugin(&entry) => {
                process.bury().await;
                host.old_plugins.add(&entry);
                self.chronicle
                    .enter(News::Misgreeted, "it is an older plugin, and is started again as these are");
                Box::pin(self.start()).await
            }
            Some(Err(error)) => {
                let killed = process.exit_so_far().await == Some(Exit::Signal(libc::SIGKILL));
                process.bury().await;
                let reason = if killed { Reason::Killed } else { Reason::HandshakeFailed };
                Err(self.failed(reason, error))
            }
            None => {
                process.bury().await;
                Err(self.stopped())
            }
        }
    }

    /// Most plugins are of today; the others are remembered.
    fn manner(&self) -> Manner {
        match (self.host.old_plugins.contain(self.chronicle.entry()), self.terms.only_asked) {
            (false, _) => Manner::Current,
            (true, false) => Manner::Older,
            (true, true) => Manner::Metadata,
        }
    }

    fn failed(&self, reason: Reason, error: Error) -> Error {
        self.chronicle.enter(News::Ended(reason), &error.to_string());
        error
    }

    fn stopped(&self) -> Error {
        let reason = self.stop_reason();
        self.chronicle.enter(News::StopAsked(reason), "");
        self.chronicle.enter(News::Ended(reason), "");
        Error::Stopping { plugin: self.plugin() }
    }
}

/// A part of a start.
async fn phase<T>(phase: Phase, work: impl Future<Output = Result<T>>) -> Result<T> {
    let span = Span::begin(&Work::Phase(phase));
    let outcome = span.around(work).await;
    if let Err(error) = &outcome {
        span.fail(Failed::Kind(error.kind()));
    }
    outcome
}
