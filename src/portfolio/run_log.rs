//! Runs, and what was reported of them. The log remembers runs longer than ended containers can be looked up: a late or
//! repeated event must not report a run again.

use std::collections::{BTreeSet, VecDeque};

use super::clock::{Millis, Tick};
use crate::model::{Id, IdMap, Time};

/// How long the log remembers a run after its end. containerd replays events of up to five minutes.
const REMEMBER: Millis = 15 * 60 * 1000;
/// How many ended runs the log remembers at most. No node ends as many in that time.
const REMEMBER_MOST: usize = 100_000;

/// How a run ended, as far as we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The engine reported the exit.
    Exited,
    /// The engine no longer has the container, and has reported no exit.
    Gone,
    /// The host saw its process end while the engine was away.
    Witnessed,
    /// There was no run: the container could not be started.
    NeverStarted,
    /// The run was over before the first list: not reported.
    Unreported,
    /// The container was first seen after its end, and was gone before a status could show whether it had run. It is
    /// not reported, unless more becomes known.
    Unresolved,
}

/// What a STARTED waits for, and until when at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Waits {
    /// Waits for one attempt to learn the pid.
    pub pid: Option<Millis>,
    /// Waits for the rucksack.
    pub rucksack: Option<Millis>,
}

impl Waits {
    /// When the last wait ends; `None`: there is nothing to wait for.
    pub fn until(self) -> Option<Millis> {
        self.pid.max(self.rucksack)
    }
}

/// Where the run of an id stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Run {
    /// None was seen yet.
    #[default]
    None,
    /// Seen; STARTED is held back.
    Starting {
        waits: Waits,
        /// Flags of the STARTED to come.
        flags: u32,
        started_at: Option<Time>,
    },
    /// STARTED is reported.
    Running { started_at: Option<Time> },
    /// A list shows the end. EXITED waits, at most until then, for one attempt to learn the exit's facts.
    Ending { until: Millis, started_at: Option<Time> },
    /// A list shows a container that ended before the watcher saw it run. Its status will show whether it ran.
    Unclear,
    /// The run is over, and nothing more is to be reported.
    Over { how: Ending, started_at: Option<Time>, tick: Tick },
}

impl Run {
    /// Whether the run has begun and, as far as is known, not ended.
    fn goes_on(&self) -> bool {
        matches!(self, Run::Starting { .. } | Run::Running { .. })
    }

    /// Whether anything is still to be reported of the run.
    pub fn is_open(&self) -> bool {
        !matches!(self, Run::None | Run::Over { .. })
    }

    /// Whether the run is over and nothing of it was reported.
    pub fn is_over_unreported(&self) -> bool {
        matches!(self, Run::Over { how: Ending::Unreported | Ending::Unresolved, .. })
    }

    /// Whether STARTED was reported, and EXITED was not.
    pub fn is_reported_running(&self) -> bool {
        matches!(self, Run::Running { .. } | Run::Ending { .. })
    }

    fn held_until(&self) -> Option<Millis> {
        match self {
            Run::Starting { waits, .. } => waits.until(),
            Run::Ending { until, .. } => Some(*until),
            _ => None,
        }
    }
}

/// The runs of all ids that are present, reported or remembered.
#[derive(Debug, Default)]
pub(super) struct RunLog {
    runs: IdMap<Run>,
    /// Runs with a held-back event, by the time at which it has to be reported.
    held: BTreeSet<(Millis, Id)>,
    /// Ids that the engine no longer has, in the order in which they went.
    departed: VecDeque<(Millis, Id)>,
    turns: u64,
}

impl RunLog {
    pub fn run(&self, id: &str) -> Run {
        self.runs.get(id).copied().unwrap_or_default()
    }

    pub fn set(&mut self, id: &Id, run: Run) {
        let before = self.runs.insert(id.clone(), run).unwrap_or_default();
        self.turns += u64::from(before.goes_on() != run.goes_on());
        if let Some(until) = before.held_until() {
            self.held.remove(&(until, id.clone()));
        }
        if let Some(until) = run.held_until() {
            self.held.insert((until, id.clone()));
        }
    }

    /// How many runs have begun and ended so far; each begin and each end counts.
    pub fn turns(&self) -> u64 {
        self.turns
    }

    /// When the next held-back event has to be reported.
    pub fn deadline(&self) -> Option<Millis> {
        self.held.first().map(|(until, _)| *until)
    }

    /// Ids whose held-back event has to be reported now.
    pub fn due(&self, now: Millis) -> Vec<Id> {
        self.held.iter().take_while(|(until, _)| *until <= now).map(|(_, id)| id.clone()).collect()
    }

    /// Notes that the engine no longer has this id.
    pub fn depart(&mut self, id: &Id, now: Millis) {
        self.departed.push_back((now, id.clone()));
    }

    /// Forgets ids that went long ago and are not `kept`; returns when the last of them went.
    pub fn forget(&mut self, now: Millis, kept: impl Fn(&Id) -> bool) -> Option<Millis> {
        let mut latest = None;
        while self.departed.len() > REMEMBER_MOST || self.departed.front().is_some_and(|(at, ..)| *at + REMEMBER <= now)
        {
            let Some((at, id)) = self.departed.pop_front() else {
                break;
            };
            if !kept(&id) {
                self.runs.remove(&id);
                latest = latest.max(Some(at));
            }
        }
        latest
    }

    pub fn len(&self) -> usize {
        self.runs.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_comes_due_once() {
        let (mut run_log, id): (RunLog, Id) = (RunLog::default(), "a".into());
        run_log.set(
            &id,
            Run::Starting { waits: Waits { pid: Some(200), rucksack: Some(100) }, flags: 0, started_at: None },
        );
        assert_eq!((run_log.deadline(), run_log.due(199).len(), run_log.due(200).len()), (Some(200), 0, 1));
        run_log.set(&id, Run::Running { started_at: None });
        assert_eq!((run_log.deadline(), run_log.due(1000).len()), (None, 0));
    }

    #[test]
    fn the_log_forgets_only_what_left_long_ago() {
        let (mut run_log, id): (RunLog, Id) = (RunLog::default(), "a".into());
        run_log.set(&id, Run::Over { how: Ending::Exited, started_at: None, tick: 1 });
        run_log.depart(&id, 1000);
        assert_eq!(run_log.forget(1000 + REMEMBER - 1, |_| false), None);
        assert_eq!(run_log.forget(1000 + REMEMBER, |_| true), None);
        assert_ne!(run_log.run("a"), Run::None, "it is back: kept");
        run_log.depart(&id, 2000);
        assert_eq!(run_log.forget(2000 + REMEMBER, |_| false), Some(2000));
        assert_eq!(run_log.run("a"), Run::None);
    }
}
