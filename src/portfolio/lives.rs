//! What happens to a life: it begins, goes on, ends, vanishes, begins again.

use super::Portfolio;
use super::clock::Now;
use super::judge::Source;
use super::life::{Ending, Life, Waits};
use super::merge;
use crate::model::*;

impl Portfolio {
    pub(super) fn begins(&mut self, said: &Sighting, source: Source, flags: u32, now: Now) {
        let started_at = said.started_at;
        self.asks.ask_now(&said.id, Some(said.kind), now.mono);
        let rucksack = self.pack_new_life(&said.id, now);
        if let Source::List { first: true, .. } = source {
            // Consumers learn of it by the replay.
            return self.ledger.set(&said.id, Life::Living { started_at });
        }
        let pid = said.details.is_none().then(|| now.mono + self.limits.hold);
        let waits = Waits { pid, rucksack };
        self.hold_or_release(&said.id, Life::Starting { waits, flags, started_at }, now);
    }

    pub(super) fn lives_on(&mut self, said: &Sighting, source: Source, changed: u64, now: Now) {
        let started = |known: Option<Time>| known.or(said.started_at);
        match self.ledger.life(&said.id) {
            Life::Starting { waits, flags, started_at } => {
                self.ledger.set(&said.id, Life::Starting { waits, flags, started_at: started(started_at) });
            }
            Life::Living { started_at } => {
                self.ledger.set(&said.id, Life::Living { started_at: started(started_at) });
                self.updated(&said.id, changed, now);
            }
            // The list that showed its end was wrong; its status says so.
            Life::Ending { started_at, .. } if matches!(source, Source::Answer { .. }) => {
                self.ledger.set(&said.id, Life::Living { started_at: started(started_at) });
                self.restate(said, now);
            }
            _ => {}
        }
    }

    /// The record says "exited", and that was wrong.
    pub(super) fn restate(&mut self, said: &Sighting, now: Now) {
        self.remark(&said.id, "a list showed it exited, and its status says that it runs: it is taken for running");
        let Some(entry) = self.entries.get(&said.id) else {
            return;
        };
        let mut record = Container::clone(&entry.record);
        (record.state, record.exit, record.finished_at) = (State::Running, None, None);
        self.put(&said.id, record);
        self.updated(&said.id, CRI_CHANGED_STATE, now);
    }

    pub(super) fn exited(&mut self, said: &Sighting, source: Source, changed: u64, now: Now) {
        let id = &said.id;
        let has_facts = said.is_status || said.kind == Kind::Sandbox;
        let until = now.mono + self.limits.hold;
        match self.ledger.life(id) {
            Life::None | Life::Unclear => self.first_seen_exited(said, source, has_facts, now),
            Life::Starting { .. } => {
                self.release(id, now);
                self.exited(said, source, changed, now);
            }
            Life::Living { .. } | Life::Ending { .. } if has_facts => self.tell_exited(id, source.flags(), now),
            Life::Living { started_at } => {
                self.ledger.set(id, Life::Ending { until, started_at });
                self.asks.ask_now(id, Some(said.kind), now.mono);
            }
            Life::Ending { .. } => {}
            Life::Over { how: Ending::Exited | Ending::Gone, started_at, tick } => {
                self.ledger.set(id, Life::Over { how: Ending::Exited, started_at, tick });
                self.updated(id, changed, now);
            }
            // The first list came a moment too late to show it alive; its own news say that it was.
            Life::Over { how: Ending::Untold, .. } if source.tells_a_life() => {
                self.first_seen_exited(said, source, has_facts, now);
            }
            Life::Over { how: Ending::Unresolved, .. } if has_facts => {
                self.unresolved -= 1;
                self.first_seen_exited(said, source, has_facts, now);
            }
            Life::Over { .. } => {}
        }
    }

    /// It has exited, and was never seen alive.
    pub(super) fn first_seen_exited(&mut self, said: &Sighting, source: Source, has_facts: bool, now: Now) {
        let id = &said.id;
        let untold = |how| Life::Over { how, started_at: said.started_at, tick: 0 };
        if let Source::List { first: true, .. } = source {
            return self.ledger.set(id, untold(Ending::Untold));
        }
        if !has_facts {
            self.ledger.set(id, Life::Unclear);
            return self.asks.ask_now(id, Some(said.kind), now.mono);
        }
        if said.never_started() {
            self.ledger.set(id, Life::Over { how: Ending::NeverStarted, started_at: None, tick: self.tick });
            return self.tell(EventType::Exited, source.flags() | CRI_EVENT_FLAG_NEVER_STARTED, 0, id, now);
        }
        // A sandbox's list entry does not tell whether it was ever ready. One that was made since the first list and
        // is still there has been: a failed RunPodSandbox cleans up behind itself.
        let lived = said.kind == Kind::Container || source.is_event() || self.horizon.is_after_first(said.created_at);
        if !lived {
            return self.ledger.set(id, untold(Ending::Untold));
        }
        let started_at = said.started_at;
        self.ledger.set(id, Life::Starting { waits: Waits::default(), flags: source.flags(), started_at });
        self.release(id, now);
        self.tell_exited(id, source.flags(), now);
    }

