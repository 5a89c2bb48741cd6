//! Fields that the engine has not given yet. The watcher asks for them again, until it is clear that the engine does not
//! give them.

use std::sync::Arc;

use super::Portfolio;
use super::clock::Now;
use super::disputes::Dispute;
use super::status_queue::Reason;
use crate::model::json::missing_keys;
use crate::model::*;

/// After how many equal answers in a row without a field the watcher gives the field up.
const EQUAL_ANSWERS: u8 = 3;

/// The fields of one run that the engine was asked for and did not give.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Unanswered {
    /// The fields that the newest answer did not have: bits of `CRI_MISSING_*`.
    missing: u64,
    /// How many answers in a row lacked exactly these.
    answers: u8,
    /// The fields that are given up.
    pub given_up: u64,
}

impl Unanswered {
    /// Notes an answer without these fields. Returns the fields that are given up because of it.
    fn answered(&mut self, missing: u64) -> u64 {
        self.answers = if missing == self.missing { self.answers.saturating_add(1) } else { 1 };
        self.missing = missing;
        if missing == 0 || self.answers < EQUAL_ANSWERS {
            return 0;
        }
        self.given_up |= missing;
        missing
    }
}

impl Portfolio {
    /// Gives up the fields that several answers in a row lack. Called after an answer was merged.
    pub(super) fn note_answer(&mut self, id: &Id) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        let given_up = entry.unanswered.answered(entry.record.missing);
        if given_up == 0 {
            return;
        }
        self.counts.not_told += u64::from(given_up.count_ones());
        let record = entry.record.clone();
        self.warn_once(id, &record, given_up);
        self.put(id, Container::clone(&record));
    }

    /// Gives up all missing fields of this run.
    fn give_up(&mut self, id: &Id) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        entry.unanswered.given_up |= entry.record.missing;
        self.counts.not_told += u64::from(entry.record.missing.count_ones());
        let record = Container::clone(&entry.record);
        self.put(id, record);
    }

    /// Logs one line for each field, not one for each container.
    fn warn_once(&mut self, id: &Id, record: &Container, given_up: u64) {
        let new: Vec<_> = missing_keys(given_up).into_iter().filter(|key| self.warned.insert(key)).collect();
        if new.is_empty() {
            return;
        }
        let mut what =
            format!("the engine answered {EQUAL_ANSWERS} times without {}: the watcher no longer asks", new.join(", "));
        if let Some(pid) = record.engine_pid.filter(|_| new.contains(&"pid")) {
            what = format!(
                "the engine gives pid {pid}, and no such process is in /proc below host.root: its pid stays unknown (run in the \
                 host's pid namespace, or mount the host's /proc and set host.root)"
            );
        }
        self.warning(id, &what);
    }

    /// Asks again for the missing fields, a little later each time.
    pub(super) fn ask_for_missing(&mut self, id: &Id, tries: u32, now: Now) {
        /// Containers that ended before the first list wait until the pids of running ones are known.
        const NO_HURRY: u32 = 3;
        let Some(entry) = self.entries.get(id).filter(|e| e.present) else {
            return;
        };
        let (kind, created) = (entry.record.kind, entry.record.state == State::Created);
        let is_under_way = self.status_queue.is_open(id) || self.lookups.is_open(id);
        if self.missing_now(id) == 0 || created || is_under_way {
            return;
        }
        // The engine has no status of this container, or its statuses are not believed.
        if matches!(entry.dispute, Dispute::NoStatus { .. } | Dispute::ListStands) {
            return self.give_up(id);
        }
        let tries = if tries == 0 { NO_HURRY } else { tries };
        self.status_queue.retry(id, kind, tries, now.mono, self.limits.retry_ceiling, Reason::Missing);
    }

    /// A container that lacks a field for which no request is planned before the next list. There must be none.
    #[cfg(test)]
    pub(crate) fn neglected(&self) -> Option<&Arc<Container>> {
        let is_left = |id: &Id, e: &super::Entry| {
            let stands = matches!(e.dispute, Dispute::NoStatus { .. } | Dispute::ListStands);
            let is_asked_for = self.status_queue.is_open(id) || self.lookups.is_open(id);
            e.present && e.record.state != State::Created && !stands && self.missing_now(id) != 0 && !is_asked_for
        };
        self.entries.iter().find(|(id, e)| is_left(id, e)).map(|(_, e)| &e.record)
    }

    /// The fields that were given up, each with the number of containers in the newest list that lack it.
    pub fn not_told(&self) -> &Arc<[(&'static str, u64)]> {
        &self.not_told
    }

    pub(super) fn count_not_told(&mut self) {
        let mut counts = [0u64; 64];
        for entry in self.entries.values().filter(|e| e.present) {
            let mut bits = entry.unanswered.given_up;
            while bits != 0 {
                counts[bits.trailing_zeros() as usize] += 1;
                bits &= bits - 1;
            }
        }
        let named = counts.iter().enumerate().filter(|(_, n)| **n > 0);
        let named = named.flat_map(|(bit, n)| missing_keys(1 << bit).into_iter().map(|key| (key, *n)));
        let named: Vec<_> = named.collect();
        if *named != *self.not_told {
            self.not_told = named.into();
        }
    }
}
