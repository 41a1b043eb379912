use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::Duration,
};

use jiff::Timestamp;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, SharedString, Unit, atomics::AtomicU64};
use metrics_util::registry::{Registry, Storage};

use super::{
    interval::{Interval, Sampled},
    samples::{Samples, Totals},
};

/// How single counts are kept.
struct Kept;

impl Storage<Key> for Kept {
    type Counter = Arc<AtomicU64>;
    type Gauge = Arc<AtomicU64>;
    type Histogram = Arc<Samples>;

    fn counter(&self, _: &Key) -> Self::Counter {
        Arc::default()
    }

    fn gauge(&self, _: &Key) -> Self::Gauge {
        Arc::default()
    }

    fn histogram(&self, _: &Key) -> Self::Histogram {
        Arc::default()
    }
}

/// What is counted now, and how it was when the last interval ended.
pub(super) struct Memory {
    now: Registry<Key, Kept>,
    past: Mutex<Past>,
}

/// How it was.
struct Past {
    /// When the interval began that is not over yet.
    begun: Timestamp,
    /// None: none is over yet.
    interval: Option<Interval>,
    counters: HashMap<Key, Seen<u64>>,
    samples: HashMap<Key, Seen<Totals>>,
}

/// Something at the end of an interval, and when it was last seen to have changed.
struct Seen<T> {
    value: T,
    /// What came in the last interval.
    news: T,
    changed: Timestamp,
}

/// Everything up to now.
#[derive(Debug, Default)]
pub(super) struct Everything {
    pub(super) gauges: Vec<(Key, f64)>,
    pub(super) counters: Vec<(Key, u64)>,
    /// And what came lately.
    pub(super) samples: Vec<(Key, Totals, Totals)>,
}

impl Memory {
    pub(super) fn new(now: Timestamp) -> Self {
        let past = Past { begun: now, interval: None, counters: HashMap::new(), samples: HashMap::new() };
        Self { now: Registry::new(Kept), past: Mutex::new(past) }
    }

    /// Not taken by those who count.
    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends an interval.
    pub(super) fn turn(&self, now: Timestamp) {
        self.end(&mut self.past(), now);
    }

    /// The last interval that is over. The first ends when it is asked for: there is nothing else to tell.
    pub(super) fn last(&self, now: Timestamp) -> Interval {
        let mut past = self.past();
        let interval = match past.interval.clone() {
            Some(interval) => interval,
            None => self.end(&mut past, now),
        };
        // Gauges say how it is, not how it was.
        Interval { gauges: self.gauges(), ..interval }
    }

    /// Everything up to now but what has not changed for so long.
    pub(super) fn totals(&self, now: Timestamp, retention: Duration) -> Everything {
        let past = self.past();
        let fresh = |changed: Option<Timestamp>| {
            changed.is_none_or(|changed| now.duration_since(changed).unsigned_abs() < retention)
        };
        let mut all = Everything { gauges: self.gauges(), ..Everything::default() };
        self.now.visit_counters(|key, counter| {
            let value = counter.load(Ordering::Relaxed);
            let seen = past.counters.get(key);
            if fresh(seen.filter(|seen| seen.value == value).map(|seen| seen.changed)) {
                all.counters.push((key.clone(), value));
            }
        });
        self.now.visit_histograms(|key, samples| {
            let totals = samples.totals();
            let seen = past.samples.get(key);
            if fresh(seen.filter(|seen| seen.value == totals).map(|seen| seen.changed)) {
                let lately = seen.map(|seen| totals.since(&seen.value).with(&seen.news));
                all.samples.push((key.clone(), totals.clone(), lately.unwrap_or(totals)));
            }
        });
        all
    }

    fn gauges(&self) -> Vec<(Key, f64)> {
        let mut gauges = Vec::new();
        self.now.visit_gauges(|key, gauge| {
            gauges.push((key.clone(), f64::from_bits(gauge.load(Ordering::Relaxed))));
        });
        gauges
    }