    /// It lived when the event was made, and is known to be over: both are told, the end as soon as it was asked how.
    pub(super) fn lived_and_is_over(&mut self, said: &Sighting, source: Source, now: Now) {
        let (id, started_at) = (&said.id, said.started_at);
        self.unresolved -= u64::from(matches!(self.ledger.life(id), Life::Over { how: Ending::Unresolved, .. }));
        self.ledger.set(id, Life::Starting { waits: Waits::default(), flags: source.flags(), started_at });
        self.release(id, now);
        match self.entries.get(id).map(|e| (e.present, merge::as_gone(&e.record))) {
            Some((false, record)) => self.end_as_gone(id, record, source, now),
            _ => {
                self.ledger.set(id, Life::Ending { until: now.mono + self.limits.hold, started_at });
                self.asks.ask_now(id, Some(said.kind), now.mono);
            }
        }
    }

    /// The engine no longer has it.
    pub(super) fn gone(&mut self, id: &Id, source: Source, now: Now) {
        // A late word may have begun a life after the departure was told.
        let is_open = self.ledger.life(id).is_open();
        let Some(entry) = self.entries.get(id).filter(|e| e.present || is_open) else { return };
        let is_dead = matches!(self.ledger.life(id), Life::Over { .. } | Life::None | Life::Unclear);
        let record = if is_dead { Container::clone(&entry.record) } else { merge::as_gone(&entry.record) };
        match self.ledger.life(id) {
            Life::Starting { .. } => {
                self.release(id, now);
                self.end_as_gone(id, record, source, now);
            }
            Life::Living { .. } | Life::Ending { .. } => self.end_as_gone(id, record, source, now),
            Life::Unclear => {
                self.unresolved += 1;
                self.remark(
                    id,
                    "seen only after its end, and gone before it could be learnt whether it had lived: not told",
                );
                self.ledger.set(id, Life::Over { how: Ending::Unresolved, started_at: None, tick: self.tick });
            }
            Life::None | Life::Over { .. } => {}
        }
        self.confirm(id, now);
        if self.entries.get(id).is_some_and(|e| e.present) {
            self.depart(id, source, now);
        }
    }

    pub(super) fn end_as_gone(&mut self, id: &Id, record: Container, source: Source, now: Now) {
        let had_facts = record.exit.as_ref().is_some_and(|e| *e != Exit::gone());
        self.put(id, record);
        let started_at = self.started_at(id);
        let how = if had_facts { Ending::Exited } else { Ending::Gone };
        self.ledger.set(id, Life::Over { how, started_at, tick: self.tick });
        self.tell(EventType::Exited, source.flags(), 0, id, now);
    }

    pub(super) fn depart(&mut self, id: &Id, source: Source, now: Now) {
        let tick = self.tick;
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        entry.present = false;
        entry.departed = tick;
        let (record, kind) = (Container::clone(&entry.record), entry.record.kind);
        self.changed = true;
        self.put(id, record);
        if kind == Kind::Sandbox {
            self.pod_is_gone(id, now);
        }
        self.asks.drop(id);
        self.packs.drop(id);
        self.ledger.depart(id, now.mono);
        self.tell(EventType::Removed, source.flags(), 0, id, now);
        self.graves.push_back((now.mono, id.clone()));
        self.forget_old(now);
    }

    /// The word is that it runs, in a life newer than the one we know: that one is over, if it was not yet.
    pub(super) fn end_before_restart(&mut self, said: &Sighting, source: Source, now: Now) {
        let id = &said.id;
        match self.ledger.life(id) {
            Life::Starting { .. } => {
                self.release(id, now);
                self.end_unseen(id, source, now);
            }
            Life::Living { .. } | Life::Ending { .. } => self.end_unseen(id, source, now),
            _ => {}
        }
        self.confirm(id, now);
        if let Some(entry) = self.entries.get(id) {
            let record = merge::as_restarted(&entry.record);
            self.put(id, record);
        }
    }

    pub(super) fn end_unseen(&mut self, id: &Id, source: Source, now: Now) {
        if let Some(entry) = self.entries.get(id) {
            let record = merge::as_gone(&entry.record);
            self.end_as_gone(id, record, source, now);
        }
    }
}
