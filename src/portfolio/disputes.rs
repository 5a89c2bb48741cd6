//! Contradictions of the engine. Each is settled once, with one warning.
//!
//! | the engine says | what is done |
//! |---|---|
//! | a list: exited; its status: running | it is taken for running; if lists still say so 10 s later, the list is believed: EXITED |
//! | a list: running, after EXITED was reported | its status is asked for once; if lists still say so 10 s later, the list is believed: STARTED (REAPPEARED), and statuses are not any more |
//! | a list shows it; its status: not found | the next list decides; one that still shows it is believed, and its status is not asked for again |
//! | running; its process is gone from the host | the state stays the engine's, the pid is withdrawn, its status is asked for once |
//!
//! Ten seconds, because containerd's lists say "ready" of a sandbox for a moment after its status says otherwise.

use super::Portfolio;
use super::clock::{Millis, Now};
use super::judge::Source;
use super::merge;
use super::status_queue::Reason;
use crate::model::*;

/// How long a contradiction may last before it is settled: the two statements may be of different moments.
const PATIENCE: Millis = 10_000;

/// A contradiction of the engine about one container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Dispute {
    /// No contradiction is known.
    #[default]
    None,
    /// A list and a status disagree about the state, since then.
    State { since: Millis },
    /// The list is believed, and the state in statuses is not.
    ListStands,
    /// Lists show it, and its status is not found. It is not asked for again.
    NoStatus,
}

impl Portfolio {
    /// Whether a list that contradicts a reported event is believed by now. The first time, the status is asked for.
    pub(super) fn list_stands(&mut self, id: &Id, kind: Kind, what: &str, now: Now) -> bool {
        let Some(entry) = self.entries.get_mut(id) else {
            return false;
        };
        match entry.dispute {
            Dispute::None | Dispute::NoStatus => {
                entry.dispute = Dispute::State { since: now.mono };
                self.counts.contradictions += 1;
                self.warning(id, what);
                self.status_queue.ask_now(id, Some(kind), now.mono, Reason::Contradiction);
                false
            }
            Dispute::State { since } if since + PATIENCE <= now.mono => {
                entry.dispute = Dispute::ListStands;
                true
            }
            Dispute::State { .. } => false,
            Dispute::ListStands => true,
        }
    }

    /// Whether a list and a status have disagreed about its state.
    pub(super) fn is_disputed(&self, id: &Id) -> bool {
        self.entries.get(id).is_some_and(|e| matches!(e.dispute, Dispute::State { .. } | Dispute::ListStands))
    }

    /// Whether a status contradicts a state for which the list is believed.
    pub(super) fn is_overruled(&self, observation: &Observation, source: Source) -> bool {
        let Some(entry) = self.entries.get(&observation.id) else {
            return false;
        };
        entry.dispute == Dispute::ListStands
            && matches!(source, Source::Answer { .. })
            && observation.state != entry.record.state
    }

    /// Ends the dispute: an event is newer than the statements that contradicted each other.
    pub(super) fn end_dispute(&mut self, id: &Id) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.dispute = Dispute::None;
        }
    }

    /// The engine answered "not found" to a status request, verbose or not.
    pub(super) fn not_found(&mut self, id: &Id, source: Source, now: Now) {
        let asked = source.as_of(self.tick);
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        // Two statements say that it is gone, or no list has ever shown it.
        if entry.deleted || entry.listed == 0 {
            return self.gone(id, source, now);
        }
        // A list that began later decides; it may be one of many that the same list settles.
        entry.not_found = Some(asked);
        self.wants_list = entry.dispute != Dispute::NoStatus;
    }

    /// A list shows an id whose status was not found: the list is believed.
    pub(super) fn listed_without_status(&mut self, id: &Id) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        if std::mem::replace(&mut entry.dispute, Dispute::NoStatus) != Dispute::NoStatus {
            self.counts.contradictions += 1;
            self.warning(id, "the engine lists it and says that it has no status of it: the list stands");
        }
    }

    /// The process of this container is gone from the host. The state stays as the engine gives it; the pid is
    /// withdrawn, because another process may get it.
    pub fn process_gone(&mut self, id: &Id, pid: i32, start_ticks: u64, now: Now) {
        let Some(entry) = self.entries.get(id) else {
            return;
        };
        let is_this = entry.record.pid == Some(pid) && entry.record.pid_start_ticks == Some(start_ticks);
        if !is_this || !entry.record.is_running() {
            return;
        }
        let (kind, before) = (entry.record.kind, entry.record.clone());
        let without = merge::without_process(&before);
        let changed = without.changed_since(&before);
        self.counts.vanished_processes += 1;
        self.put(id, without);
        self.updated(id, changed, now);
        self.status_queue.ask_now(id, Some(kind), now.mono, Reason::ProcessGone);
    }
}
