//! Why a plugin ends, other than by being asked.

use std::io;
use std::time::Duration;

use rustix::process::Pid;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

/// How often a plugin looks whether its host is still there.
const PARENT_WATCH: Duration = Duration::from_secs(1);

/// Ends on SIGTERM, and when the host is gone.
///
/// From the first call on SIGINT is ignored: Ctrl-C in a terminal reaches the plugins too, and ending them is the host's
/// business.
pub(crate) fn asked_from_outside() -> io::Result<impl Future<Output = ()>> {
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    // Asked before the host is greeted: it may be gone right after.
    let parent = rustix::process::getppid();
    tokio::spawn(async move { while interrupts.recv().await.is_some() {} });
    Ok(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            () = orphaned_by(parent) => {}
        }
    })
}

/// Ends when this process has another parent than it had.
async fn orphaned_by(parent: Option<Pid>) {
    while rustix::process::getppid() == parent {
        sleep(PARENT_WATCH).await;
    }
}

/// A stream without messages that stays open until `stop`.
pub(crate) fn silent_until<T: Send + 'static>(stop: CancellationToken) -> ReceiverStream<Result<T, Status>> {
    let (open, messages) = mpsc::channel(1);
    tokio::spawn(async move {
        tokio::select! { () = stop.cancelled() => {} () = open.closed() => {} }
    });
    ReceiverStream::new(messages)
}
