//! What happens to a run: it begins, goes on, ends, vanishes, begins again.

use super::Portfolio;
use super::clock::Now;
use super::judge::Source;
use super::merge;
use super::open_fields::Unanswered;
use super::run_log::{Ending, Run, Waits};
use super::status_queue::Reason;
use crate::model::*;

impl Portfolio {
    pub(super) fn begins(&mut self, observation: &Observation, source: Source, flags: u32, now: Now) {
        let started_at = observation.started_at;
        self.new_run(&observation.id);
        self.look_for_process(&observation.id, observation.kind, now);
        let rucksack = self.pack_new_run(&observation.id, now);
        if let Source::List { first: true, .. } = source {
            // The replay reports this run to consumers.
            return self.run_log.set(&observation.id, Run::Running { started_at });
        }
        // A run that begins with an event without a status waits for that status, too.
        let is_asked =
            self.status_queue.is_urgent(&observation.id) || observation.name.is_empty() && !observation.is_status;
        let has_process = self.entries.get(&observation.id).is_some_and(|e| e.record.pid.is_some()) && !is_asked;
        let pid = (observation.details.is_none() && !has_process).then(|| now.mono + self.limits.hold);
        let waits = Waits { pid, rucksack };
        self.hold_or_release(&observation.id, Run::Starting { waits, flags, started_at }, now);
    }

    pub(super) fn continues(&mut self, observation: &Observation, source: Source, changed: u64, now: Now) {
        let started = |known: Option<Time>| known.or(observation.started_at);
        match self.run_log.run(&observation.id) {
            Run::Starting { waits, flags, started_at } => {
                self.run_log.set(&observation.id, Run::Starting { waits, flags, started_at: started(started_at) });
            }
            Run::Running { started_at } => {
                self.run_log.set(&observation.id, Run::Running { started_at: started(started_at) });
                self.updated(&observation.id, changed, now);
            }
            // The list that showed the end was wrong, as the status says.
            Run::Ending { started_at, .. } if matches!(source, Source::Answer { .. }) => {
                self.run_log.set(&observation.id, Run::Running { started_at: started(started_at) });
                self.restate(&observation.id, source, now);
            }
            _ => {}
        }
    }

