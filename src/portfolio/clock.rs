//! Time in the portfolio. The portfolio has no clock: each input brings its moment along.

use crate::model::Time;

/// Milliseconds of a clock that never steps.
pub type Millis = u64;

/// The number of an input to the portfolio: each input gets the next one. A request keeps the tick at which it was
/// sent, because its answer says nothing about anything later.
pub type Tick = u64;

/// One moment, on both clocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Now {
    /// For deadlines.
    pub mono: Millis,
    /// For the times in events, and for comparing with the engine's times.
    pub wall: Time,
}

/// The time before which an event of the engine counts as old: the start of the first list, later the end of the last
/// run that was forgotten. The engine may be repeating an event of that age.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Horizon {
    wall: Time,
    /// The start of the first list.
    first: Time,
    /// Wall clock minus steady clock, to notice when the host's wall clock is set back.
    offset: Option<Time>,
}

impl Horizon {
    /// Sets the time at which the first list began.
    pub fn begin(&mut self, at: Time) {
        self.first = at;
        self.raise(at);
    }

    /// Raises the horizon.
    pub fn raise(&mut self, to: Time) {
        self.wall = self.wall.max(to);
    }

    /// Moves the horizon back when the wall clock is set back. Otherwise new events would look old until the clock has
    /// caught up. Small differences are the clocks' drift, and are ignored.
    pub fn follow(&mut self, now: Now) {
        const DRIFT: Time = 100_000_000;
        let offset = now.wall - now.mono as Time * 1_000_000;
        if let Some(before) = self.offset.replace(offset)
            && before - offset > DRIFT
        {
            self.wall -= before - offset;
            self.first -= before - offset;
        }
    }

    /// Whether this time is after the begin of the first list.
    pub fn is_after_first(&self, at: Option<Time>) -> bool {
        at.is_some_and(|at| at >= self.first)
    }

    /// Whether an event with this time is new. An event with a nonsensical time is not.
    pub fn is_fresh(&self, created_at: Option<Time>) -> bool {
        created_at.is_some_and(|at| at >= self.wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Time = 1_000_000_000;

    #[test]
    fn history_is_what_lies_before_and_what_has_no_time() {
        let mut horizon = Horizon::default();
        horizon.raise(100 * SECOND);
        horizon.raise(50 * SECOND);
        assert!(horizon.is_fresh(Some(100 * SECOND)));
        assert!(!horizon.is_fresh(Some(100 * SECOND - 1)));
        assert!(!horizon.is_fresh(None));
    }

    #[test]
    fn a_clock_that_is_set_back_takes_the_horizon_along() {
        let mut horizon = Horizon::default();
        horizon.raise(5000 * SECOND);
        horizon.follow(Now { mono: 1000, wall: 5001 * SECOND });
        horizon.follow(Now { mono: 2000, wall: 5002 * SECOND + 50_000_000 });
        assert!(!horizon.is_fresh(Some(4000 * SECOND)));
        horizon.follow(Now { mono: 3000, wall: 1403 * SECOND });
        assert!(horizon.is_fresh(Some(1401 * SECOND)));
        assert!(!horizon.is_fresh(Some(1300 * SECOND)));
        // The clock was set forward: what was fresh stays fresh.
        horizon.follow(Now { mono: 4000, wall: 9000 * SECOND });
        assert!(horizon.is_fresh(Some(1401 * SECOND)));
    }
}
