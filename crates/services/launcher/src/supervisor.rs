//! The task that owns a plugin's process. Everybody else holds a [`Supervised`].

use std::{
    mem,
    sync::Arc,
    time::{Duration, SystemTime},
};

use domain::{Life, News, Reason};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep_until, timeout},
};

use crate::{
    Error, Result,
    child::Exit,
    entry::Entry,
    host::Host,
    members::Members,
    process::{Live, MOMENT, Process, Terms, verify},
};

/// A plugin's process, running or not, as everybody but its owner sees it.
#[derive(Debug)]
pub struct Supervised {
    /// Which plugin.
    pub entry: Arc<Entry>,
    /// The mounts that it serves.
    pub members: Arc<Members>,
    asks: mpsc::Sender<Ask>,
    shown: watch::Receiver<Shown>,
}

/// What there is to see of a process.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Where it stands.
    pub life: Life,
    /// Its number, while it has one.
    pub pid: u32,
    /// Since when it has one.
    pub started: Option<SystemTime>,
    /// How often it was started after the first time.
    pub restarts: u32,
    /// Whether it serves several mounts.
    pub multiplexed: bool,
}

enum Ask {
    /// It is needed.
    Run {
        reply: oneshot::Sender<Result<Arc<Live>>>,
    },
    Stop {
        reason: Reason,
        done: oneshot::Sender<()>,
    },
}

impl Supervised {
    /// Begins to take care of a process; it is started when somebody needs it.
    pub fn new(host: Arc<Host>, entry: Arc<Entry>, terms: Terms) -> Self {
        let (asks, asked) = mpsc::channel(64);
        let (show, shown) = watch::channel(Shown {
            life: Life::Absent,
            pid: 0,
            started: None,
            restarts: 0,
            multiplexed: false,
        });
        let members = Arc::new(Members::default());
        let supervisor = Supervisor {
            host,
            entry: Arc::clone(&entry),
            members: Arc::clone(&members),
            terms,
            asked,
            show,
            waiting: Vec::new(),
            stopping: None,
            last: String::new(),
        };
        tokio::spawn(supervisor.run());
        Self { entry, members, asks, shown }
    }

    /// The running process; it is started if need be, once for all who ask.
    pub async fn running(&self) -> Result<Arc<Live>> {
        let (reply, running) = oneshot::channel();
        let stopping = || Error::Stopping { plugin: self.entry.to_string() };
        self.asks.send(Ask::Run { reply }).await.map_err(|_| stopping())?;
        running.await.map_err(|_| stopping())?
    }

    /// Ends the process; returns when nothing of it is left.
    pub async fn stop(&self, reason: Reason) {
        let (done, stopped) = oneshot::channel();
        if self.asks.send(Ask::Stop { reason, done }).await.is_ok() {
            let _ = stopped.await;
        }
    }

    /// What there is to see now.
    pub fn shown(&self) -> Shown {
        self.shown.borrow().clone()
    }
}

struct Supervisor {
    host: Arc<Host>,
    entry: Arc<Entry>,
    members: Arc<Members>,
    terms: Terms,
    asked: mpsc::Receiver<Ask>,
    show: watch::Sender<Shown>,
    waiting: Vec<oneshot::Sender<Result<Arc<Live>>>>,
    stopping: Option<Stopping>,
    /// How it ended last, or why it did not start.
    last: String,
}

struct Stopping {
    reason: Reason,
    done: Vec<oneshot::Sender<()>>,
}

impl Supervisor {
    async fn run(mut self) {
        while let Some(ask) = self.asked.recv().await {
            self.note(ask);
            if self.stopping.is_none() && !self.waiting.is_empty() {
                self.serve().await;
            }
            self.finish_stopping();
        }
    }

    fn note(&mut self, ask: Ask) {
        match ask {
            Ask::Run { reply } => self.waiting.push(reply),
            Ask::Stop { reason, done } => match &mut self.stopping {
                Some(stopping) => stopping.done.push(done),
                None => self.stopping = Some(Stopping { reason, done: vec![done] }),
            },
        }
    }

    /// Runs the process for as long as it lives, and again if somebody waits for it by then.
    async fn serve(&mut self) {
        while self.stopping.is_none() && !self.waiting.is_empty() && self.wait_for_pause().await {
            match self.start().await {
                Ok((process, live)) => self.live(process, live).await,
                Err(error) => {
                    self.last = error.to_string();
                    let error = Arc::new(error);
                    self.answer(|| Err(Error::Shared(Arc::clone(&error))));
                }
            }
        }
    }

    /// Waits for the end of a short pause; a longer one is an answer.
    async fn wait_for_pause(&mut self) -> bool {
        let Life::Backoff { until, reason, .. } = self.show.borrow().life else { return true };
        let until = Instant::from_std(until);
        let wait = until.saturating_duration_since(Instant::now());
        if wait > self.patience(reason) {
            let (plugin, last) = (self.entry.to_string(), self.last.clone());
            let wait = Duration::from_secs(wait.as_secs() + 1);
            self.answer(|| Err(Error::Backoff { plugin: plugin.clone(), last: last.clone(), wait }));
            return false;
        }
        self.unless_stopped(sleep_until(until)).await.is_some()
    }

    /// Who ran a moment ago is worth waiting for; who never answered is less so.
    fn patience(&self, reason: Reason) -> Duration {
        let config = &self.host.config;
        match reason {
            Reason::Crashed | Reason::Killed => config.patience,
            _ => config.patience.min(config.pauses.longest_unverified),
        }
    }

