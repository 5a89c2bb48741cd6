//! Lives, and the ledger of what was told of them. It remembers longer than anybody can look up the dead: a late or
//! repeated event must not tell a life again.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::clock::{Millis, Tick};
use crate::model::{Id, Time};

/// How long the ledger remembers a life after its end. containerd replays events of up to five minutes.
const REMEMBER: Millis = 15 * 60 * 1000;
/// ... and of how many at most: no node ends as many in that time.
const REMEMBER_MOST: usize = 100_000;

/// How a life ended, as far as we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The engine said so.
    Exited,
    /// It merely vanished.
    Gone,
    /// There was no life: it could not be started.
    NeverStarted,
    /// It was over before the first list: not told.
    Untold,
    /// It was first seen when it was over, and was gone before it could be asked whether it had lived: not told,
    /// unless more comes to be known.
    Unresolved,
}

/// What a STARTED is held back for, and at most until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Waits {
    /// For one attempt at the pid.
    pub pid: Option<Millis>,
    /// For the rucksack.
    pub rucksack: Option<Millis>,
}

impl Waits {
    /// `None`: for nothing.
    pub fn until(self) -> Option<Millis> {
        self.pid.max(self.rucksack)
    }
}

/// Where the life of an id stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Life {
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
    /// STARTED is told.
    Living { started_at: Option<Time> },
    /// A list shows its end; EXITED is held back for one attempt at the exit's facts, at most until then.
    Ending { until: Millis, started_at: Option<Time> },
    /// A list shows something that ended without our having seen it live: its status will tell whether it did.
    Unclear,
    /// It is over, and that is told.
    Over { how: Ending, started_at: Option<Time>, tick: Tick },
}

impl Life {
    /// Whether anything is still to be told of it.
    pub fn is_open(&self) -> bool {
        !matches!(self, Life::None | Life::Over { .. })
    }

    /// Whether it is over without anything having been told of it.
    pub fn is_over_untold(&self) -> bool {
        matches!(self, Life::Over { how: Ending::Untold | Ending::Unresolved, .. })
    }

    /// Whether consumers were told a STARTED without an EXITED.
    pub fn is_told_living(&self) -> bool {
        matches!(self, Life::Living { .. } | Life::Ending { .. })
    }

    fn held_until(&self) -> Option<Millis> {
        match self {
            Life::Starting { waits, .. } => waits.until(),
            Life::Ending { until, .. } => Some(*until),
            _ => None,
        }
    }
}

/// The lives of all ids that are present, told or remembered.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    lives: HashMap<Id, Life>,
    /// Lives that hold something back, by when they no longer may.
    held: BTreeSet<(Millis, Id)>,
    /// Ids that the engine no longer has, in the order of their going.
    departed: VecDeque<(Millis, Id)>,
}

impl Ledger {
    pub fn life(&self, id: &str) -> Life {
        self.lives.get(id).copied().unwrap_or_default()
    }

    pub fn set(&mut self, id: &Id, life: Life) {
        let before = self.lives.insert(id.clone(), life).unwrap_or_default();
        if let Some(until) = before.held_until() {
            self.held.remove(&(until, id.clone()));
        }
        if let Some(until) = life.held_until() {
            self.held.insert((until, id.clone()));
        }
    }

    /// When the next held-back event has to go out.
    pub fn deadline(&self) -> Option<Millis> {
        self.held.first().map(|(until, _)| *until)
    }

    /// Ids whose held-back event has to go out now.
    pub fn due(&self, now: Millis) -> Vec<Id> {
        self.held.iter().take_while(|(until, _)| *until <= now).map(|(_, id)| id.clone()).collect()
    }

    /// The engine no longer has this id.
    pub fn depart(&mut self, id: &Id, now: Millis) {
        self.departed.push_back((now, id.clone()));
    }

    /// Forgets what departed long ago and is not `kept`; tells when the last of them did.
    pub fn forget(&mut self, now: Millis, kept: impl Fn(&Id) -> bool) -> Option<Millis> {
        let mut latest = None;
        while self.departed.len() > REMEMBER_MOST || self.departed.front().is_some_and(|(at, ..)| *at + REMEMBER <= now)
        {
            let Some((at, id)) = self.departed.pop_front() else {
                break;
            };
            if !kept(&id) {
                self.lives.remove(&id);
                latest = latest.max(Some(at));
            }
        }
        latest
    }

    pub fn len(&self) -> usize {
        self.lives.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_comes_due_once() {
        let (mut ledger, id): (Ledger, Id) = (Ledger::default(), "a".into());
        ledger.set(
            &id,
            Life::Starting { waits: Waits { pid: Some(200), rucksack: Some(100) }, flags: 0, started_at: None },
        );
        assert_eq!((ledger.deadline(), ledger.due(199).len(), ledger.due(200).len()), (Some(200), 0, 1));
        ledger.set(&id, Life::Living { started_at: None });
        assert_eq!((ledger.deadline(), ledger.due(1000).len()), (None, 0));
    }

    #[test]
    fn the_ledger_forgets_only_what_left_long_ago() {
        let (mut ledger, id): (Ledger, Id) = (Ledger::default(), "a".into());
        ledger.set(&id, Life::Over { how: Ending::Exited, started_at: None, tick: 1 });
        ledger.depart(&id, 1000);
        assert_eq!(ledger.forget(1000 + REMEMBER - 1, |_| false), None);
        assert_eq!(ledger.forget(1000 + REMEMBER, |_| true), None);
        assert_ne!(ledger.life("a"), Life::None, "it is back: kept");
        ledger.depart(&id, 2000);
        assert_eq!(ledger.forget(2000 + REMEMBER, |_| false), Some(2000));
        assert_eq!(ledger.life("a"), Life::None);
    }
}
