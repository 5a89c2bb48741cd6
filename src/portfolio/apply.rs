//! The rules: what each statement of the engine means for the lives that are told.
//!
//! Events are hints and lists are the authority, but an event that carries the status of its id is believed at once.
//! Whatever is not sure is asked, by one status request. docs/events.md states the guarantees that follow.

use std::sync::Arc;

use super::clock::{Now, Tick};
use super::judge::{Running, Source, judge_running};
use super::life::{Ending, Life};
use super::{Entry, Portfolio, Question, merge};
use crate::cri::{EngineEvent, EventKind, Listing};
use crate::model::*;

impl Portfolio {
    /// A full list that began at `begun`; it is complete, so what it does not show is gone.
    pub fn listed(&mut self, begun: Tick, begun_wall: Time, listing: Listing, now: Now) {
        let tick = self.next_tick(now);
        let first = !self.synced;
        if first {
            self.horizon.begin(begun_wall);
        }
        let source = Source::List { begun, first };
        for said in listing.sandboxes.into_iter().chain(listing.containers) {
            let id = said.id.clone();
            self.statement(said, source, now);
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.listed = tick;
            }
        }
        // A late word may have begun a life after the departure was told: that one ends here, too.
        let is_open = |e: &Entry| e.present || self.ledger.life(&e.record.id).is_open();
        let is_absent = |e: &&Entry| e.listed != tick && e.affirmed <= begun && is_open(e);
        let absent: Vec<Id> = self.entries.values().filter(is_absent).map(|e| e.record.id.clone()).collect();
        for id in absent {
            self.gone(&id, source, now);
        }
        self.unlisted = self.entries.values().filter(|e| e.present && e.listed != tick).count();
        self.asks.drop_hints(begun);
        self.packs.try_again();
        if first {
            self.pack_opening(now);
        }
        self.synced = true;
    }

    /// An event. Only the first list makes the difference between news and history, so there has to be one before.
    pub fn event(&mut self, event: EngineEvent, now: Now) {
        let tick = self.next_tick(now);
        if self.unlisted >= self.limits.unlisted && !self.entries.contains_key(&event.id) {
            return;
        }
        let kind = event.sandbox.as_ref().filter(|s| s.id == event.id).map(|_| Kind::Sandbox);
        if !self.horizon.is_fresh(event.created_at) {
            return self.hint(&event.id, kind, tick, now);
        }
        let is_own = |s: &Sighting| s.id == event.id;
        let told_own = event.sandbox.as_ref().is_some_and(is_own) || event.containers.iter().any(is_own);
        let pod_id = event.sandbox.as_ref().map(|s| s.id.clone());
        if let Some(sandbox) = event.sandbox {
            self.sandbox_of_event(sandbox, &event.id, event.kind, now);
        }
        for said in event.containers {
            let own = event.kind.filter(|_| said.id == event.id);
            self.statement(said, Source::Event { own }, now);
        }
        match event.kind {
            Some(EventKind::Deleted) => self.deleted(&event.id, kind, now),
            Some(EventKind::Started | EventKind::Stopped) if !told_own => {
                self.bare_word(&event.id, kind, pod_id, now);
            }
            _ if !told_own => self.hint(&event.id, kind, tick, now),
            _ => {}
        }
    }

    /// The answer to a question: a status, `None` if the engine has no such thing, or a failed request.
    pub fn answered<E>(&mut self, question: &Question, answer: Result<Option<Sighting>, E>, now: Now) {
        self.next_tick(now);
        let id = &question.id;
        let tries = self.asks.tries(id);
        let source = Source::Answer { asked: question.asked };
        self.asks.came_back(id);
        match answer {
            Ok(Some(said)) => self.statement(said, source, now),
            Ok(None) if self.entries.get(id).is_some_and(|e| e.affirmed <= question.asked) => {
                self.gone(id, source, now);
            }
            Ok(None) | Err(_) => {}
        }
        if !self.entries.contains_key(id) {
            return;
        }
        self.was_attempted(id, now);
        if matches!(self.ledger.life(id), Life::Over { tick, .. } if question.asked >= tick) {
            self.confirm(id, now);
        }
        self.ask_for_missing(id, tries, now);
    }

    /// Time has passed: what was held back goes out, and old tombstones crumble.
    pub fn pass(&mut self, now: Now) {
        self.horizon.follow(now);
        self.packs.pass(now.mono);
        for id in self.ledger.due(now.mono) {
            self.release(&id, now);
        }
        self.forget_old(now);
    }

    fn next_tick(&mut self, now: Now) -> Tick {
        self.horizon.follow(now);
        self.tick += 1;
        self.tick
    }

    /// One statement about one container or sandbox.
    fn statement(&mut self, said: Sighting, source: Source, now: Now) {
        if let Some(pod) = &said.pod {
            self.note_pod(pod, now);
        }
        let life = self.ledger.life(&said.id);
        let verdict = (said.state == State::Running).then(|| judge_running(life, said.started_at, source));
        let is_over = matches!(life, Life::Over { .. });
        // Late or repeated words on what is over and forgotten, or merely over.
        let is_late = is_over && source.is_event() && verdict.is_none() && !self.entries.contains_key(&said.id);
        match verdict {
            _ if is_late => return,
            Some(Running::Stale) => return,
            Some(Running::Doubtful) => {
                self.remark(&said.id, "the engine shows it running after its exit was told: asked about it");
                return self.asks.ask_now(&said.id, Some(said.kind), now.mono);
            }
            Some(Running::BeginsAgain) => self.end_before_restart(&said, source, now),
            _ => {}
        }
        let is_new = !self.entries.contains_key(&said.id);
        let changed = self.merge(&said, source);
        match (verdict, said.state) {
            (Some(Running::Begins), _) => self.begins(&said, source, source.flags(), now),
            (Some(Running::BeginsAgain), _) => {
                let was_told = !life.is_over_untold() && !matches!(life, Life::Over { how: Ending::NeverStarted, .. });
                let flag = if was_told { CRI_EVENT_FLAG_REAPPEARED } else { 0 };
                self.begins(&said, source, source.flags() | flag, now);
            }
            (Some(Running::Overtaken), _) => self.lived_and_is_over(&said, source, now),
            (Some(_), _) => self.lives_on(&said, source, changed, now),
            (None, State::Exited) => self.exited(&said, source, changed, now),
            (None, State::Created) if is_new && self.synced => {
                self.tell(EventType::Created, source.flags(), 0, &said.id, now);
            }
            (None, _) => self.updated(&said.id, changed, now),
        }
        if !matches!(source, Source::Answer { .. }) {
            self.ask_for_missing(&said.id, 0, now);
        }
    }

    /// An event's sandbox is its controller's word. That it is no longer ready is believed only in the sandbox's own
    /// events: containerd's lists, which are the authority, say so a moment later.
    fn sandbox_of_event(&mut self, said: Sighting, about: &Id, kind: Option<EventKind>, now: Now) {
        let own = kind.filter(|_| said.id == *about);
        if said.id == *about || said.state == State::Running {
            return self.statement(said, Source::Event { own }, now);
        }
        let known = self.pods.get(&said.id).map(|p| p.state);
        if let Some(pod) = &said.pod {
            self.note_pod(&Pod { state: known.unwrap_or(pod.state), ..Pod::clone(pod) }, now);
        }
    }

    /// An event without a status: something has lived, and more about it has to be asked.
    fn bare_word(&mut self, id: &Id, kind: Option<Kind>, pod_id: Option<Id>, now: Now) {
        let source = Source::Event { own: None };
        let known = self.entries.get(id).map(|e| e.record.kind);
        // Only a container's event tells of a sandbox with another id.
        let is_guess = pod_id.is_none() && kind.is_none() && self.entries.get(id).is_none_or(|e| e.kind_is_guess);
        let said = Sighting {
            state: State::Running,
            pod_id,
            ..Sighting::of(id.clone(), known.or(kind).unwrap_or(Kind::Container))
        };
        match self.ledger.life(id) {
            Life::None => self.statement(said, source, now),
            Life::Unclear => self.lived_and_is_over(&said, source, now),
            life if life.is_over_untold() => self.lived_and_is_over(&said, source, now),
            _ => {}
        }
        if let Some(entry) = self.entries.get_mut(id) {
            entry.kind_is_guess = is_guess;
        }
        self.asks.ask_now(id, known.or(kind), now.mono);
    }

    pub(super) fn remark(&mut self, id: &Id, what: &str) {
        let path = self.entries.get(id).map_or_else(String::new, |e| e.record.path());
        self.remarks.push(format!("{path} ({id}): {what}"));
    }

    fn hint(&mut self, id: &Id, kind: Option<Kind>, tick: Tick, now: Now) {
        /// Events come in bursts: a little later, the same question settles several.
        const DEBOUNCE: u64 = 30;
        if !matches!(self.ledger.life(id), Life::Over { .. }) {
            self.asks.hint(id, kind, now.mono + DEBOUNCE, tick);
        }
    }

    /// The engine says that it has deleted it. CRI-O 1.26 says so of containers that it has merely stopped, so that
    /// a life is not ended on this word alone.
    fn deleted(&mut self, id: &Id, kind: Option<Kind>, now: Now) {
        match self.ledger.life(id) {
            Life::None | Life::Over { .. } => self.gone(id, Source::Event { own: None }, now),
            _ => self.asks.ask_now(id, kind, now.mono),
        }
    }

    /// Merges the statement into the record, and tells which bits of `CRI_CHANGED_*` that changed.
    fn merge(&mut self, said: &Sighting, source: Source) -> u64 {
        let entry = self.entries.get(&said.id);
        let pod_id = said.pod_id.clone().or_else(|| entry.and_then(|e| e.pod_id.clone()));
        let pod = pod_id.as_ref().and_then(|id| self.pods.get(id)).cloned();
        let as_of = source.as_of(self.tick);
        let fresh = entry.is_none_or(|e| as_of >= e.stated);
        let before = entry.map(|e| e.record.clone());
        // A word without a status may have been taken for another kind; what the program added stays.
        let of_this_kind = before.as_deref().filter(|r| r.kind == said.kind);
        let mut next = merge::merge(of_this_kind, said, pod, fresh);
        next.rucksack = before.as_ref().and_then(|r| r.rucksack.clone());
        // A late event on what is over does not bring it back, nor does a list that began before it went.
        let over = matches!(self.ledger.life(&said.id), Life::Over { .. });
        self.unlisted += usize::from(source.is_event() && !self.entries.contains_key(&said.id));
        let entry = self.entries.entry(said.id.clone()).or_insert_with(|| Entry::new(&said.id, said.kind));
        entry.kind_is_guess = false;
        entry.no_pid |= said.details.as_ref().is_some_and(|d| d.no_pid);
        entry.affirmed = entry.affirmed.max(as_of);
        entry.stated = entry.stated.max(as_of);
        if !entry.present {
            let revives = said.state == State::Running || !source.is_event() || !over;
            entry.present = as_of >= entry.departed && revives;
            self.changed |= entry.present;
        }
        if let Some(pod_id) = pod_id {
            entry.pod_id = Some(pod_id.clone());
            self.members.entry(pod_id).or_default().insert(said.id.clone());
        }
        let bits = before.as_deref().map_or(0, |before| next.changed_since(before));
        self.put(&said.id, next);
        bits
    }

    /// Makes this the record of the id.
    pub(super) fn put(&mut self, id: &Id, mut record: Container) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        let is_final = !entry.present && matches!(self.ledger.life(id), Life::Over { .. });
        record.missing = if is_final { 0 } else { merge::missing(&record, entry.no_pid) };
        if *entry.record != record {
            entry.record = Arc::new(record);
            self.changed = true;
        }
    }

    /// Asks again for what is missing, a little later each time.
    pub(super) fn ask_for_missing(&mut self, id: &Id, tries: u32, now: Now) {
        /// Those that ended before the first list can wait until the living are known.
        const NO_HURRY: u32 = 3;
        let Some(entry) = self.entries.get(id).filter(|e| e.present) else {
            return;
        };
        let (kind, created) = (entry.record.kind, entry.record.state == State::Created);
        if entry.record.missing == 0 || created || self.asks.is_open(id) {
            return;
        }
        let tries = if tries == 0 { NO_HURRY } else { tries };
        self.asks.retry(id, kind, tries, now.mono, self.limits.retry_ceiling);
    }
}

impl Entry {
    fn new(id: &Id, kind: Kind) -> Self {
        Entry {
            record: Arc::new(Container::new(id.clone(), kind)),
            pod_id: None,
            present: true,
            affirmed: 0,
            stated: 0,
            listed: 0,
            departed: 0,
            kind_is_guess: false,
            no_pid: false,
            provisional: false,
        }
    }
}
