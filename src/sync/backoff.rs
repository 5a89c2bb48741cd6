//! How long to wait before the next attempt.

use crate::portfolio::Millis;

/// A wait that doubles with every failure, from `min` to `max`. It is shortened by up to a quarter at random, so that
/// many watchers do not connect at the same moment.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    min: Millis,
    max: Millis,
    failures: u32,
    seed: u64,
}

impl Backoff {
    pub fn new(min: Millis, max: Millis, seed: u64) -> Self {
        Backoff { min, max: max.max(min), failures: 0, seed }
    }

    /// Counts one more failure, and gives the wait before the next attempt.
    pub fn fail(&mut self) -> Millis {
        let wait = self.min.saturating_mul(1 << self.failures.min(20)).min(self.max);
        self.failures += 1;
        // Knuth's linear congruential generator: random enough for spreading attempts.
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let jitter = (self.seed >> 33) % (wait / 4 + 1);
        wait - jitter
    }

    pub fn succeed(&mut self) {
        self.failures = 0;
    }

    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_are_shortened_by_a_quarter_at_most() {
        let mut backoff = Backoff::new(100, 3000, 7);
        for nominal in [100, 200, 400, 800, 1600, 3000, 3000] {
            let wait = backoff.fail();
            assert!((nominal - nominal / 4..=nominal).contains(&wait), "{wait} for {nominal}");
        }
        backoff.succeed();
        assert!(backoff.fail() <= 100);
        assert!(Backoff::new(5000, 3000, 0).fail() > 3000, "min counts where max is below it");
    }
}
