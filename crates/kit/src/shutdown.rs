//! How a process ends, and how it is told to read its configuration again.

use std::{io, process};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};
use tokio_util::sync::CancellationToken;

/// What the process is told by signals.
#[derive(Clone, Debug)]
pub struct Shutdown {
    token: CancellationToken,
    reloads: watch::Receiver<u64>,
}

impl Shutdown {
    /// Listens: SIGTERM and SIGINT ask to end, a second one ends at once, SIGHUP asks to read the configuration again.
    ///
    /// # Errors
    /// Signals cannot be listened to.
    pub fn on_signals() -> io::Result<Self> {
        let token = CancellationToken::new();
        let (reload, reloads) = watch::channel(0);
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        tokio::spawn(end(token.clone(), terminate, interrupt));
        tokio::spawn(again(signal(SignalKind::hangup())?, reload));
        Ok(Self { token, reloads })
    }

    /// Cancelled when the process is to end.
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Changes with each request to read the configuration again.
    pub fn reloads(&self) -> watch::Receiver<u64> {
        self.reloads.clone()
    }
}

async fn end(token: CancellationToken, mut terminate: Signal, mut interrupt: Signal) {
    let mut either = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    either().await;
    tracing::info!("asked to end; a second signal ends at once");
    token.cancel();
    either().await;
    process::exit(1);
}

async fn again(mut hangup: Signal, reload: watch::Sender<u64>) {
    while hangup.recv().await.is_some() {
        reload.send_modify(|count| *count += 1);
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    #[tokio::test]
    async fn signals_reload_and_then_end_the_process() {
        let shutdown = Shutdown::on_signals().unwrap();
        let mut reloads = shutdown.reloads();
        kill_process(getpid(), Signal::HUP).unwrap();
        reloads.changed().await.unwrap();
        assert!(!shutdown.token().is_cancelled());
        kill_process(getpid(), Signal::TERM).unwrap();
        shutdown.token().cancelled().await;
    }
}
