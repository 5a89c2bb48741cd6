//! The rules: what each statement of the engine means for the runs that are reported.
//!
//! Events are hints and lists are the authority, but an event that carries the status of its id is believed at once.
//! Whatever is not sure is asked, by one status request. docs/events.md states the guarantees that follow.

use std::sync::Arc;

use super::clock::{Now, Tick};
use super::judge::{Source, Verdict, judge_start};
use super::run_log::{Ending, Run};
use super::{Entry, Portfolio, StatusRequest, merge};
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
        for observation in listing.sandboxes.into_iter().chain(listing.containers) {
            let id = observation.id.clone();
            self.statement(observation, source, now);
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.listed = tick;
            }
        }
        // A late word may have begun a run after the departure was reported: that one ends here, too.
        let is_open = |e: &Entry| e.present || self.run_log.run(&e.record.id).is_open();
        let is_absent = |e: &&Entry| e.listed != tick && e.affirmed <= begun && is_open(e);
        let absent: Vec<Id> = self.entries.values().filter(is_absent).map(|e| e.record.id.clone()).collect();
        for id in absent {
            self.gone(&id, source, now);
        }
        self.unlisted = self.entries.values().filter(|e| e.present && e.listed != tick).count();
        self.status_queue.drop_hints(begun);
        self.packer.try_again();
        if first {
            self.pack_initial(now);
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
        let is_own = |s: &Observation| s.id == event.id;
        let has_own_status = event.sandbox.as_ref().is_some_and(is_own) || event.containers.iter().any(is_own);
        let pod_id = event.sandbox.as_ref().map(|s| s.id.clone());
        if let Some(sandbox) = event.sandbox {
            self.sandbox_of_event(sandbox, &event.id, event.kind, now);
        }
        for observation in event.containers {
            let own = event.kind.filter(|_| observation.id == event.id);
            self.statement(observation, Source::Event { own }, now);
        }
        match event.kind {
            Some(EventKind::Deleted) => self.deleted(&event.id, kind, now),
            Some(EventKind::Started | EventKind::Stopped) if !has_own_status => {
                self.bare_word(&event.id, kind, pod_id, now);
            }
            _ if !has_own_status => self.hint(&event.id, kind, tick, now),
            _ => {}
        }
    }

    /// The answer to a request: a status, `None` if the engine has no such thing, or a failed request.
    pub fn answered<E>(&mut self, request: &StatusRequest, answer: Result<Option<Observation>, E>, now: Now) {
        self.next_tick(now);
        let id = &request.id;
        let tries = self.status_queue.tries(id);
        let source = Source::Answer { asked: request.asked };
        self.status_queue.came_back(id);
        match answer {
            Ok(Some(observation)) => self.statement(observation, source, now),
            Ok(None) if self.entries.get(id).is_some_and(|e| e.affirmed <= request.asked) => {
                self.gone(id, source, now);
            }
            Ok(None) | Err(_) => {}
        }
        if !self.entries.contains_key(id) {
            return;
        }
        self.was_attempted(id, now);
        if matches!(self.run_log.run(id), Run::Over { tick, .. } if request.asked >= tick) {
            self.confirm(id, now);
        }
        self.ask_for_missing(id, tries, now);
    }

    /// Time has passed: what was held back goes out, and old tombstones crumble.
    pub fn pass(&mut self, now: Now) {
        self.horizon.follow(now);
        self.packer.pass(now.mono);
        for id in self.run_log.due(now.mono) {
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
    fn statement(&mut self, observation: Observation, source: Source, now: Now) {
        if let Some(pod) = &observation.pod {
            self.note_pod(pod, now);
        }
        self.note_pod_cgroup(&observation, now);
        let run = self.run_log.run(&observation.id);
        let verdict = (observation.state == State::Running).then(|| judge_start(run, observation.started_at, source));
        let is_over = matches!(run, Run::Over { .. });
        // Late or repeated words on what is over and forgotten, or merely over.
        let is_late = is_over && source.is_event() && verdict.is_none() && !self.entries.contains_key(&observation.id);
        match verdict {
            _ if is_late => return,
            Some(Verdict::Stale) => return,
            Some(Verdict::Doubtful) => {
                self.warning(
                    &observation.id,
                    "the engine shows it running after its exit was reported: asked about it",
                );
                return self.status_queue.ask_now(&observation.id, Some(observation.kind), now.mono);
            }
            Some(Verdict::BeginsAgain) => self.end_before_restart(&observation, source, now),
            _ => {}
        }
        let is_new = !self.entries.contains_key(&observation.id);
        let changed = self.merge(&observation, source);
        match (verdict, observation.state) {
            (Some(Verdict::Begins), _) => self.begins(&observation, source, source.flags(), now),
            (Some(Verdict::BeginsAgain), _) => {
                let was_reported =
                    !run.is_over_unreported() && !matches!(run, Run::Over { how: Ending::NeverStarted, .. });
                let flag = if was_reported { CRI_EVENT_FLAG_REAPPEARED } else { 0 };
                self.begins(&observation, source, source.flags() | flag, now);
            }
            (Some(Verdict::Overtaken), _) => self.lived_and_is_over(&observation, source, now),
            (Some(_), _) => self.continues(&observation, source, changed, now),
            (None, State::Exited) => self.exited(&observation, source, changed, now),
            (None, State::Created) if is_new && self.synced => {
                self.report(EventType::Created, source.flags(), 0, &observation.id, now);
            }
            (None, _) => self.updated(&observation.id, changed, now),
        }
        if !matches!(source, Source::Answer { .. }) {
            self.ask_for_missing(&observation.id, 0, now);
        }
    }

    /// An event's sandbox is its controller's word. That it is no longer ready is believed only in the sandbox's own
    /// events: containerd's lists, which are the authority, say so a moment later.
    fn sandbox_of_event(&mut self, observation: Observation, about: &Id, kind: Option<EventKind>, now: Now) {
        let own = kind.filter(|_| observation.id == *about);
        if observation.id == *about || observation.state == State::Running {
            return self.statement(observation, Source::Event { own }, now);
        }
        let known = self.pods.get(&observation.id).map(|p| p.state);
        if let Some(pod) = &observation.pod {
            self.note_pod(&Pod { state: known.unwrap_or(pod.state), ..Pod::clone(pod) }, now);
        }
    }

    /// An event without a status: something has lived, and more about it has to be asked.
    fn bare_word(&mut self, id: &Id, kind: Option<Kind>, pod_id: Option<Id>, now: Now) {
        let source = Source::Event { own: None };
        let known = self.entries.get(id).map(|e| e.record.kind);
        // Only a container's event tells of a sandbox with another id.
        let is_guess = pod_id.is_none() && kind.is_none() && self.entries.get(id).is_none_or(|e| e.kind_is_guess);
        let observation = Observation {
            state: State::Running,
            pod_id,
            ..Observation::of(id.clone(), known.or(kind).unwrap_or(Kind::Container))
        };
        match self.run_log.run(id) {
            Run::None => self.statement(observation, source, now),
            Run::Unclear => self.lived_and_is_over(&observation, source, now),
            run if run.is_over_unreported() => self.lived_and_is_over(&observation, source, now),
            _ => {}
        }
        if let Some(entry) = self.entries.get_mut(id) {
            entry.kind_is_guess = is_guess;
        }
        self.status_queue.ask_now(id, known.or(kind), now.mono);
    }

    pub(super) fn warning(&mut self, id: &Id, what: &str) {
        let path = self.entries.get(id).map_or_else(String::new, |e| e.record.path());
        self.warnings.push(format!("{path} ({id}): {what}"));
    }

    fn hint(&mut self, id: &Id, kind: Option<Kind>, tick: Tick, now: Now) {
        /// Events come in bursts: a little later, the same request settles several.
        const DEBOUNCE: u64 = 30;
        if !matches!(self.run_log.run(id), Run::Over { .. }) {
            self.status_queue.hint(id, kind, now.mono + DEBOUNCE, tick);
        }
    }

    /// The engine says that it has deleted it. CRI-O 1.26 says so of containers that it has merely stopped, so that
    /// a run is not ended on this word alone.
    fn deleted(&mut self, id: &Id, kind: Option<Kind>, now: Now) {
        match self.run_log.run(id) {
            Run::None | Run::Over { .. } => self.gone(id, Source::Event { own: None }, now),
            _ => self.status_queue.ask_now(id, kind, now.mono),
        }
    }

    /// Merges the statement into the record, and tells which bits of `CRI_CHANGED_*` that changed.
    fn merge(&mut self, observation: &Observation, source: Source) -> u64 {
        let entry = self.entries.get(&observation.id);
        let pod_id = observation.pod_id.clone().or_else(|| entry.and_then(|e| e.pod_id.clone()));
        let pod = pod_id.as_ref().and_then(|id| self.pods.get(id)).cloned();
        let as_of = source.as_of(self.tick);
        let fresh = entry.is_none_or(|e| as_of >= e.stated);
        let before = entry.map(|e| e.record.clone());
        // A word without a status may have been taken for another kind; what the program added stays.
        let of_this_kind = before.as_deref().filter(|r| r.kind == observation.kind);
        let mut next = merge::merge(of_this_kind, observation, pod, fresh);
        next.rucksack = before.as_ref().and_then(|r| r.rucksack.clone());
        // A late event on what is over does not bring it back, nor does a list that began before it went.
        let over = matches!(self.run_log.run(&observation.id), Run::Over { .. });
        self.unlisted += usize::from(source.is_event() && !self.entries.contains_key(&observation.id));
        let entry =
            self.entries.entry(observation.id.clone()).or_insert_with(|| Entry::new(&observation.id, observation.kind));
        entry.kind_is_guess = false;
        entry.no_pid |= observation.details.as_ref().is_some_and(|d| d.no_pid);
        entry.affirmed = entry.affirmed.max(as_of);
        entry.stated = entry.stated.max(as_of);
        if !entry.present {
            let revives = observation.state == State::Running || !source.is_event() || !over;
            entry.present = as_of >= entry.departed && revives;
            self.changed |= entry.present;
        }
        if let Some(pod_id) = pod_id {
            entry.pod_id = Some(pod_id.clone());
            self.members.entry(pod_id).or_default().insert(observation.id.clone());
        }
        let bits = before.as_deref().map_or(0, |before| next.changed_since(before));
        self.put(&observation.id, next);
        bits
    }

    /// Makes this the record of the id.
    pub(super) fn put(&mut self, id: &Id, mut record: Container) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        let is_final = !entry.present && matches!(self.run_log.run(id), Run::Over { .. });
        record.missing = if is_final { 0 } else { merge::missing(&record, entry.no_pid) };
        if *entry.record != record {
            entry.record = Arc::new(record);
            self.changed = true;
        }
    }

    /// StatusQueue again for what is missing, a little later each time.
    pub(super) fn ask_for_missing(&mut self, id: &Id, tries: u32, now: Now) {
        /// Those that ended before the first list can wait until the living are known.
        const NO_HURRY: u32 = 3;
        let Some(entry) = self.entries.get(id).filter(|e| e.present) else {
            return;
        };
        let (kind, created) = (entry.record.kind, entry.record.state == State::Created);
        if entry.record.missing == 0 || created || self.status_queue.is_open(id) {
            return;
        }
        let tries = if tries == 0 { NO_HURRY } else { tries };
        self.status_queue.retry(id, kind, tries, now.mono, self.limits.retry_ceiling);
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
