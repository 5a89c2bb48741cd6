//! Decides whether a statement that something runs is news, old news or doubtful. Pure.

use super::clock::Tick;
use super::run_log::{Ending, Run};
use crate::cri::EventKind;
use crate::model::{CRI_EVENT_FLAG_SYNTHETIC, Time};

/// Where a statement comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A new event. `own` is what it says about its own container; of others, an event has only statuses.
    Event { own: Option<EventKind> },
    /// A full list that began at this tick.
    List { begun: Tick, first: bool },
    /// The answer to a request that was asked at this tick.
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

    /// The order in which statements are merged. As `as_of`, but a list or a status that was asked for at a tick is
    /// newer than the event of that tick.
    pub fn moment(self, now: Tick) -> Tick {
        let as_of = self.as_of(now).min(Tick::MAX / 4);
        2 * as_of + u64::from(!self.is_event())
    }

    pub fn is_event(self) -> bool {
        matches!(self, Source::Event { .. })
    }

    /// Whether this reports a start or a stop, and not only something that was over long ago.
    pub fn reports_a_run(self) -> bool {
        matches!(self, Source::Event { own: Some(EventKind::Started | EventKind::Stopped) })
    }

    pub fn flags(self) -> u32 {
        if self.is_event() { 0 } else { CRI_EVENT_FLAG_SYNTHETIC }
    }
}

/// What follows from the statement that something runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The run begins.
    Begins,
    /// The run goes on.
    Continues,
    /// The known run is over, and another one has begun.
    BeginsAgain,
    /// The container did run, but a newer statement has already shown its end.
    Overtaken,
    /// The statement contradicts what was reported: the engine is asked.
    Doubtful,
    /// The statement is old news.
    Stale,
}

pub(super) fn judge_start(run: Run, started_at: Option<Time>, source: Source) -> Verdict {
    let newer = |than: Option<Time>| started_at.zip(than).is_some_and(|(new, old)| new > old);
    match run {
        Run::None | Run::Unclear => Verdict::Begins,
        Run::Starting { started_at, .. } | Run::Running { started_at } if newer(started_at) => Verdict::BeginsAgain,
        Run::Starting { .. } | Run::Running { .. } => Verdict::Continues,
        Run::Ending { .. } if matches!(source, Source::Answer { .. }) => Verdict::Continues,
        Run::Ending { .. } => Verdict::Stale,
        Run::Over { started_at, .. } if newer(started_at) => Verdict::BeginsAgain,
        // The host saw its process end. The engine is asked, and believed only if its lists go on to say that it runs.
        Run::Over { how: Ending::Witnessed, tick, .. } => match source {
            Source::List { .. } | Source::Answer { .. } if source.as_of(tick) >= tick => Verdict::Doubtful,
            _ => Verdict::Stale,
        },
        run if run.is_over_unreported() && source.is_event() => Verdict::Overtaken,
        Run::Over { how, started_at: known, tick } => match source {
            Source::List { begun, .. } if begun >= tick && how == Ending::Gone => Verdict::BeginsAgain,
            Source::Answer { asked } if asked >= tick => Verdict::BeginsAgain,
            Source::List { begun, .. } if begun >= tick => Verdict::Doubtful,
            Source::Event { .. } if started_at.is_none() || started_at != known => Verdict::Doubtful,
            _ => Verdict::Stale,
        },
    }
}
