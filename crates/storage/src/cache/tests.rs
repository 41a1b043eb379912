use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, mpsc, oneshot};

use super::*;
use crate::InMemory;

fn key() -> Key {
    "a".parse().unwrap()
}

/// Storage that stops in every call after having done its work, until the test lets it answer.
struct Stepped {
    below: InMemory,
    done: mpsc::UnboundedSender<oneshot::Sender<()>>,
    reads: AtomicUsize,
}

impl Stepped {
    fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<oneshot::Sender<()>>) {
        let (done, steps) = mpsc::unbounded_channel();
        (Arc::new(Self { below: InMemory::new(), done, reads: AtomicUsize::new(0) }), steps)
    }

    async fn wait(&self) {
        let (go_on, told) = oneshot::channel();
        if self.done.send(go_on).is_ok() {
            told.await.unwrap();
        }
    }
}

#[async_trait]
impl Storage for Stepped {
    async fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let value = self.below.get(key).await;
        self.wait().await;
        value
    }

    async fn page(&self, prefix: &Prefix, after: &str, limit: usize) -> Result<Vec<String>> {
        self.below.page(prefix, after, limit).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<()> {
        self.below.commit(writes).await?;
        self.wait().await;
        Ok(())
    }
}

fn spawn_get(cached: &Arc<Cached>) -> tokio::task::JoinHandle<Option<Bytes>> {
    let cached = cached.clone();
    tokio::spawn(async move { cached.get(&key()).await.unwrap() })
}

fn spawn_put(cached: &Arc<Cached>, value: &'static str) -> tokio::task::JoinHandle<()> {
    let cached = cached.clone();
    tokio::spawn(async move { cached.put(key(), value.into()).await.unwrap() })
}

#[tokio::test]
async fn a_slow_read_does_not_put_an_old_value_back() {
    let (below, mut steps) = Stepped::new();
    let cached = Arc::new(Cached::new(below, 1 << 20));
    let reader = spawn_get(&cached);
    let let_reader_go = steps.recv().await.unwrap();
    let writer = spawn_put(&cached, "new");
    steps.recv().await.unwrap().send(()).unwrap();
    writer.await.unwrap();
    let_reader_go.send(()).unwrap();
    assert_eq!(reader.await.unwrap(), None, "it began before the write");
    assert_eq!(cached.get(&key()).await.unwrap().unwrap(), "new");
}

#[tokio::test]
async fn writers_that_hear_late_of_their_commit_leave_nothing_old_behind() {
    let (below, mut steps) = Stepped::new();
    let cached = Arc::new(Cached::new(below.clone(), 1 << 20));
    let first = spawn_put(&cached, "first");
    let let_first_go = steps.recv().await.unwrap();
    let second = spawn_put(&cached, "second");
    steps.recv().await.unwrap().send(()).unwrap();
    second.await.unwrap();
    let_first_go.send(()).unwrap();
    first.await.unwrap();
    drop(steps);
    assert_eq!(cached.get(&key()).await.unwrap().unwrap(), "second");
}

#[tokio::test]
async fn a_commit_that_nobody_waits_for_still_reaches_the_cache() {
    let (below, mut steps) = Stepped::new();
    let cached = Arc::new(Cached::new(below, 1 << 20));
    let reader = spawn_get(&cached);
    steps.recv().await.unwrap().send(()).unwrap();
    assert_eq!(reader.await.unwrap(), None);
    let writer = spawn_put(&cached, "new");
    let let_writer_go = steps.recv().await.unwrap();
    writer.abort();
    assert!(writer.await.unwrap_err().is_cancelled());
    let_writer_go.send(()).unwrap();
    while cached.shared.writing().contains_key(&key()) {
        tokio::task::yield_now().await;
    }
    drop(steps);
    assert_eq!(cached.get(&key()).await.unwrap().unwrap(), "new");
}

#[tokio::test]
async fn what_was_read_or_written_is_not_read_below_again() {
    let (below, steps) = Stepped::new();
    drop(steps);
    let cached = Cached::new(below.clone(), 1 << 20);
    for _ in 0..3 {
        assert_eq!(cached.get(&key()).await.unwrap(), None);
    }
    assert_eq!(below.reads.load(Ordering::Relaxed), 1, "that there is nothing is known");
    cached.put(key(), "1".into()).await.unwrap();
    assert_eq!(cached.get(&key()).await.unwrap().unwrap(), "1");
    cached.delete(key()).await.unwrap();
    assert_eq!(cached.get(&key()).await.unwrap(), None);
    assert_eq!(below.reads.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn large_values_pass_by() {
    let cached = Cached::new(Arc::new(InMemory::new()), 1 << 30);
    cached.put(key(), "small".into()).await.unwrap();
    let large = Bytes::from(vec![0; LARGEST + 1]);
    cached.put(key(), large.clone()).await.unwrap();
    assert_eq!(cached.get(&key()).await.unwrap(), Some(large));
    assert_eq!(cached.shared.cache.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_read_after_an_acknowledged_write_is_stale() {
    const WRITES: u64 = 2_000;
    let cached = Arc::new(Cached::new(Arc::new(InMemory::new()), 4 << 10));
    let acknowledged = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let running = Arc::new(Semaphore::new(0));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (cached, acknowledged, running) = (cached.clone(), acknowledged.clone(), running.clone());
            tokio::spawn(async move {
                running.add_permits(1);
                while acknowledged.load(Ordering::SeqCst) < WRITES {
                    let least = acknowledged.load(Ordering::SeqCst);
                    let value = cached.get(&key()).await.unwrap();
                    let read = value.map_or(0, |value| u64::from_be_bytes(*value.first_chunk().unwrap()));
                    assert!(read >= least, "read {read} after {least} was acknowledged");
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    running.acquire_many(4).await.unwrap().forget();
    for count in 1..=WRITES {
        cached.put(key(), Bytes::copy_from_slice(&count.to_be_bytes())).await.unwrap();
        acknowledged.store(count, Ordering::SeqCst);
        // Other keys drive this one out now and then, so that readers miss.
        cached.get(&format!("other/{count}").parse().unwrap()).await.unwrap();
    }
    for reader in readers {
        reader.await.unwrap();
    }
}
