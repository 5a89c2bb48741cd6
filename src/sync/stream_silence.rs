//! Detects an event stream that is open and reports nothing, e.g. behind a proxy that holds events back. An engine on
//! which nothing happens looks the same, so only a list that shows changes raises doubt. Pure.

use std::sync::Arc;

use crate::portfolio::Millis;

/// Changes that come this long after the subscription should have events.
const SETTLED: Millis = 1000;
/// How long after a list that shows a change its event may still be under way.
const UNDER_WAY: Millis = 2000;

/// What one subscription has failed to report.
#[derive(Debug, Default)]
pub(super) struct Silence {
    subscribed: Millis,
    /// Whether a list was applied that began `SETTLED` or more after the subscription. Changes from then on should have
    /// events.
    is_settled: bool,
    /// Whether an event has come since the subscription, and whether one has come since the newest list.
    heard: bool,
    heard_since_list: bool,
    /// How many starts and ends no event has reported.
    changes: u64,
    /// When the events of these changes are overdue.
    due: Option<Millis>,
    is_doubted: bool,
}

impl Silence {
    /// A new subscription.
    pub fn begin(now: Millis) -> Self {
        Silence { subscribed: now, ..Silence::default() }
    }

    /// Notes that an event has come, which ends any doubt.
    pub fn event_came(&mut self) {
        (self.heard, self.heard_since_list) = (true, true);
        (self.changes, self.due, self.is_doubted) = (0, None, false);
    }

    /// Notes that a list was applied which began at `begun`, and showed `changes` starts and ends. On a shared stream,
    /// other subscribers may take events away, so there only a stream that never had an event is in doubt.
    pub fn listed(&mut self, begun: Millis, changes: u64, is_shared: bool, now: Millis) {
        let is_heard = self.heard_since_list || is_shared && self.heard;
        // Once in doubt, the number stays the same. Otherwise each poll would log another reason.
        if self.is_settled && !is_heard && changes > 0 && !self.is_doubted {
            self.changes += changes;
            self.due.get_or_insert(now + UNDER_WAY);
        }
        self.is_settled |= self.subscribed + SETTLED <= begun;
        self.heard_since_list = false;
    }

    /// Whether events are overdue for changes that lists showed. True once.
    pub fn is_over_due(&mut self, now: Millis) -> bool {
        let is_over_due = self.due.is_some_and(|at| at <= now);
        if is_over_due {
            (self.due, self.is_doubted) = (None, true);
        }
        is_over_due
    }

    pub fn is_doubted(&self) -> bool {
        self.is_doubted
    }

    /// Why there is doubt.
    pub fn reason(&self) -> Arc<str> {
        let n = self.changes;
        format!(
            "the event stream is open, but reported none of the {n} starts and ends that lists show: the watcher polls until \
             the stream reports one"
        )
        .into()
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled() -> Silence {
        let mut it = Silence::begin(0);
        it.listed(0, 5, false, 10);
        it.listed(SETTLED, 5, false, SETTLED + 10);
        it
    }

    #[test]
    fn changes_from_before_the_subscription_cast_no_doubt() {
        let mut it = settled();
        assert_eq!(it.deadline(), None);
        it.listed(60_000, 0, false, 60_010);
        assert_eq!(it.deadline(), None, "nothing happened");
        it.listed(120_000, 1, false, 120_010);
        assert_eq!(it.deadline(), Some(120_010 + UNDER_WAY));
    }

    #[test]
    fn an_event_before_or_soon_after_the_list_casts_no_doubt() {
        let mut it = settled();
        it.event_came();
        it.listed(60_000, 1, false, 60_010);
        assert_eq!(it.deadline(), None, "the event came first");
        it.listed(120_000, 1, false, 120_010);
        assert!(it.deadline().is_some());
        it.event_came();
        assert!(it.deadline().is_none() && !it.is_over_due(Millis::MAX) && !it.is_doubted());
    }

    #[test]
    fn where_subscribers_compete_one_event_is_proof_enough() {
        let mut it = settled();
        it.event_came();
        it.listed(60_000, 1, true, 60_010);
        it.listed(120_000, 1, true, 120_010);
        assert_eq!(it.deadline(), None);
        let mut mute = settled();
        mute.listed(60_000, 1, true, 60_010);
        assert!(mute.deadline().is_some());
    }
}
