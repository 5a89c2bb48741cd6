//! Applies a full list: each entry is a statement, and what the list does not show is gone.
//!
//! Most entries of most lists repeat the list before. Those change nothing, and are not even decoded.

use super::clock::{Now, Tick};
use super::disputes::Dispute;
use super::judge::Source;
use super::run_log::{Ending, Run};
use super::{Entry, Portfolio};
use crate::cri::{Listing, Unreadable};
use crate::model::*;

/// The list that is being applied.
#[derive(Clone, Copy)]
struct Applied {
    source: Source,
    begun: Tick,
    /// The tick at which it is applied.
    tick: Tick,
    now: Now,
}

impl Portfolio {
    /// Applies a full list that began at `begun`. The list is complete, so what it does not show is gone.
    pub fn listed(&mut self, begun: Tick, begun_wall: Time, listing: Listing, now: Now) {
        let tick = self.next_tick(now);
        let first = !self.synced;
        if first {
            self.horizon.begin(begun_wall);
        }
        let source = Source::List { begun, first };
        let list = Applied { source, begun, tick, now };
        let mut is_complete = listing.is_complete();
        listing.unreadable.into_iter().for_each(|entry| self.note_unreadable(entry));
        for said in listing.sandboxes.into_iter().chain(listing.containers) {
            if !self.is_repeated(&said.id, said.fingerprint, list) {
                self.list_states(said, list);
            }
        }
        for entry in listing.undecoded {
            if entry.id().is_some_and(|id| self.is_repeated(id, entry.fingerprint(), list)) {
                continue;
            }
            let kind = entry.kind();
            match entry.decode() {
                Ok(said) => self.list_states(said, list),
                Err(entry) => {
                    is_complete &= entry.id.is_some();
                    let observation = entry.observation(kind);
                    self.note_unreadable(entry);
                    observation.into_iter().for_each(|said| self.list_states(said, list));
                }
            }
        }
        if is_complete {
            self.end_absent(list);
        }
        self.unlisted = self.entries.values().filter(|e| e.present && e.listed != tick).count();
        for id in self.status_queue.drop_hints(begun) {
            // While the hint's request was planned, the missing fields were not asked for.
            self.ask_for_missing(&id, 0, now);
        }
        if !first {
            self.births_go_on(now);
        }
        self.count_not_told();
        self.packer.try_again();
        if first {
            self.pack_initial(now);
        }
        self.synced = true;
    }

    /// Applies an entry that is, or may be, news.
    fn list_states(&mut self, said: Observation, list: Applied) {
        let Applied { source, begun, tick, now } = list;
        let (id, state, fingerprint) = (said.id.clone(), said.state, said.fingerprint);
        let entry = self.entries.get_mut(&id);
        let in_doubt = entry.is_some_and(|e| e.not_found.take_if(|came| *came <= begun).is_some());
        self.statement(said, source, now);
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.listed = tick;
            // An entry that was not believed, because something newer or another state is known, may be believed the
            // next time.
            let is_believed = entry.affirmed == begun && entry.record.state == state;
            entry.listed_as = fingerprint.filter(|_| is_believed);
        }
        if in_doubt {
            self.listed_without_status(&id, now);
        }
    }

    /// Whether an entry repeats the last list, nothing else was heard of this id since, and nothing about it is open.
    /// If so, notes that the engine still has it; nothing else follows.
    fn is_repeated(&mut self, id: &str, fingerprint: Option<Fingerprint>, list: Applied) -> bool {
        let Some(entry) = self.entries.get_mut(id) else {
            return false;
        };
        let is_same = fingerprint.is_some() && entry.listed_as == fingerprint;
        let is_open = || self.status_queue.is_open(id) || self.lookups.is_open(id);
        if !is_same || !entry.is_quiet(self.run_log.run(id)) || is_open() {
            return false;
        }
        entry.listed = list.tick;
        entry.affirm(list.begun, list.tick);
        true
    }

    /// Ends what the list does not show.
    fn end_absent(&mut self, list: Applied) {
        // A late event may have begun a run after the container had gone: that run ends here, too.
        let is_open = |e: &Entry| e.present || self.run_log.run(&e.record.id).is_open();
        let is_absent = |e: &Entry| e.listed != list.tick && e.affirmed <= list.begun && is_open(e);
        let absent: Vec<Id> = self.entries.values().filter(|e| is_absent(e)).map(|e| e.record.id.clone()).collect();
        for id in absent {
            if self.entries.get(&id).is_some_and(|e| e.heard > list.begun) {
                self.not_listed(&id, list.now);
            } else {
                self.gone(&id, list.source, list.now);
            }
        }
    }

    /// Logs an entry that could not be decoded, once for each id.
    pub(super) fn note_unreadable(&mut self, entry: Unreadable) {
        let Unreadable { id, reason } = entry;
        let is_new = match &id {
            Some(id) => self.unreadable.insert(id.clone()),
            None => self.warned.insert("an entry without an id"),
        };
        if !is_new {
            return;
        }
        self.counts.unreadable += 1;
        let what =
            format!("an entry of the engine's reply cannot be decoded ({reason}): the watcher uses the other entries");
        self.warning(&id.unwrap_or_else(|| "no id".into()), &what);
    }
}

impl Entry {
    /// Whether nothing is in doubt, held back or missing, so that the same statement once more would change nothing.
    fn is_quiet(&self, run: Run) -> bool {
        let is_certain = self.present && !self.kind_is_guess && !self.deleted && self.not_found.is_none();
        let run_agrees = match (self.record.state, run) {
            (State::Created, Run::None) | (State::Running, Run::Running { .. }) => true,
            (State::Exited, Run::Over { how, .. }) => {
                matches!(how, Ending::Exited | Ending::NeverStarted | Ending::Unreported)
            }
            _ => false,
        };
        is_certain && run_agrees && self.dispute == Dispute::None && self.record.missing == 0
    }
}
