use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::output::Output;

/// Records that may wait for a device.
const QUEUE: usize = 4096;
/// Their bytes together. One record may be larger.
const BYTES: usize = 64 << 20;
/// Records that are written together.
const AT_ONCE: usize = 128;

/// What became of a record: why it is not written, if it is not.
pub(crate) type Outcome = Result<(), Arc<str>>;

enum Job {
    Write(Bytes, oneshot::Sender<Outcome>),
    Reopen,
}

/// A device's thread, and what waits for it. The thread ends when nobody can ask it any more.
pub(crate) struct Sink {
    jobs: mpsc::Sender<Job>,
    waiting: Arc<AtomicUsize>,
}

impl Sink {
    pub(crate) fn start(device: &str, output: Box<dyn Output>) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let waiting = Arc::new(AtomicUsize::new(0));
        let writer = Writer { device: device.to_owned(), output, waiting: waiting.clone(), failing: false };
        thread::Builder::new().name("audit".to_owned()).spawn(move || writer.run(queue))?;
        Ok(Self { jobs, waiting })
    }

    /// Hands a record over. Whoever does not wait for the outcome changes nothing about it.
    pub(crate) fn write(&self, record: Bytes) -> oneshot::Receiver<Outcome> {
        let (done, outcome) = oneshot::channel();
        let length = record.len();
        let before = self.waiting.fetch_add(length, Ordering::Relaxed);
        let full = before > 0 && before.saturating_add(length) > BYTES;
        let job = Job::Write(record, done);
        let refused =
            if full { Some(job) } else { self.jobs.try_send(job).err().map(|error| error.into_inner()) };
        if let Some(Job::Write(_, done)) = refused {
            self.waiting.fetch_sub(length, Ordering::Relaxed);
            // Whoever asked may have gone.
            let _ = done.send(Err("too much waits to be written".into()));
        }
        outcome
    }

    pub(crate) fn reopen(&self) {
        // With a full queue the device is in trouble, and is opened again anyway.
        let _ = self.jobs.try_send(Job::Reopen);
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("waiting", &self.waiting).finish_non_exhaustive()
    }
}

struct Writer {
    device: String,
    output: Box<dyn Output>,
    waiting: Arc<AtomicUsize>,
    failing: bool,
}

impl Writer {
    fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut jobs = Vec::with_capacity(AT_ONCE);
        while queue.blocking_recv_many(&mut jobs, AT_ONCE) > 0 {
            let (mut records, mut waiters) = (Vec::new(), Vec::new());
            for job in jobs.drain(..) {
                match job {
                    Job::Write(record, done) => {
                        records.push(record);
                        waiters.push(done);
                    }
                    Job::Reopen => {
                        self.write(&mut records, &mut waiters);
                        self.output.reopen();
                    }
                }
            }
            self.write(&mut records, &mut waiters);
        }
    }

    fn write(&mut self, records: &mut Vec<Bytes>, waiters: &mut Vec<oneshot::Sender<Outcome>>) {
        if records.is_empty() {
            return;
        }
        let outcome: Outcome = self.output.write(records).map_err(|error| error.to_string().into());
        self.tell(&outcome);
        self.waiting.fetch_sub(records.iter().map(Bytes::len).sum(), Ordering::Relaxed);
        records.clear();
        for done in waiters.drain(..) {
            // Whoever asked may have gone.
            let _ = done.send(outcome.clone());
        }
    }

    /// Once when it begins to fail and once when it writes again, not for each record.
    fn tell(&mut self, outcome: &Outcome) {
        match outcome {
            Err(error) if !self.failing => {
                tracing::error!(device = self.device, %error, "an audit device does not write");
            }
            Ok(()) if self.failing => tracing::info!(device = self.device, "an audit device writes again"),
            _ => {}
        }
        self.failing = outcome.is_err();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc as std_mpsc};

    use super::*;
    use crate::error::Unfit;

    /// Waits for permission, then notes how many records came together.
    struct Gated {
        permission: std_mpsc::Receiver<bool>,
        seen: Arc<Mutex<Vec<usize>>>,
    }

    impl Output for Gated {
        fn write(&mut self, records: &[Bytes]) -> Result<(), Unfit> {
            let good = self.permission.recv().unwrap_or(false);
            self.seen.lock().unwrap().push(records.len());
            if good { Ok(()) } else { Err(io::Error::other("the disk is full").into()) }
        }
    }

    fn gated() -> (Sink, std_mpsc::Sender<bool>, Arc<Mutex<Vec<usize>>>) {
        let (allow, permission) = std_mpsc::channel();
        let seen = Arc::new(Mutex::default());
        let sink = Sink::start("test/", Box::new(Gated { permission, seen: seen.clone() })).unwrap();
        (sink, allow, seen)
    }

    #[tokio::test]
    async fn records_that_wait_are_written_together_and_each_is_answered() {
        let (sink, allow, seen) = gated();
        let all: Vec<_> = (0..50).map(|_| sink.write("x\n".into())).collect();
        for _ in 0..50 {
            allow.send(true).unwrap();
        }
        for outcome in all {
            assert_eq!(outcome.await.unwrap(), Ok(()));
        }
        let seen = seen.lock().unwrap();
        assert_eq!(seen.iter().sum::<usize>(), 50);
        assert!(seen.len() < 50, "{seen:?}");
        assert_eq!(sink.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_device_that_fails_says_why_and_may_come_back() {
        let (sink, allow, _) = gated();
        allow.send(false).unwrap();
        assert_eq!(sink.write("x\n".into()).await.unwrap().unwrap_err().as_ref(), "the disk is full");
        allow.send(true).unwrap();
        assert_eq!(sink.write("x\n".into()).await.unwrap(), Ok(()));
    }

    #[tokio::test]
    async fn what_waits_for_a_device_that_hangs_is_bounded() {
        let (sink, allow, _) = gated();
        let large = Bytes::from(vec![b'x'; 40 << 20]);
        let first = sink.write(large.clone());
        assert!(sink.write(large).await.unwrap().is_err());
        let small: Vec<_> = (0..QUEUE + 200).map(|_| sink.write("x\n".into())).collect();
        let last = small.into_iter().next_back().unwrap();
        assert!(last.await.unwrap().is_err());
        allow.send(true).unwrap();
        assert_eq!(first.await.unwrap(), Ok(()));
    }
}
