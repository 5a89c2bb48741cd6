//! What the watcher did, in numbers that only grow.

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
    /// Status requests answered.
    pub statuses: u64,
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
}

impl Stats {
    /// All of them, with their names in JSON.
    pub fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("connects", self.connects),
            ("connectFailures", self.connect_failures),
            ("lists", self.lists),
            ("listFailures", self.list_failures),
            ("statuses", self.statuses),
            ("statusFailures", self.status_failures),
            ("subscriptions", self.subscriptions),
            ("engineEvents", self.engine_events),
            ("engineEventsLost", self.lost_engine_events),
            ("blindWindows", self.blind_windows),
            ("resyncs", self.resyncs),
        ]
    }
}
