//! The time from the first list until the watcher is ready.
//!
//! Consumers begin with a replay, whose entries should have their pids. Events that come while the pids are asked for
//! are kept, and published right after the replay.

use std::sync::Arc;

use crate::cri::EngineEvent;
use crate::model::{Container, EventType, Id, IdMap};
use crate::portfolio::{Millis, Report};

/// How many events from before the first list are kept. More are dropped: the list shows what they reported.
const MOST_EARLY_EVENTS: usize = 16_384;
/// How many bytes of memory the events from before the first list may take.
const MOST_EARLY_WEIGHT: usize = 128 << 20;

#[derive(Debug, Default)]
pub(super) enum InitialReplay {
    /// There is no list yet.
    #[default]
    Before,
    /// There is no list yet, and events have come.
    Early { events: Vec<EngineEvent>, weight: usize },
    /// The first list was applied; pids are being asked for.
    Open {
        since: Millis,
        /// Every run that the first list showed; a run that has ended since, as it was before its end.
        initial: IdMap<Initial>,
        /// The reports since the first list.
        news: Vec<Report>,
    },
    /// The watcher is ready.
    Over,
}

#[derive(Debug)]
pub(super) struct Initial {
    record: Arc<Container>,
    ended: bool,
}

impl InitialReplay {
    pub fn is_over(&self) -> bool {
        matches!(self, InitialReplay::Over)
    }

    /// Keeps an event that comes before the first list, because only that list separates new events from old ones. Returns
    /// any other event.
    pub fn keep_early(&mut self, event: Box<EngineEvent>, synced: bool) -> Option<Box<EngineEvent>> {
        if synced {
            return Some(event);
        }
        if let InitialReplay::Before = self {
            *self = InitialReplay::Early { events: Vec::new(), weight: 0 };
        }
        if let InitialReplay::Early { events, weight } = self
            && events.len() < MOST_EARLY_EVENTS
            && *weight + event.weight <= MOST_EARLY_WEIGHT
        {
            *weight += event.weight;
            events.push(*event);
        }
        None
    }

    /// Begins to wait for pids: the first list was applied, and shows these runs. Returns the events that came before
    /// it.
    pub fn begin(&mut self, runs: Vec<Arc<Container>>, now: Millis) -> Vec<EngineEvent> {
        let initial = runs.into_iter().map(|c| (c.id.clone(), Initial { record: c, ended: false })).collect();
        match std::mem::replace(self, InitialReplay::Open { since: now, initial, news: Vec::new() }) {
            InitialReplay::Early { events, .. } => events,
            _ => Vec::new(),
        }
    }

    /// Keeps reports until the watcher is ready. After that, returns them.
    pub fn pass_on(&mut self, reported: Vec<Report>) -> Vec<Report> {
        let InitialReplay::Open { initial, news, .. } = self else {
            return reported;
        };
        for reported in reported {
            match (initial.get_mut(&reported.container.id), reported.event_type) {
                (Some(run), EventType::Updated) if !run.ended => run.record = reported.container,
                (run, _) => {
                    if let (Some(run), EventType::Exited) = (run, reported.event_type) {
                        run.ended = true;
                    }
                    news.push(reported);
                }
            }
        }
        Vec::new()
    }

    /// Whether the watcher becomes ready now.
    pub fn is_due(&self, settled: bool, patience: Millis, now: Millis) -> bool {
        match self {
            InitialReplay::Open { since, .. } => settled || since + patience <= now,
            _ => false,
        }
    }

    pub fn deadline(&self, patience: Millis) -> Option<Millis> {
        match self {
            InitialReplay::Open { since, .. } => Some(since + patience),
            _ => None,
        }
    }

    /// The runs to replay, and the reports since. `newest` gives the newest record of a container that still runs.
    pub fn end(&mut self, newest: impl Fn(&Id) -> Option<Arc<Container>>) -> (Vec<Arc<Container>>, Vec<Report>) {
        match std::mem::replace(self, InitialReplay::Over) {
            InitialReplay::Open { initial, news, .. } => {
                let record = |(id, run): (Id, Initial)| match newest(&id) {
                    Some(newest) if !run.ended => newest,
                    _ => run.record,
                };
                (initial.into_iter().map(record).collect(), news)
            }
            _ => Default::default(),
        }
    }
}
