//! What the state machine counts.

use std::time::Duration;

use crate::model::Time;
use crate::model::metrics::{self, Histogram, Metric};

/// The time from the making of an event, by the engine's clock, to its arrival here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventLag {
    /// The lag of the last event.
    pub last: Duration,
    /// The lags of all events.
    pub all: Histogram,
}

/// The state machine's counters. `model::metrics` says what each one means.
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
    /// Counts an event. Its lag counts only if it was made after the subscription, because engines also send older
    /// events.
    pub(super) fn event_came(&mut self, made: Option<Time>, listening_since: Time, now: Time) {
        self.engine_events += 1;
        if let Some(made) = made.filter(|made| *made >= listening_since) {
            // If the clock was set back, the lag is 0 rather than negative.
            let last = Duration::from_nanos(u64::try_from(now.saturating_sub(made)).unwrap_or_default());
            let mut all = self.event_lag.map_or_else(Histogram::default, |before| before.all);
            all.add(last);
            self.event_lag = Some(EventLag { last, all });
        }
    }

    /// The watcher's own counters; those of the cache and of its consumers are added by `Watcher::stats`.
    pub fn counters(&self) -> Vec<(&'static Metric, u64)> {
        vec![
            (&metrics::CONNECTS, self.connects),
            (&metrics::CONNECT_FAILURES, self.connect_failures),
            (&metrics::LISTS, self.lists),
            (&metrics::LIST_FAILURES, self.list_failures),
            (&metrics::STATUSES, self.statuses),
            (&metrics::STATUS_NOT_FOUND, self.status_not_found),
            (&metrics::STATUS_FAILURES, self.status_failures),
            (&metrics::SUBSCRIPTIONS, self.subscriptions),
            (&metrics::ENGINE_EVENTS, self.engine_events),
            (&metrics::ENGINE_EVENTS_LOST, self.lost_engine_events),
            (&metrics::BLIND_WINDOWS, self.blind_windows),
            (&metrics::RESYNCS, self.resyncs),
            (&metrics::READY_UNANSWERED, self.ready_unanswered),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_events_made_since_the_subscription_count_for_the_lag() {
        let mut stats = Stats::default();
        let lag =
            |stats: &Stats| stats.event_lag.map(|lag| (lag.last.as_nanos(), lag.all.max.as_nanos(), lag.all.count()));
        stats.event_came(Some(99), 100, 500);
        stats.event_came(None, 100, 500);
        assert_eq!(lag(&stats), None);
        stats.event_came(Some(120), 100, 150);
        stats.event_came(Some(160), 100, 170);
        assert_eq!(lag(&stats), Some((10, 30, 2)));
        stats.event_came(Some(200), 100, 180);
        assert_eq!((lag(&stats), stats.engine_events), (Some((0, 30, 3)), 5));
    }
}