    /// Takes a container for running whose status says so, although a list says "exited". Nothing was reported yet.
    pub(super) fn restate(&mut self, id: &Id, source: Source, now: Now) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        entry.known.runs_after_all();
        let mut record = Container::clone(&entry.record);
        (record.state, record.exit, record.finished_at) = (State::Running, None, None);
        let kind = record.kind;
        self.put(id, record);
        let what = "a list shows it as exited, and its status says that it runs: the watcher shows it as running, \
                    unless lists still say otherwise after 10 s";
        self.list_stands(id, kind, source, what, now);
    }

    /// Takes a container for running when something newer says so. A list showed it as exited before anything else was
    /// known.
    pub(super) fn runs_after_all(&mut self, id: &Id, source: Source) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        let is_newer = !source.is_event() && source.as_of(self.tick) >= entry.affirmed;
        if is_newer && entry.record.state == State::Exited {
            entry.known.runs_after_all();
            let record = Container { state: State::Running, ..Container::clone(&entry.record) };
            self.put(id, record);
        }
    }

    /// Resets what belongs to one run.
    fn new_run(&mut self, id: &Id) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.removed = false;
            entry.deleted = false;
            entry.process_gone = false;
            entry.withdrawn = None;
            entry.had_status = false;
            entry.unanswered = Unanswered::default();
        }
    }

    pub(super) fn exited(&mut self, observation: &Observation, source: Source, changed: u64, now: Now) {
        let id = &observation.id;
        let has_facts = observation.is_status || observation.kind == Kind::Sandbox;
        let until = now.mono + self.limits.hold;
        let is_disputed = matches!(source, Source::List { .. }) && self.is_disputed(id);
        match self.run_log.run(id) {
            Run::None | Run::Unclear => self.first_seen_exited(observation, source, has_facts, now),
            Run::Starting { .. } => {
                self.release(id, now);
                self.exited(observation, source, changed, now);
            }
            Run::Running { .. } | Run::Ending { .. } if has_facts && !is_disputed => {
                self.report_exited(id, source.flags(), now)
            }
            // A status has contradicted a list about this container before.
            Run::Running { .. } if is_disputed => match self.list_stands(id, observation.kind, source, "", now) {
                true => self.report_exited(id, source.flags(), now),
                false => self.restate(id, source, now),
            },
            Run::Running { started_at } => {
                self.run_log.set(id, Run::Ending { until, started_at });
                self.status_queue.ask_now(id, Some(observation.kind), now.mono, Reason::End);
            }
            Run::Ending { .. } => {}
            // The engine can be asked again, so its status of the exit is asked for.
            Run::Over { how: Ending::Witnessed, .. } if !has_facts => {
                self.status_queue.ask_now(id, Some(observation.kind), now.mono, Reason::End);
            }
            Run::Over { how: Ending::Exited | Ending::Gone | Ending::Witnessed, started_at, tick } => {
                self.run_log.set(id, Run::Over { how: Ending::Exited, started_at, tick });
                self.updated(id, changed, now);
            }
            // The first list came a moment too late to show it running. Its own event says that it was.
            Run::Over { how: Ending::Unreported, .. } if source.reports_a_run() => {
                self.first_seen_exited(observation, source, has_facts, now);
            }
            Run::Over { how: Ending::Unresolved, .. } if has_facts => {
                self.counts.unresolved -= 1;
                self.first_seen_exited(observation, source, has_facts, now);
            }
            Run::Over { .. } => {}
        }
    }

    /// Handles a container that has exited and was never seen running.
    pub(super) fn first_seen_exited(&mut self, observation: &Observation, source: Source, has_facts: bool, now: Now) {
        let id = &observation.id;
        let unreported = |how| Run::Over { how, started_at: observation.started_at, tick: 0 };
        if let Source::List { first: true, .. } = source {
            return self.run_log.set(id, unreported(Ending::Unreported));
        }
        if !has_facts {
            self.run_log.set(id, Run::Unclear);
            return self.status_queue.ask_now(id, Some(observation.kind), now.mono, Reason::End);
        }
        if observation.never_started() {
            self.run_log.set(id, Run::Over { how: Ending::NeverStarted, started_at: None, tick: self.tick });
            return self.report(EventType::Exited, source.flags() | CRI_EVENT_FLAG_NEVER_STARTED, 0, id, now);
        }
        // A sandbox's entry in a list does not say whether it was ever ready. One that was made since the first list
        // and still exists was ready, because a failed RunPodSandbox removes its sandbox.
        let has_run = observation.kind == Kind::Container
            || source.is_event()
            || self.horizon.is_after_first(observation.created_at);
        if !has_run {
            return self.run_log.set(id, unreported(Ending::Unreported));
        }
        let started_at = observation.started_at;
        self.run_log.set(id, Run::Starting { waits: Waits::default(), flags: source.flags(), started_at });
        self.release(id, now);
        self.report_exited(id, source.flags(), now);
    }

    /// Reports a container that ran when the event was made, and is known to be over. Its end is reported once the
    /// engine was asked about it.
    pub(super) fn ran_and_is_over(&mut self, observation: &Observation, source: Source, now: Now) {
        let (id, started_at) = (&observation.id, observation.started_at);
        self.counts.unresolved -= u64::from(matches!(self.run_log.run(id), Run::Over { how: Ending::Unresolved, .. }));
        self.run_log.set(id, Run::Starting { waits: Waits::default(), flags: source.flags(), started_at });
        self.release(id, now);
        match self.entries.get(id).map(|e| (e.present, merge::as_gone(&e.record))) {
            Some((false, record)) => self.end_as_gone(id, record, source, now),
            _ => {
                self.run_log.set(id, Run::Ending { until: now.mono + self.limits.hold, started_at });
                self.status_queue.ask_now(id, Some(observation.kind), now.mono, Reason::End);
            }
        }
    }

    /// Handles an id that the engine no longer has.
    pub(super) fn gone(&mut self, id: &Id, source: Source, now: Now) {
        // A late event may have begun a run after the container had gone.
        let is_open = self.run_log.run(id).is_open();
        let Some(entry) = self.entries.get(id).filter(|e| e.present || is_open) else { return };
        let is_dead = matches!(self.run_log.run(id), Run::Over { .. } | Run::None | Run::Unclear);
        let record = if is_dead { Container::clone(&entry.record) } else { merge::as_gone(&entry.record) };
        match self.run_log.run(id) {
            Run::Starting { .. } => {
                self.release(id, now);
                self.end_as_gone(id, record, source, now);
            }
            Run::Running { .. } | Run::Ending { .. } => self.end_as_gone(id, record, source, now),
            Run::Unclear => {
                self.counts.unresolved += 1;
                self.warning(
                    id,
                    "the watcher first saw it after its end, and it was removed before the engine said \
                     whether it had run: no event reports it",
                );
                self.run_log.set(id, Run::Over { how: Ending::Unresolved, started_at: None, tick: self.tick });
            }
            Run::None | Run::Over { .. } => {}
        }
        self.confirm(id, now);
        if self.entries.get(id).is_some_and(|e| e.present) {
            self.depart(id, source, now);
        }
    }

    pub(super) fn end_as_gone(&mut self, id: &Id, record: Container, source: Source, now: Now) {
        self.put(id, record);
        self.learn_exit(id, source.moment(self.tick));
        let exit = self.entries.get(id).and_then(|e| e.record.exit.as_ref());
        let had_facts = exit.is_some_and(|e| *e != Exit::gone());
        let started_at = self.started_at(id);
        let how = if had_facts { Ending::Exited } else { Ending::Gone };
        self.run_log.set(id, Run::Over { how, started_at, tick: self.tick });
        self.report(EventType::Exited, source.flags(), 0, id, now);
    }

    pub(super) fn depart(&mut self, id: &Id, source: Source, now: Now) {
        let tick = self.tick;
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        entry.present = false;
        entry.departed = tick;
        let (record, kind) = (Container::clone(&entry.record), entry.record.kind);
        self.touch(id);
        self.put(id, record);
        if kind == Kind::Sandbox {
            self.pod_is_gone(id, now);
        }
        self.status_queue.drop(id);
        self.lookups.drop(id);
        self.packer.drop(id);
        self.run_log.depart(id, now.mono);
        // REMOVED is reported once, although a list that began a moment too early may show the container again.
        if !self.entries.get_mut(id).is_some_and(|e| std::mem::replace(&mut e.removed, true)) {
            self.report(EventType::Removed, source.flags(), 0, id, now);
        }
        self.tombstones.push_back((now.mono, id.clone()));
        self.forget_old(now);
    }

    /// Ends the known run, if that is not over, because a statement says that a newer one runs.
    pub(super) fn end_before_restart(&mut self, observation: &Observation, source: Source, now: Now) {
        let id = &observation.id;
        match self.run_log.run(id) {
            Run::Starting { .. } => {
                self.release(id, now);
                self.end_unseen(id, source, now);
            }
            Run::Running { .. } | Run::Ending { .. } => self.end_unseen(id, source, now),
            _ => {}
        }
        self.confirm(id, now);
        if let Some(entry) = self.entries.get_mut(id) {
            entry.known.new_run();
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
