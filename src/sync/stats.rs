//! What the watcher did, in numbers that only grow.

use std::time::Duration;

use crate::model::Time;
use crate::model::counters::{self, Counter};

/// How long after an event was made it was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventLag {
    /// Of the last event.
    pub last: Duration,
    /// The longest so far.
    pub max: Duration,
}

/// Counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections made.
    pub connects: u64,
    /// Attempts to connect that failed.
    pub connect_failures: u64,
    /// Full lists applied.
    pub lists: u64,
    /// Full lists that failed.
    pub list_failures: u64,
    /// Status requests answered with a status.
    pub statuses: u64,
    /// Status requests answered with "not found".
    pub status_not_found: u64,
    /// Status requests that failed.
    pub status_failures: u64,
    /// Subscriptions to the engine's events.
    pub subscriptions: u64,
    /// Events that the engine sent.
    pub engine_events: u64,
    /// Those of them that came faster than they were applied, and were dropped.
    pub lost_engine_events: u64,
    /// Times in which changes could not be seen as they happened: stream down, polling, engine away.
    pub blind_windows: u64,
    /// Resyncs that somebody asked for and got.
    pub resyncs: u64,
    /// Status requests that were unanswered when the watcher became ready.
    pub ready_unanswered: u64,
    /// How late events come; `None` until one came.
    pub event_lag: Option<EventLag>,
}

impl Stats {
    /// An event has come. How late, tell only those that were made since the subscription: engines repeat what nobody heard.
    pub(super) fn event_came(&mut self, made: Option<Time>, listening_since: Time, now: Time) {
        self.engine_events += 1;
        if let Some(made) = made.filter(|made| *made >= listening_since) {
            // A clock that was set back shows no negative lag.
            let last = Duration::from_nanos(u64::try_from(now.saturating_sub(made)).unwrap_or_default());
            let max = self.event_lag.map_or(last, |before| before.max.max(last));
            self.event_lag = Some(EventLag { last, max });
        }
    }

    /// The watcher's own counters; those of the cache and of its consumers are added by `Watcher::stats`.
    pub fn counters(&self) -> Vec<(&'static Counter, u64)> {
        vec![
            (&counters::CONNECTS, self.connects),
            (&counters::CONNECT_FAILURES, self.connect_failures),
            (&counters::LISTS, self.lists),
            (&counters::LIST_FAILURES, self.list_failures),
            (&counters::STATUSES, self.statuses),
            (&counters::STATUS_NOT_FOUND, self.status_not_found),
            (&counters::STATUS_FAILURES, self.status_failures),
            (&counters::SUBSCRIPTIONS, self.subscriptions),
            (&counters::ENGINE_EVENTS, self.engine_events),
            (&counters::ENGINE_EVENTS_LOST, self.lost_engine_events),
            (&counters::BLIND_WINDOWS, self.blind_windows),
            (&counters::RESYNCS, self.resyncs),
            (&counters::READY_UNANSWERED, self.ready_unanswered),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_made_since_the_subscription_is_late() {
        let mut stats = Stats::default();
        let lag = |last, max| Some(EventLag { last: Duration::from_nanos(last), max: Duration::from_nanos(max) });
        stats.event_came(Some(99), 100, 500);
        stats.event_came(None, 100, 500);
        assert_eq!(stats.event_lag, None);
        stats.event_came(Some(120), 100, 150);
        stats.event_came(Some(160), 100, 170);
        assert_eq!(stats.event_lag, lag(10, 30));
        stats.event_came(Some(200), 100, 180);
        assert_eq!((stats.event_lag, stats.engine_events), (lag(0, 30), 5));
    }
}
