//! What the state machine counts.

use std::time::Duration;

use crate::model::Time;
use crate::model::counters::{self, Counter};

/// The time from the making of an event, by the engine's clock, to its arrival here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventLag {
    /// That of the last event.
    pub last: Duration,
    /// The longest so far.
    pub max: Duration,
}

/// The state machine's counters. `model::counters` says what each one means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// `connects`
    pub connects: u64,
    /// `connectFailures`
    pub connect_failures: u64,
    /// `lists`
    pub lists: u64,
    /// `listFailures`
    pub list_failures: u64,
    /// `statuses`
    pub statuses: u64,
    /// `statusNotFound`
    pub status_not_found: u64,
    /// `statusFailures`
    pub status_failures: u64,
    /// `subscriptions`
    pub subscriptions: u64,
    /// `engineEvents`
    pub engine_events: u64,
    /// `engineEventsLost`
    pub lost_engine_events: u64,
    /// `blindWindows`
    pub blind_windows: u64,
    /// `resyncs`
    pub resyncs: u64,
    /// `readyUnanswered`
    pub ready_unanswered: u64,
    /// How late events arrive; `None` before the first one.
    pub event_lag: Option<EventLag>,
}

impl Stats {
    /// Counts an event. Only one that was made since the subscription says how late events arrive: engines also send events
    /// from before.
    pub(super) fn event_came(&mut self, made: Option<Time>, listening_since: Time, now: Time) {
        self.engine_events += 1;
        if let Some(made) = made.filter(|made| *made >= listening_since) {
            // There is no negative lag where the clock was set back.
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
    fn only_events_made_since_the_subscription_count_for_the_lag() {
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
