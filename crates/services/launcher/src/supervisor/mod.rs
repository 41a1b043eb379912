//! The task that owns a plugin's process. Everybody else holds a [`Supervised`](crate::supervised::Supervised).

mod running;
mod starting;

use std::{mem, sync::Arc};

use domain::{Life, Reason};
use tokio::sync::{mpsc, oneshot};
use wire::{Belonging, Errand};

use crate::{
    Error, Result,
    chronicle::Chronicle,
    host::Host,
    members::Members,
    process::{Live, Terms},
};

type Running = oneshot::Sender<Result<Arc<Live>>>;

/// What the owner is asked.
#[derive(Debug)]
pub enum Ask {
    /// It is needed.
    Run {
        /// The process, or why there is none.
        reply: Running,
        /// For what.
        errand: Errand,
    },
    /// It shall end.
    Stop {
        /// Why.
        reason: Reason,
        /// Nothing of it is left.
        done: oneshot::Sender<()>,
    },
}

/// The owner.
pub struct Supervisor {
    host: Arc<Host>,
    members: Arc<Members>,
    terms: Terms,
    asked: mpsc::Receiver<Ask>,
    chronicle: Chronicle,
    waiting: Vec<Running>,
    /// What the one who waits longest needs it for.
    errand: Errand,
    stopping: Option<Stopping>,
    /// How it ended last, or why it did not start.
    last: String,
}

struct Stopping {
    reason: Reason,
    done: Vec<oneshot::Sender<()>>,
}

impl Supervisor {
    /// The owner of a process that was never started.
    pub fn new(
        host: Arc<Host>,
        members: Arc<Members>,
        terms: Terms,
        asked: mpsc::Receiver<Ask>,
        chronicle: Chronicle,
    ) -> Self {
        Self {
            host,
            members,
            terms,
            asked,
            chronicle,
            waiting: Vec::new(),
            errand: Errand::default(),
            stopping: None,
            last: String::new(),
        }
    }

    /// Does as asked until nobody is left who could ask.
    pub async fn run(mut self) {
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
            Ask::Run { reply, .. } if self.is_on_trial() => {
                let (plugin, last) = (self.plugin(), self.last.clone());
                let _ = reply.send(Err(Error::OnTrial { plugin, last }));
            }
            Ask::Run { reply, errand } => {
                if self.waiting.is_empty() {
                    self.errand = errand;
                }
                self.waiting.push(reply);
            }
            Ask::Stop { reason, done } => match &mut self.stopping {
                Some(stopping) => stopping.done.push(done),
                None => self.stopping = Some(Stopping { reason, done: vec![done] }),
            },
        }
    }

    /// Whether one who asks tries by now whether a plugin that failed too often has become well.
    fn is_on_trial(&self) -> bool {
        let life = self.chronicle.life();
        let begins = matches!(life, Life::Verifying { .. } | Life::Starting { .. });
        begins && !self.waiting.is_empty() && self.host.config.pauses.is_open(life.strikes())
    }

    /// Takes what was asked; that nobody is left is to be taken as an ask to end.
    fn note_or_stop(&mut self, ask: Option<Ask>) {
        match ask {
            Some(ask) => self.note(ask),
            None => self.stopping = Some(Stopping { reason: Reason::Shutdown, done: Vec::new() }),
        }
    }

    /// Runs the process for as long as it lives, and again if somebody waits for it by then.
    async fn serve(&mut self) {
        while self.stopping.is_none() && !self.waiting.is_empty() && self.wait_for_pause().await {
            let errand = self.errand.clone();
            match self.start().on(errand).await {
                Ok((process, live)) => self.live(process, live).await,
                Err(error) if !self.is_tried_again() => self.refuse(error),
                Err(_) => {}
            }
        }
    }

    /// Whether those who wait are not told of a failed start: somebody else killed it, and that may happen.
    fn is_tried_again(&self) -> bool {
        matches!(self.chronicle.life(), Life::Exited { reason: Reason::Killed, .. })
    }

    fn refuse(&mut self, error: Error) {
        self.last = error.to_string();
        let error = Arc::new(error);
        self.answer(|| Err(Error::Shared(Arc::clone(&error))));
    }

    /// Waits for something while asks are taken; nothing if the process is asked to stop meanwhile.
    async fn unless_stopped<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Some(done),
                ask = self.asked.recv() => self.note_or_stop(ask),
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

    fn plugin(&self) -> String {
        self.chronicle.entry().to_string()
    }

    fn stop_reason(&self) -> Reason {
        self.stopping.as_ref().map_or(Reason::Shutdown, |stopping| stopping.reason)
    }

    fn finish_stopping(&mut self) {
        let Some(stopping) = self.stopping.take() else { return };
        let plugin = self.plugin();
        self.answer(|| Err(Error::Stopping { plugin: plugin.clone() }));
        for done in stopping.done {
            let _ = done.send(());
        }
    }
}
