//! A plugin's process, running or not, as everybody but its owner sees it.

use std::sync::Arc;

use domain::Reason;
use tokio::sync::{mpsc, oneshot, watch};
use wire::Errand;

use crate::{
    Error, Result,
    chronicle::{Chronicle, Shown},
    entry::Entry,
    host::Host,
    members::Members,
    process::{Live, Terms},
    supervisor::{Ask, Supervisor},
};

/// A handle to the task that owns the process. The process ends with the last of them.
#[derive(Debug)]
pub struct Supervised {
    /// Which plugin.
    pub entry: Arc<Entry>,
    /// The mounts that it serves.
    pub members: Arc<Members>,
    asks: mpsc::Sender<Ask>,
    shown: watch::Receiver<Shown>,
}

impl Supervised {
    /// Begins to take care of a process; it is started when somebody needs it.
    pub fn new(host: Arc<Host>, entry: Arc<Entry>, terms: Terms) -> Self {
        let (asks, asked) = mpsc::channel(64);
        let (chronicle, shown) = Chronicle::begin(Arc::clone(&host), Arc::clone(&entry));
        let members = Arc::new(Members::default());
        tokio::spawn(Supervisor::new(host, Arc::clone(&members), terms, asked, chronicle).run());
        Self { entry, members, asks, shown }
    }

    /// The running process; it is started if need be, once for all who ask.
    pub async fn running(&self) -> Result<Arc<Live>> {
        let (reply, running) = oneshot::channel();
        let errand = Errand::at_hand();
        let stopping = || Error::Stopping { plugin: self.entry.to_string() };
        self.asks.send(Ask::Run { reply, errand }).await.map_err(|_| stopping())?;
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
