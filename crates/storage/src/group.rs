//! Commits that arrive together and share a transaction: one task writes them, in the order in which they came.

#[cfg(feature = "postgresql")]
use std::time::Instant;
use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::Write;

/// Bytes of commits that wait for the writer before senders have to wait themselves.
const QUEUE: usize = 64 << 20;

/// What a commit, and each write of it, takes beside its bytes.
const OVERHEAD: usize = 128;

/// Commits that share one transaction at most.
const GROUP: usize = 256;

/// A transaction takes up no further commit once it has so many bytes.
const GROUP_BYTES: usize = 4 << 20;

/// The way to the one task that writes; `O` is how a commit ends.
#[derive(Debug)]
pub(crate) struct Queue<O> {
    jobs: mpsc::UnboundedSender<Job<O>>,
    /// A permit for each byte that may wait.
    room: Arc<Semaphore>,
}

/// The other end of it, in the hands of that task.
#[derive(Debug)]
pub(crate) struct Jobs<O>(mpsc::UnboundedReceiver<Job<O>>);

/// One commit, and who waits for it.
#[derive(Debug)]
pub(crate) struct Job<O> {
    pub(crate) writes: Vec<Write>,
    /// When it was handed over.
    #[cfg(feature = "postgresql")]
    pub(crate) since: Instant,
    size: u32,
    done: oneshot::Sender<O>,
    _room: OwnedSemaphorePermit,
}

impl<O> Queue<O> {
    /// An empty one, and its other end.
    pub(crate) fn new() -> (Self, Jobs<O>) {
        let (jobs, received) = mpsc::unbounded_channel();
        (Self { jobs, room: Arc::new(Semaphore::new(QUEUE)) }, Jobs(received))
    }

    /// Has writes committed. `None`: there is nobody any more who would.
    pub(crate) async fn commit(&self, writes: Vec<Write>) -> Option<O> {
        let size = size_of(&writes);
        let room = self.room.clone().acquire_many_owned(size).await.ok()?;
        let (done, outcome) = oneshot::channel();
        let job = Job {
            writes,
            #[cfg(feature = "postgresql")]
            since: Instant::now(),
            size,
            done,
            _room: room,
        };
        self.jobs.send(job).ok()?;
        outcome.await.ok()
    }
}

/// What writes take up in the queue; one commit never takes up more than all of it.
fn size_of(writes: &[Write]) -> u32 {
    let bytes = writes.iter().map(|write| match write {
        Write::Put(key, value) => key.as_str().len() + value.len() + OVERHEAD,
        Write::Delete(key) => key.as_str().len() + OVERHEAD,
    });
    u32::try_from((OVERHEAD + bytes.sum::<usize>()).min(QUEUE)).unwrap_or(u32::MAX)
}

impl<O> Jobs<O> {
    /// Waits for a first one and takes what is queued behind it, never waiting for more. `None`: the last handle is
    /// gone. Nothing is lost when nobody waits for this any longer.
    pub(crate) async fn gather(&mut self) -> Option<Vec<Job<O>>> {
        let first = self.0.recv().await?;
        let mut bytes = first.size as usize;
        let mut group = vec![first];
        while group.len() < GROUP
            && bytes < GROUP_BYTES
            && let Ok(job) = self.0.try_recv()
        {
            bytes += job.size as usize;
            group.push(job);
        }
        Some(group)
    }
}

impl<O: Clone> Jobs<O> {
    /// Tells everybody who comes from now on the same.
    pub(crate) async fn refuse(mut self, end: &O) {
        while let Some(job) = self.0.recv().await {
            job.tell(end.clone());
        }
    }
}

impl<O> Job<O> {
    /// Tells how it ended.
    pub(crate) fn tell(self, outcome: O) {
        // Who asked may have gone away; the write stands all the same.
        let _ = self.done.send(outcome);
    }
}

/// What these writes do together, by key: only the last write of each shows in the end.
pub(crate) fn merged<'w>(writes: impl Iterator<Item = &'w Write>) -> BTreeMap<&'w str, Option<&'w Bytes>> {
    let parts = |write: &'w Write| match write {
        Write::Put(key, value) => (key.as_str(), Some(value)),
        Write::Delete(key) => (key.as_str(), None),
    };
    writes.map(parts).collect()
}