    /// From nothing to an answering process.
    async fn start(&mut self) -> Result<(Process, Arc<Live>)> {
        let (host, entry) = (Arc::clone(&self.host), Arc::clone(&self.entry));
        self.enter(News::Wanted, "");
        let image = match self.unless_stopped(verify(&host, &entry)).await {
            Some(Ok(image)) => image,
            Some(Err(error)) => {
                let mismatch = matches!(error, Error::ChecksumMismatch { .. });
                let reason = if mismatch { Reason::ChecksumMismatch } else { Reason::HandshakeFailed };
                return Err(self.failed(reason, error));
            }
            None => return Err(self.stopped()),
        };
        self.enter(News::Verified, "");
        let (process, stdout) = match Process::spawn(&host, entry, image, Arc::clone(&self.members)).await {
            Ok(spawned) => spawned,
            Err(error) => return Err(self.failed(Reason::HandshakeFailed, error)),
        };
        self.show_process(process.pid());
        let greeted = self.unless_stopped(process.greet(stdout, self.terms)).await;
        match greeted {
            Some(Ok(live)) => Ok((process, Arc::new(live))),
            Some(Err(error)) => {
                process.bury().await;
                Err(self.failed(Reason::HandshakeFailed, error))
            }
            None => {
                process.bury().await;
                Err(self.stopped())
            }
        }
    }

    fn failed(&mut self, reason: Reason, error: Error) -> Error {
        self.enter(News::Ended(reason), &error.to_string());
        error
    }

    fn stopped(&mut self) -> Error {
        let reason = self.stopping.as_ref().map_or(Reason::Shutdown, |stopping| stopping.reason);
        self.enter(News::StopAsked(reason), "");
        self.enter(News::Ended(reason), "");
        Error::Stopping { plugin: self.entry.to_string() }
    }

    /// Takes care of a running process until it has ended.
    async fn live(&mut self, process: Process, live: Arc<Live>) {
        self.show.send_modify(|shown| shown.multiplexed = live.multiplexed);
        self.enter(News::Ready, "");
        self.answer(|| Ok(Arc::clone(&live)));
        let closed = live.connection.closed();
        let mut closed = std::pin::pin!(closed);
        loop {
            tokio::select! {
                _ = process.exited() => break,
                () = &mut closed => {
                    let _ = timeout(MOMENT, process.exited()).await;
                    break;
                }
                ask = self.asked.recv() => match ask {
                    Some(Ask::Run { reply }) => {
                        let _ = reply.send(Ok(Arc::clone(&live)));
                    }
                    Some(stop) => {
                        self.note(stop);
                        return self.drain(process, &live).await;
                    }
                    None => {
                        let done = Vec::new();
                        self.stopping = Some(Stopping { reason: Reason::Shutdown, done });
                        return self.drain(process, &live).await;
                    }
                },
            }
        }
        let exit = self.bury(process, &live).await;
        let reason = if exit == Exit::Signal(libc::SIGKILL) { Reason::Killed } else { Reason::Crashed };
        let how = live.how_it_ended();
        self.last = format!("its process {how}");
        self.enter(News::Ended(reason), &how);
    }

    async fn drain(&mut self, process: Process, live: &Live) {
        let reason = self.stopping.as_ref().map_or(Reason::Shutdown, |stopping| stopping.reason);
        self.enter(News::StopAsked(reason), "");
        let kill_at = match self.show.borrow().life {
            Life::Draining { kill_at, .. } => Instant::from_std(kill_at),
            _ => Instant::now(),
        };
        process.drain(live, kill_at).await;
        self.bury(process, live).await;
        self.enter(News::Ended(reason), &live.how_it_ended());
    }

    /// Removes what is left of a process, and tells those who call it that it is gone.
    async fn bury(&mut self, process: Process, live: &Live) -> Exit {
        // Those who call it are told first: nobody waits for the clearing up.
        let exit = timeout(Duration::ZERO, process.exited()).await.ok();
        match exit {
            Some(exit) => live.bury(exit),
            None => live.bury("broke its connection"),
        }
        let killed = process.bury().await;
        exit.unwrap_or(killed)
    }

    /// Waits for something while asks are taken; nothing if the process is asked to stop meanwhile.
    async fn unless_stopped<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Some(done),
                ask = self.asked.recv() => match ask {
                    Some(ask) => self.note(ask),
                    None => self.stopping = Some(Stopping { reason: Reason::Shutdown, done: Vec::new() }),
                },
            }
            if self.stopping.is_some() {
                return None;
            }
        }
    }

    fn answer(&mut self, mut with: impl FnMut() -> Result<Arc<Live>>) {
        for waiting in mem::take(&mut self.waiting) {
            let _ = waiting.send(with());
        }
    }

    fn finish_stopping(&mut self) {
        let Some(stopping) = self.stopping.take() else { return };
        let plugin = self.entry.to_string();
        self.answer(|| Err(Error::Stopping { plugin: plugin.clone() }));
        for done in stopping.done {
            let _ = done.send(());
        }
    }

    fn show_process(&mut self, pid: u32) {
        self.show.send_modify(|shown| {
            shown.restarts += u32::from(shown.started.is_some());
            shown.started = Some(SystemTime::now());
            shown.pid = pid;
        });
    }

    /// Moves the life on; every move is an event.
    fn enter(&mut self, news: News, detail: &str) {
        let now = Instant::now().into_std();
        let pauses = self.host.config.pauses;
        let before = self.show.borrow().life;
        let after = before.after(news, now, &pauses);
        if after == before {
            return;
        }
        let pid = self.show.borrow().pid;
        self.show.send_modify(|shown| {
            shown.life = after;
            if matches!(after, Life::Exited { .. } | Life::Backoff { .. }) {
                shown.pid = 0;
            }
        });
        self.host.journal.record(&self.entry, pid, &after, detail);
    }
}
