//! From an answering process to its end.

use std::{pin::pin, sync::Arc};

use domain::{Life, News, Reason};
use tokio::time::{Instant, timeout};

use super::{Ask, Supervisor};
use crate::{
    child::Exit,
    process::{Live, MOMENT, Process},
};

impl Supervisor {
    /// Takes care of a running process until it has ended.
    pub(super) async fn live(&mut self, process: Process, live: Arc<Live>) {
        self.chronicle.greeted(live.multiplexed);
        self.answer(|| Ok(Arc::clone(&live)));
        let mut closed = pin!(live.connection.closed());
        loop {
            tokio::select! {
                // Nobody is handed a process that is known to be gone.
                biased;
                _ = process.exited() => break,
                () = &mut closed => {
                    // Those who call it try again for longer than this.
                    let _ = timeout(4 * MOMENT, process.exited()).await;
                    break;
                }
                ask = self.asked.recv() => match ask {
                    Some(Ask::Run { reply, .. }) => {
                        let _ = reply.send(Ok(Arc::clone(&live)));
                    }
                    stop => {
                        self.note_or_stop(stop);
                        return self.drain(process, &live).await;
                    }
                },
            }
        }
        let stderr = process.stderr();
        let exit = bury(process, &live).await;
        let killed = exit == Some(Exit::Signal(libc::SIGKILL));
        let reason = if killed { Reason::Killed } else { Reason::Crashed };
        let how = format!("{}{}", live.how_it_ended(), stderr.last_words().await);
        self.last = format!("its process {how}");
        self.chronicle.enter(News::Ended(reason), &how);
    }

    async fn drain(&self, process: Process, live: &Live) {
        let reason = self.stop_reason();
        self.chronicle.enter(News::StopAsked(reason), "");
        let kill_at = match self.chronicle.life() {
            Life::Draining { kill_at, .. } => Instant::from_std(kill_at),
            _ => Instant::now(),
        };
        process.drain(live, kill_at).await;
        bury(process, live).await;
        self.chronicle.enter(News::Ended(reason), &live.how_it_ended());
    }
}

/// Removes what is left of a process, and says how it ended, if it did before. Those who call it are told first: nobody
/// waits for the clearing up.
async fn bury(process: Process, live: &Live) -> Option<Exit> {
    let exit = process.exit_so_far().await;
    match exit {
        Some(exit) => live.bury(exit),
        None => live.bury("broke its connection"),
    }
    process.bury().await;
    exit
}
