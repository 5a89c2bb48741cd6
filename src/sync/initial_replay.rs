//! The time from the first list until the cache is complete enough to be shown.
//!
//! Consumers begin with a replay, and its entries are to have their pids. What happens while those are asked for is
//! kept, and reported right after the replay.

use std::collections::HashMap;
use std::sync::Arc;

use crate::cri::EngineEvent;
use crate::model::{Container, EventType, Id};
use crate::portfolio::{Millis, Report};

/// Events that come before the first list has been applied; more than these are dropped, as the list will show what
/// they did.
const MOST_EARLY_EVENTS: usize = 16_384;
/// ... and more than so many bytes of them.
const MOST_EARLY_BYTES: usize = 32 << 20;

#[derive(Debug, Default)]
pub(super) enum InitialReplay {
    /// No list yet.
    #[default]
    Before,
    /// As above, with what came early.
    Early {
        events: Vec<EngineEvent>,
        bytes: usize,
    },
    /// The first list is applied.
    Open {
        since: Millis,
        /// Every run that the list showed, as it was as long as it lived.
        initial: HashMap<Id, Initial>,
        news: Vec<Report>,
    },
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

    /// Keeps an event that comes before the first list: only that list makes the difference between news and
    /// history. Otherwise gives it back.
    pub fn keep_early(&mut self, event: Box<EngineEvent>, synced: bool) -> Option<Box<EngineEvent>> {
        if synced {
            return Some(event);
        }
        if let InitialReplay::Before = self {
            *self = InitialReplay::Early { events: Vec::new(), bytes: 0 };
        }
        if let InitialReplay::Early { events, bytes } = self
            && events.len() < MOST_EARLY_EVENTS
            && *bytes + event.bytes <= MOST_EARLY_BYTES
        {
            *bytes += event.bytes;
            events.push(*event);
        }
        None
    }

    /// The first list is applied, and shows these runs. Gives the events that came before.
    pub fn begin(&mut self, runs: Vec<Arc<Container>>, now: Millis) -> Vec<EngineEvent> {
        let initial = runs.into_iter().map(|c| (c.id.clone(), Initial { record: c, ended: false })).collect();
        match std::mem::replace(self, InitialReplay::Open { since: now, initial, news: Vec::new() }) {
            InitialReplay::Early { events, .. } => events,
            _ => Vec::new(),
        }
    }

    /// Keeps what is reported while this lasts; afterwards gives it back.
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

    /// Whether it is time to show the cache.
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

    /// The runs to be replayed, and what has happened to them and to others since. `newest` gives the newest
    /// version of what still runs.
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
