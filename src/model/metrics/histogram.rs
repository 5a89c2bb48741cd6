//! Durations, counted in fixed buckets.

use std::time::Duration;

/// The upper bounds of the buckets, in microseconds, each included in its bucket. One more bucket has what is longer.
pub const BUCKET_MICROS: [u64; BUCKETS - 1] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];

/// The number of buckets.
pub const BUCKETS: usize = 17;

/// How many durations there were, by bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Histogram {
    /// How many fell into each bucket, and into none before it.
    pub buckets: [u64; BUCKETS],
    /// All of them together.
    pub total: Duration,
    /// The longest.
    pub max: Duration,
}

impl Histogram {
    /// Counts one more.
    pub fn add(&mut self, duration: Duration) {
        // In nanoseconds: what is a little longer than a bound is not within it.
        let bucket = BUCKET_MICROS.partition_point(|bound| u128::from(*bound) * 1_000 < duration.as_nanos());
        self.buckets[bucket] += 1;
        self.total = self.total.saturating_add(duration);
        self.max = self.max.max(duration);
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_in_the_first_bucket_that_holds_it() {
        let mut all = Histogram::default();
        for (nanos, bucket) in [(0, 0), (100_000, 0), (100_001, 1), (9_999_999_999, 15), (10_000_000_001, 16)] {
            let before = all.buckets[bucket];
            all.add(Duration::from_nanos(nanos));
            assert_eq!(all.buckets[bucket], before + 1, "{nanos}");
        }
        assert_eq!((all.count(), all.max), (5, Duration::from_nanos(10_000_000_001)));
        assert_eq!(all.total, Duration::from_nanos(20_000_200_001));
    }

    #[test]
    fn bounds_rise() {
        assert!(BUCKET_MICROS.is_sorted_by(|a, b| a < b));
    }
}