    fn end(&self, past: &mut Past, now: Timestamp) -> Interval {
        let mut interval =
            Interval { begun: past.begun, gauges: self.gauges(), counters: Vec::new(), samples: Vec::new() };
        self.now.visit_counters(|key, counter| {
            let value = counter.load(Ordering::Relaxed);
            let new = || Seen { value: 0, news: 0, changed: now };
            let seen = past.counters.entry(key.clone()).or_insert_with(new);
            seen.news = value - seen.value;
            seen.value = value;
            if seen.news > 0 {
                seen.changed = now;
                interval.counters.push((key.clone(), seen.news));
            }
        });
        self.now.visit_histograms(|key, samples| {
            let (value, bounds) = (samples.totals(), samples.take_bounds());
            let new = || Seen { value: Totals::none(), news: Totals::none(), changed: now };
            let seen = past.samples.entry(key.clone()).or_insert_with(new);
            seen.news = value.since(&seen.value);
            seen.value = value;
            if seen.news.count() > 0 {
                seen.changed = now;
                interval.samples.push((key.clone(), Sampled { totals: seen.news.clone(), bounds }));
            }
        });
        past.begun = now;
        past.interval = Some(interval.clone());
        interval
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

/// Counts into the memory.
pub(super) struct Recorder(pub(super) Arc<Memory>);

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.0.now.get_or_create_counter(key, |counter| Counter::from_arc(Arc::clone(counter)))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.0.now.get_or_create_gauge(key, |gauge| Gauge::from_arc(Arc::clone(gauge)))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.0.now.get_or_create_histogram(key, |samples| Histogram::from_arc(Arc::clone(samples)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn counting(memory: &Arc<Memory>, count: impl FnOnce()) {
        metrics::with_local_recorder(&Recorder(memory.clone()), count);
    }

    #[test]
    fn what_is_told_is_the_last_interval_that_is_over() {
        let memory = Arc::new(Memory::new(at(0)));
        counting(&memory, || {
            metrics::counter!("vault.c").increment(2);
            metrics::gauge!("vault.g").set(7.0);
            metrics::histogram!("vault.h").record(3.0);
            let first = memory.last(at(4));
            assert_eq!((first.counters[0].1, first.gauges[0].1), (2, 7.0));
            assert_eq!((first.samples[0].1.totals.count(), first.samples[0].1.bounds), (1, (3.0, 3.0)));
            memory.turn(at(10));
            metrics::counter!("vault.c").increment(1);
            memory.turn(at(20));
            metrics::counter!("vault.c").increment(5);
            metrics::gauge!("vault.g").set(9.0);
            let last = memory.last(at(21));
            assert_eq!((last.begun, last.counters[0].1), (at(10), 1));
            assert_eq!((last.gauges[0].1, last.samples.len()), (9.0, 0));
        });
    }

    #[test]
    fn what_has_not_changed_for_long_is_told_no_more_until_it_does() {
        let memory = Arc::new(Memory::new(at(0)));
        let told = |second| memory.totals(at(second), Duration::from_secs(60)).counters;
        counting(&memory, || {
            metrics::counter!("vault.c").increment(1);
            memory.turn(at(10));
            memory.turn(at(20));
            assert_eq!(told(69).len(), 1);
            assert_eq!(told(70), []);
            metrics::counter!("vault.c").increment(1);
            assert_eq!(told(71)[0].1, 2);
        });
    }

    #[test]
    fn what_came_lately_is_the_last_interval_and_what_has_come_since() {
        let memory = Arc::new(Memory::new(at(0)));
        let lately = || memory.totals(at(30), Duration::from_secs(60)).samples[0].2.count();
        counting(&memory, || {
            let sample = || metrics::histogram!("vault.h").record(1.0);
            sample();
            assert_eq!(lately(), 1);
            memory.turn(at(10));
            sample();
            assert_eq!(lately(), 2);
            memory.turn(at(20));
            assert_eq!(lately(), 1);
        });
    }
}
