//! Contradictions of the engine. Each is settled once, with one warning.
//!
//! | the engine says | what is done |
//! |---|---|
//! | a list: exited; its status: running | the watcher shows it as running; if lists still say "exited" 10 s later, it believes them: EXITED |
//! | a list: running; after its exit was reported | the watcher asks for its status once; if lists still say "running" 10 s later, it believes them: STARTED (REAPPEARED), and no longer believes statuses |
//! | a list shows it; its status: not found | the next list decides: if it still shows the container, the watcher believes it, and does not ask for the status again |
//! | a list: running; after its exit was reported; its status: not found | the watcher believes the list 10 s later |
//! | a list or a status: running; after the host has reported its end | as for a list after the exit was reported: the watcher believes the engine if it still says "running" 10 s later |
//! | a status: running; after a list's exit was reported | STARTED (REAPPEARED); if lists still say "exited" 10 s later, the watcher believes them: EXITED |
//! | running; its process is gone from the host | the state stays the engine's, the pid is withdrawn, and its status is asked for up to 5 times in 8 s: a busy engine notices late |
//!
//! The wait is 10 s because containerd's lists still say "ready" of a sandbox for a moment after its status says
//! otherwise.

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
    /// A list and a status have disagreed about the state since this time.
    State { since: Millis },
    /// The list is believed, and the state in statuses is not.
    ListStands,
    /// Since this time, lists show the container and its status is not found. No more status requests are made.
    NoStatus { since: Millis },
}

impl Portfolio {
    /// Notes that a list, or a late event, contradicts what was reported. The first time, it asks for the status.
    /// Returns whether the list is to be believed by now.
    pub(super) fn list_stands(&mut self, id: &Id, kind: Kind, source: Source, what: &str, now: Now) -> bool {
        let is_list = matches!(source, Source::List { .. });
        let Some(entry) = self.entries.get_mut(id) else {
            return false;
        };
        match entry.dispute {
            Dispute::None => {
                entry.dispute = Dispute::State { since: now.mono };
                self.counts.contradictions += 1;
                self.warning(id, what);
                self.status_queue.ask_now(id, Some(kind), now.mono, Reason::Contradiction);
                false
            }
            Dispute::State { since } | Dispute::NoStatus { since } if is_list && since + PATIENCE <= now.mono => {
                entry.dispute = Dispute::ListStands;
                true
            }
            Dispute::State { .. } | Dispute::NoStatus { .. } => false,
            Dispute::ListStands => is_list,
        }
    }

    /// Whether a list and a status have disagreed about this container's state.
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

    /// Ends a dispute when a list shows the state that is known.
    pub(super) fn list_agrees(&mut self, said: &Observation, source: Source) {
        if let (Source::List { .. }, Some(entry)) = (source, self.entries.get_mut(&said.id))
            && matches!(entry.dispute, Dispute::State { .. })
            && said.state == entry.record.state
        {
            entry.dispute = Dispute::None;
        }
    }

    /// Ends any dispute, because an event is news.
    pub(super) fn end_dispute(&mut self, id: &Id) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.dispute = Dispute::None;
        }
    }

    /// The engine answered "not found" to a status request, verbose or not.
    pub(super) fn not_found(&mut self, id: &Id, source: Source, now: Now) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        // It is gone if the engine has said so twice, or if neither a list nor a reported run shows that it ever
        // existed.
        if entry.deleted || entry.not_listed || entry.listed == 0 && !self.run_log.run(id).is_open() {
            return self.gone(id, source, now);
        }
        // A list that begins later decides. One list may settle many of these.
        entry.not_found = Some(self.tick);
        self.wants_list |= !matches!(entry.dispute, Dispute::NoStatus { .. } | Dispute::ListStands);
    }

    /// Notes that a list does not show a container whose status came while the list was made. Which of both is older is
    /// not known, so its status is asked for once more.
    pub(super) fn not_listed(&mut self, id: &Id, now: Now) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        entry.not_listed = true;
        let kind = Some(entry.record.kind).filter(|_| !entry.kind_is_guess);
        self.status_queue.ask_now(id, kind, now.mono, Reason::Contradiction);
    }

    /// Notes that the engine has a status for this id after all.
    pub(super) fn status_found(&mut self, id: &Id) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.not_found = None;
            if matches!(entry.dispute, Dispute::NoStatus { .. }) {
                entry.dispute = Dispute::None;
            }
        }
    }

    /// Notes that a list shows a container for which the engine has no status: the list is believed.
    pub(super) fn listed_without_status(&mut self, id: &Id, now: Now) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        if !matches!(entry.dispute, Dispute::NoStatus { .. } | Dispute::ListStands) {
            entry.dispute = Dispute::NoStatus { since: now.mono };
            self.counts.contradictions += 1;
            self.warning(id, "the engine lists it, and answers \"not found\" to a request for its status: the watcher believes the list");
        }
    }

    /// Notes that the process of this container is gone from the host. Most often its exit is about to be reported, so
    /// the record keeps the pid and the engine is asked.
    pub fn process_gone(&mut self, id: &Id, pid: i32, start_ticks: u64, now: Now) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        let is_this = entry.record.pid == Some(pid) && entry.record.pid_start_ticks == Some(start_ticks);
        if !is_this || !entry.record.is_running() {
            return;
        }
        entry.process_gone = true;
        let kind = entry.record.kind;
        self.status_queue.ask_now(id, Some(kind), now.mono, Reason::ProcessGone);
    }

    /// Withdraws a pid whose process is gone, once the engine was asked and still says that the container runs: the
    /// kernel may give the pid to another process at any moment. The state stays the engine's. The answer itself may
    /// have withdrawn the pid (`had_pid`), where the host does not show the process that it names.
    pub(super) fn withdraw_process(&mut self, id: &Id, had_pid: bool, now: Now) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        let is_gone = std::mem::take(&mut entry.process_gone);
        let has_pid = entry.record.pid.is_some();
        if !entry.record.is_running() || !(had_pid && !has_pid || is_gone && has_pid) {
            return;
        }
        // The run had its process, and will not get another one.
        entry.unanswered.given_up |= CRI_MISSING_PID;
        let before = entry.record.clone();
        let next = if has_pid { merge::without_process(&before) } else { Container::clone(&before) };
        let changed = next.changed_since(&before);
        self.counts.vanished_processes += 1;
        self.warning(id, "its process is gone, and the engine says that it runs: the watcher no longer shows its pid");
        self.put(id, next);
        self.updated(id, changed, now);
    }

    /// Asks again about a container that the engine takes for running although its process is gone. A busy engine needs
    /// longer than one answer to notice, and not every engine sends an event then. Each wait is twice as long as the one
    /// before; after some seconds it is left to the next list.
    pub(super) fn ask_for_end(&mut self, id: &Id, tries: u32, now: Now) {
        const TRIES: u32 = 5;
        let Some(entry) = self.entries.get(id).filter(|e| e.withdrawn.is_some() && e.record.is_running()) else {
            return;
        };
        let kind = entry.record.kind;
        if tries < TRIES && !self.status_queue.is_open(id) {
            self.status_queue.retry(id, kind, tries, now.mono, self.limits.retry_ceiling, Reason::ProcessGone);
        }
    }
}
