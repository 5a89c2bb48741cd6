//! The time from the first list until the picture is complete enough to be shown.
//!
//! Consumers begin with a replay, and its entries are to have their pids. What happens while those are asked for is
//! kept, and told right after the replay.

use std::collections::HashMap;
use std::sync::Arc;

use crate::cri::EngineEvent;
use crate::model::{Container, EventType, Id};
use crate::portfolio::{Millis, Told};

/// Events that come before the first list has been applied; more than these are dropped, as the list will show what
/// they did.
const MOST_EARLY_EVENTS: usize = 16_384;
/// ... and more than so many bytes of them.
const MOST_EARLY_BYTES: usize = 32 << 20;

#[derive(Debug, Default)]
pub(super) enum Opening {
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
        /// Every life that the list showed, as it was as long as it lived.
        initial: HashMap<Id, Initial>,
        news: Vec<Told>,
    },
    Over,
}

#[derive(Debug)]
pub(super) struct Initial {
    record: Arc<Container>,
    ended: bool,
}

impl Opening {
    pub fn is_over(&self) -> bool {
        matches!(self, Opening::Over)
    }

    /// Keeps an event that comes before the first list: only that list makes the difference between news and
    /// history. Otherwise gives it back.
    pub fn keep_early(&mut self, event: Box<EngineEvent>, synced: bool) -> Option<Box<EngineEvent>> {
        if synced {
            return Some(event);
        }
        if let Opening::Before = self {
            *self = Opening::Early { events: Vec::new(), bytes: 0 };
        }
        if let Opening::Early { events, bytes } = self
            && events.len() < MOST_EARLY_EVENTS
            && *bytes + event.bytes <= MOST_EARLY_BYTES
        {
            *bytes += event.bytes;
            events.push(*event);
        }
        None
    }

    /// The first list is applied, and shows these lives. Gives the events that came before.
    pub fn begin(&mut self, lives: Vec<Arc<Container>>, now: Millis) -> Vec<EngineEvent> {
        let initial = lives.into_iter().map(|c| (c.id.clone(), Initial { record: c, ended: false })).collect();
        match std::mem::replace(self, Opening::Open { since: now, initial, news: Vec::new() }) {
            Opening::Early { events, .. } => events,
            _ => Vec::new(),
        }
    }

    /// Keeps what is told while this lasts; afterwards gives it back.
    pub fn pass_on(&mut self, told: Vec<Told>) -> Vec<Told> {
        let Opening::Open { initial, news, .. } = self else {
            return told;
        };
        for told in told {
            match (initial.get_mut(&told.container.id), told.event_type) {
                (Some(life), EventType::Updated) if !life.ended => life.record = told.container,
                (life, _) => {
                    if let (Some(life), EventType::Exited) = (life, told.event_type) {
                        life.ended = true;
                    }
                    news.push(told);
                }
            }
        }
        Vec::new()
    }

    /// Whether it is time to show the picture.
    pub fn is_due(&self, settled: bool, patience: Millis, now: Millis) -> bool {
        match self {
            Opening::Open { since, .. } => settled || since + patience <= now,
            _ => false,
        }
    }

    pub fn deadline(&self, patience: Millis) -> Option<Millis> {
        match self {
            Opening::Open { since, .. } => Some(since + patience),
            _ => None,
        }
    }

    /// The lives to be replayed, and what has happened to them and to others since. `newest` gives the newest
    /// version of what still lives.
    pub fn end(&mut self, newest: impl Fn(&Id) -> Option<Arc<Container>>) -> (Vec<Arc<Container>>, Vec<Told>) {
        match std::mem::replace(self, Opening::Over) {
            Opening::Open { initial, news, .. } => {
                let record = |(id, life): (Id, Initial)| match newest(&id) {
                    Some(newest) if !life.ended => newest,
                    _ => life.record,
                };
                (initial.into_iter().map(record).collect(), news)
            }
            _ => Default::default(),
        }
    }
}
