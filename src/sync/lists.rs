//! When to list everything. Pure.

use super::backoff::Backoff;
use crate::model::Time;
use crate::portfolio::{Millis, Now, Tick};

/// A list that is under way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Begun {
    /// The list's number, counted from 1.
    pub number: u64,
    /// The portfolio's tick at which it began.
    pub tick: Tick,
    /// When it began.
    pub at: Now,
}

impl Begun {
    /// When it began, by the wall clock as it stands at `now`: the clock may have been set back since.
    pub fn wall(&self, now: Now) -> Time {
        /// The monotonic clock is read in milliseconds.
        const GRAIN: Time = 2_000_000;
        let by_monotonic_clock = now.wall - (now.mono - self.at.mono) as Time * 1_000_000 - GRAIN;
        if by_monotonic_clock + 2 * GRAIN < self.at.wall { by_monotonic_clock } else { self.at.wall }
    }
}

/// The lists. One is under way at a time.
#[derive(Debug)]
pub(super) struct Lists {
    pub in_flight: Option<Begun>,
    /// When the next list is due; `None` while none is wanted.
    due: Option<Millis>,
    count: u64,
    backoff: Backoff,
    /// How many lists in a row timed out on this connection.
    pub timeouts: u32,
    /// Whether the newest list failed.
    pub failing: bool,
    /// Whether a list has succeeded on this connection.
    pub succeeded: bool,
    /// Whether streamed lists are worth trying on this connection.
    pub try_streams: bool,
}

impl Lists {
    pub fn new(backoff: Backoff) -> Self {
        Lists {
            in_flight: None,
            due: None,
            count: 0,
            backoff,
            timeouts: 0,
            failing: false,
            succeeded: false,
            try_streams: false,
        }
    }

    /// Notes that there is a new connection.
    pub fn connected(&mut self, can_stream: bool) {
        *self = Lists { count: self.count, try_streams: can_stream, ..Lists::new(self.backoff.clone()) };
    }

    /// Makes a list due at this time, unless one is due earlier.
    pub fn want(&mut self, at: Millis) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    pub fn is_due(&self, now: Millis) -> bool {
        self.in_flight.is_none() && self.due.is_some_and(|at| at <= now)
    }

    pub fn begin(&mut self, tick: Tick, at: Now) -> Begun {
        self.count += 1;
        self.due = None;
        let begun = Begun { number: self.count, tick, at };
        self.in_flight = Some(begun);
        begun
    }

    /// The number that the next list to begin will have.
    pub fn next_number(&self) -> u64 {
        self.count + 1
    }

    pub fn done(&mut self) {
        self.in_flight = None;
        (self.failing, self.succeeded, self.timeouts) = (false, true, 0);
        self.backoff.succeed();
    }

    /// Notes that the list failed while the connection stayed open. It is repeated a little later without streaming, in
    /// case streaming was the cause.
    pub fn failed(&mut self, timed_out: bool, now: Millis) {
        self.in_flight = None;
        self.failing = true;
        self.try_streams = false;
        self.timeouts = if timed_out { self.timeouts + 1 } else { 0 };
        let wait = self.backoff.fail();
        self.due = Some(now + wait);
    }

    pub fn deadline(&self) -> Option<Millis> {
        if self.in_flight.is_some() { None } else { self.due }
    }
}
