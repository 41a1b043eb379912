use std::{
    array,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use metrics::HistogramFn;

/// Samples are kept in millionths: what is timed in milliseconds, in nanoseconds.
const UNIT: f64 = 1_000_000.0;

/// The first and the last power of two that samples are told apart by: a microsecond, and two minutes.
const POWERS: std::ops::Range<u32> = 10..37;

/// Each power of two is split in so many, as bits.
const SPLIT: u32 = 2;

/// The powers of two that samples are counted below: 65 microseconds to 68 seconds.
const BOUNDS: std::ops::RangeInclusive<u32> = 16..=36;

/// How many sorts of samples are told apart.
const SORTS: usize = ((POWERS.end - POWERS.start) as usize) << SPLIT;

/// Samples as they come, summed up: nothing is kept of a single one, and nobody waits for anybody.
#[derive(Debug)]
pub(super) struct Samples {
    sum: AtomicU64,
    /// Since they were last taken.
    least: AtomicU64,
    most: AtomicU64,
    sorts: [AtomicU64; SORTS],
}

/// Samples up to a moment, or between two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Totals {
    sum: u64,
    sorts: Box<[u64]>,
}

impl Default for Samples {
    fn default() -> Self {
        Self {
            sum: AtomicU64::new(0),
            least: AtomicU64::new(u64::MAX),
            most: AtomicU64::new(0),
            sorts: array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

impl HistogramFn for Samples {
    fn record(&self, value: f64) {
        let value = (value * UNIT) as u64;
        self.sum.fetch_add(value, Relaxed);
        self.sorts[sort(value)].fetch_add(1, Relaxed);
        // Seldom: most samples are neither.
        if value < self.least.load(Relaxed) {
            self.least.fetch_min(value, Relaxed);
        }
        if value > self.most.load(Relaxed) {
            self.most.fetch_max(value, Relaxed);
        }
    }
}

impl Samples {
    pub(super) fn totals(&self) -> Totals {
        let sorts = self.sorts.iter().map(|count| count.load(Relaxed)).collect();
        Totals { sum: self.sum.load(Relaxed), sorts }
    }

    /// The least and the most since this was last asked.
    pub(super) fn take_bounds(&self) -> (f64, f64) {
        let (least, most) = (self.least.swap(u64::MAX, Relaxed), self.most.swap(0, Relaxed));
        (number(least.min(most)), number(most))
    }
}

impl Totals {
    pub(super) fn none() -> Self {
        Self { sum: 0, sorts: vec![0; SORTS].into() }
    }

    /// What has come since an earlier moment.
    pub(super) fn since(&self, before: &Self) -> Self {
        let sorts = self.sorts.iter().zip(&before.sorts).map(|(now, before)| now.saturating_sub(*before));
        Self { sum: self.sum.saturating_sub(before.sum), sorts: sorts.collect() }
    }

    /// Both together.
    pub(super) fn with(&self, other: &Self) -> Self {
        let sorts = self.sorts.iter().zip(&other.sorts).map(|(one, other)| one + other);
        Self { sum: self.sum + other.sum, sorts: sorts.collect() }
    }

    pub(super) fn count(&self) -> u64 {
        self.sorts.iter().sum()
    }

    /// How many samples lie below each of some bounds. Sorts begin at powers of two, so this is exact.
    pub(super) fn buckets(&self) -> impl Iterator<Item = (f64, u64)> {
        BOUNDS.map(|power| {
            let sorts = ((power - POWERS.start) as usize) << SPLIT;
            (number(1 << power), self.sorts[..sorts].iter().sum())
        })
    }

    pub(super) fn sum(&self) -> f64 {
        number(self.sum)
    }

    /// How far the samples are from their mean, as near as their sorts tell.
    pub(super) fn deviation(&self) -> f64 {
        let count = self.count();
        if count < 2 {
            return 0.0;
        }
        let middles = || self.sorts.iter().zip(0..).map(|(count, sort)| (*count as f64, middle(sort)));
        let mean = middles().map(|(count, value)| count * value).sum::<f64>() / count as f64;
        let squares = middles().map(|(count, value)| count * (value - mean) * (value - mean)).sum::<f64>();
        (squares / (count - 1) as f64).sqrt()
    }

    /// The value that so much of all samples lie below, as near as their sorts tell; none: there are no samples.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let place = (self.count() as f64 * share).ceil().max(1.0);
        let mut passed = 0.0;
        let found = self.sorts.iter().zip(0..).find(|(count, _)| {
            passed += **count as f64;
            passed >= place
        });
        found.map(|(_, sort)| middle(sort))
    }
}

fn number(millionths: u64) -> f64 {
    millionths as f64 / UNIT
}

/// The sort of a sample: by its power of two, and the two bits that follow.
fn sort(value: u64) -> usize {
    let power = value.max(1).ilog2();
    if power < POWERS.start {
        return 0;
    }
    let split = (value >> (power - SPLIT)) & ((1 << SPLIT) - 1);
    let sort = ((power - POWERS.start) as usize) << SPLIT;
    (sort + usize::try_from(split).unwrap_or(0)).min(SORTS - 1)
}

/// A sample in the middle of its sort.
fn middle(sort: usize) -> f64 {
    let power = POWERS.start as usize + (sort >> SPLIT);
    let split = (1 << SPLIT) + (sort & ((1 << SPLIT) - 1));
    let width = 1_u64 << (power - SPLIT as usize);
    number(width * split as u64 + width / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Samples {
        let samples = Samples::default();
        values.iter().for_each(|value| samples.record(*value));
        samples
    }

    #[test]
    fn a_sample_is_near_the_middle_of_its_sort() {
        let mut value = 0.002;
        while value < 100_000.0 {
            let middle = middle(sort((value * UNIT) as u64));
            assert!((middle / value - 1.0).abs() < 0.13, "{value} is told as {middle}");
            value *= 1.01;
        }
        for odd in [0.0, -1.0, 1e-9, 1e12, f64::NAN, f64::INFINITY] {
            of(&[odd]);
        }
    }

    #[test]
    fn numbers_are_summed_up_between_two_moments() {
        let samples = of(&[1000.0]);
        assert_eq!(samples.take_bounds(), (1000.0, 1000.0));
        let before = samples.totals();
        for value in [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0] {
            samples.record(value);
        }
        let totals = samples.totals().since(&before);
        assert_eq!((totals.count(), totals.sum()), (8, 40.0));
        assert_eq!(samples.take_bounds(), (2.0, 9.0));
        assert_eq!(samples.take_bounds(), (0.0, 0.0));
        assert!((totals.deviation() - 2.138).abs() < 0.3, "{}", totals.deviation());
        assert_eq!(totals.with(&before), samples.totals());
    }

    #[test]
    fn shares_of_all_samples_lie_below_what_is_told() {
        let values: Vec<f64> = (1..=1000).map(f64::from).collect();
        let totals = of(&values).totals();
        for share in [0.5, 0.9, 0.99] {
            let told = totals.quantile(share).unwrap();
            assert!((told / (share * 1000.0) - 1.0).abs() < 0.15, "{share}: {told}");
        }
        assert_eq!(Totals::none().quantile(0.5), None);
    }
}
