use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use futures::{Stream, stream};
use tokio::sync::watch;

/// What happened lately, in order and numbered. Bounded: a reader that is too slow misses the oldest, never the order.
#[derive(Debug)]
pub struct Ring<T> {
    limits: Limits,
    kept: Mutex<Kept<T>>,
    last: watch::Sender<u64>,
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// As many, and at least one.
    pub count: usize,
    /// As many bytes, by what those say who add something.
    pub bytes: usize,
}

#[derive(Debug)]
struct Kept<T> {
    all: VecDeque<Numbered<T>>,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct Numbered<T> {
    number: u64,
    bytes: usize,
    what: T,
}

impl<T: Clone> Ring<T> {
    /// An empty one. Numbers go on where those of an earlier run of the host certainly ended: at the clock.
    pub fn new(limits: Limits) -> Self {
        let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let start = u64::try_from(start).unwrap_or_default();
        let kept = Mutex::new(Kept { all: VecDeque::new(), bytes: 0 });
        Self { limits, kept, last: watch::Sender::new(start) }
    }

    /// Held for a moment only.
    fn kept(&self) -> MutexGuard<'_, Kept<T>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds something that is told its number.
    pub fn push(&self, bytes: usize, what: impl FnOnce(u64) -> T) {
        let mut kept = self.kept();
        let number = *self.last.borrow() + 1;
        kept.all.push_back(Numbered { number, bytes, what: what(number) });
        kept.bytes += bytes;
        while kept.all.len() > self.limits.count.max(1)
            || kept.bytes > self.limits.bytes && kept.all.len() > 1
        {
            let Some(oldest) = kept.all.pop_front() else { break };
            kept.bytes -= oldest.bytes;
        }
        self.last.send_replace(number);
    }

    /// What has a number after this one. A number that nothing has had yet was given by somebody else: then it is all.
    pub fn since(&self, after: u64) -> Vec<T> {
        self.numbered(after).into_iter().map(|numbered| numbered.what).collect()
    }

    fn numbered(&self, after: u64) -> VecDeque<Numbered<T>> {
        let kept = self.kept();
        let after = if after > *self.last.borrow() { 0 } else { after };
        let first = kept.all.partition_point(|numbered| numbered.number <= after);
        kept.all.range(first..).cloned().collect()
    }

    /// The same, then what is to come.
    pub fn follow(self: Arc<Self>, after: u64) -> impl Stream<Item = T> + Send + 'static
    where
        T: Send + Sync + 'static,
    {
        let last = self.last.subscribe();
        stream::unfold(
            (self, last, after, VecDeque::new()),
            async |(ring, mut last, mut after, mut ready)| {
                loop {
                    if let Some(Numbered { number, what, .. }) = ready.pop_front() {
                        after = number;
                        return Some((what, (ring, last, after, ready)));
                    }
                    last.borrow_and_update();
                    ready = ring.numbered(after);
                    if ready.is_empty() && last.changed().await.is_err() {
                        return None;
                    }
                }
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;

    fn ring(count: usize, bytes: usize) -> Arc<Ring<u64>> {
        Arc::new(Ring::new(Limits { count, bytes }))
    }

    #[tokio::test]
    async fn a_reader_gets_what_is_kept_and_then_what_happens() {
        let ring = ring(2, usize::MAX);
        for _ in 0..3 {
            ring.push(0, |number| number);
        }
        let mut followed = std::pin::pin!(Arc::clone(&ring).follow(0));
        let first = followed.next().await.unwrap();
        let second = followed.next().await.unwrap();
        assert_eq!(second, first + 1);
        ring.push(0, |number| number);
        assert_eq!(followed.next().await.unwrap(), second + 1);
        let mut resumed = std::pin::pin!(ring.follow(second));
        assert_eq!(resumed.next().await.unwrap(), second + 1);
    }

    #[test]
    fn neither_number_nor_bytes_grow_beyond_their_limits() {
        let ring = ring(10, 100);
        for _ in 0..50 {
            ring.push(30, |number| number);
        }
        assert_eq!(ring.since(0).len(), 3);
        ring.push(1_000, |number| number);
        assert_eq!(ring.since(0).len(), 1, "the newest is kept whatever its size");
        for _ in 0..50 {
            ring.push(1, |number| number);
        }
        assert_eq!(ring.since(0).len(), 10);
        assert_eq!(ring.kept().bytes, 10);
    }

    #[test]
    fn a_number_that_was_given_by_another_host_leaves_nothing_out() {
        let ring = ring(10, 100);
        ring.push(0, |number| number);
        let newest = ring.since(0)[0];
        assert_eq!(ring.since(newest), [] as [u64; 0]);
        assert_eq!(ring.since(newest + 1), [newest]);
    }
}
