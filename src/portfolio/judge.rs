//! Whether the word that something runs is news, old news or in doubt. Pure.

use super::clock::Tick;
use super::life::{Ending, Life};
use crate::cri::EventKind;
use crate::model::{CRI_EVENT_FLAG_SYNTHETIC, Time};

/// Where a statement comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A new event. `own` says what it tells of the one that it is about; of others it merely carries statuses.
    Event { own: Option<EventKind> },
    /// A full list that began at this tick.
    List { begun: Tick, first: bool },
    /// The answer to a question that was asked at this tick.
    Answer { asked: Tick },
}

impl Source {
    /// The tick as of which the statement holds.
    pub fn as_of(self, now: Tick) -> Tick {
        match self {
            Source::Event { .. } => now,
            Source::List { begun, .. } => begun,
            Source::Answer { asked } => asked,
        }
    }

    pub fn is_event(self) -> bool {
        matches!(self, Source::Event { .. })
    }

    /// Whether this is news of a start or a stop, and not only of what was long over.
    pub fn tells_a_life(self) -> bool {
        matches!(self, Source::Event { own: Some(EventKind::Started | EventKind::Stopped) })
    }

    pub fn flags(self) -> u32 {
        if self.is_event() { 0 } else { CRI_EVENT_FLAG_SYNTHETIC }
    }
}

/// What follows from the word that something runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Running {
    /// It begins to live.
    Begins,
    /// It lives on.
    LivesOn,
    /// The life that is known is over, and another one has begun.
    BeginsAgain,
    /// It did live, but a newer word has already said that it is over.
    Overtaken,
    /// It contradicts what was told: ask.
    Doubtful,
    /// Old news.
    Stale,
}

pub(super) fn judge_running(life: Life, started_at: Option<Time>, source: Source) -> Running {
    let newer = |than: Option<Time>| started_at.zip(than).is_some_and(|(new, old)| new > old);
    match life {
        Life::None | Life::Unclear => Running::Begins,
        Life::Starting { started_at, .. } | Life::Living { started_at } if newer(started_at) => Running::BeginsAgain,
        Life::Starting { .. } | Life::Living { .. } => Running::LivesOn,
        Life::Ending { .. } if matches!(source, Source::Answer { .. }) => Running::LivesOn,
        Life::Ending { .. } => Running::Stale,
        Life::Over { started_at, .. } if newer(started_at) => Running::BeginsAgain,
        life if life.is_over_untold() && source.is_event() => Running::Overtaken,
        Life::Over { how, started_at: known, tick } => match source {
            Source::List { begun, .. } if begun >= tick && how == Ending::Gone => Running::BeginsAgain,
            Source::Answer { asked } if asked >= tick => Running::BeginsAgain,
            Source::List { begun, .. } if begun >= tick => Running::Doubtful,
            Source::Event { .. } if started_at.is_none() || started_at != known => Running::Doubtful,
            _ => Running::Stale,
        },
    }
}
