//! Hints from the host, and what follows from them: the engine is asked sooner, a pid is known before STARTED, and an
//! end before EXITED.
//!
//! A hint never begins a run. It ends one only where the engine cannot be asked, and only when the run's own process
//! has ended.

use std::collections::VecDeque;

use super::Portfolio;
use super::clock::{Millis, Now};
use super::fields::Origin;
use super::judge::Source;
use super::merge;
use super::run_log::{Ending, Run};
use super::status_queue::{self, Reason};
use crate::cri::{Follow, Hint};
use crate::model::*;

/// How the engine reports changes at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It sends events: the watcher waits for them.
    Streaming,
    /// It sends no events, and has to be asked.
    Polling,
    /// It cannot be asked.
    Away,
}

/// How long a live engine may take to report an end that the host has seen.
const GRACE: Millis = 250;
/// The waits before each request about a container that is being created, in milliseconds: the first one after the
/// hint, the others after each answer. They add up to 320 ms.
const LADDER: [Millis; 6] = [10, 10, 20, 40, 80, 160];
/// For at most so many containers, a pid or an end is kept before the engine has reported the run.
const MOST_EARLY: usize = 1024;

/// A run's process that has ended, and whose end the engine has not reported yet.
#[derive(Debug, Clone, Copy)]
struct Death {
    process: Option<(i32, u64)>,
    /// Whether `process` is the run's own process.
    is_own: bool,
    code: Option<i32>,
    at: Time,
    /// Until when the engine may report the end by itself; `None`: it was asked already.
    due: Option<Millis>,
}

/// What the host has hinted at.
#[derive(Debug, Default)]
pub(super) struct Hints {
    /// Containers that are being created, and how often the engine was asked about each.
    births: IdMap<usize>,
    /// Processes that were proven before the engine reported their runs.
    early: IdMap<Details>,
    /// The ids in `early`, oldest first.
    order: VecDeque<Id>,
    deaths: IdMap<Death>,
    /// Containers whose process has changed since the last `take_follows`.
    changed: Vec<Id>,
}

impl Hints {
    pub fn drop(&mut self, id: &Id) {
        self.births.remove(id);
        self.early.remove(id);
        self.deaths.remove(id);
    }

    /// Notes that this container has another process, or has one or none now.
    pub fn process_changed(&mut self, id: &Id) {
        self.changed.push(id.clone());
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.deaths.values().filter_map(|death| death.due).min()
    }

    /// Takes the process that was proven before its run began.
    pub fn take_early(&mut self, id: &Id) -> Option<Details> {
        self.early.remove(id)
    }

    fn keep_early(&mut self, id: Id, details: Details) {
        if self.early.insert(id.clone(), details).is_none() {
            self.order.push_back(id);
        }
        while self.order.len() > MOST_EARLY {
            let first = self.order.pop_front();
            first.and_then(|id| self.early.remove(&id));
        }
    }
}

impl Portfolio {
    /// Applies a hint from the host.
    pub fn hinted(&mut self, hint: Hint, reach: Reach, now: Now) {
        self.next_tick(now);
        match hint {
            Hint::Created(id) => drop(self.expect_run(&id, reach, now)),
            Hint::Pid(id, details) => self.early_process(id, details, reach, now),
            Hint::Exited { id, process, code } => self.process_ended(&id, process, code, reach, now),
            Hint::Gone(id) => {
                self.hints.early.remove(&id);
                self.ask_about_end(&id, reach, now);
                self.expect_run(&id, reach, now);
            }
            Hint::Lost => self.wants_list = true,
        }
    }

    /// Plans status requests about a container that is being created, until it runs or has exited. Only an engine
    /// without events needs them. Returns whether they were planned.
    fn expect_run(&mut self, id: &Id, reach: Reach, now: Now) -> bool {
        let is_expected = self.synced && reach == Reach::Polling && self.run_log.run(id) == Run::None;
        if is_expected {
            self.hints.births.insert(id.clone(), 0);
            self.plan_birth(id, 0, now);
        }
        is_expected
    }

    fn plan_birth(&mut self, id: &Id, step: usize, now: Now) {
        let hint = status_queue::Hint { tick: self.tick, is_history: false };
        let kind = self.entries.get(id).filter(|e| !e.kind_is_guess).map(|e| e.record.kind);
        self.status_queue.hint(id, kind, now.mono + LADDER[step], hint, Reason::Hint);
    }

    /// Plans the next request after an answer about this id, if the run has not begun.
    pub(super) fn next_step(&mut self, id: &Id, now: Now) {
        let Some(step) = self.hints.births.get(id).map(|step| step + 1) else {
            return;
        };
        if self.run_log.run(id) != Run::None || step == LADDER.len() {
            self.hints.births.remove(id);
            return;
        }
        self.hints.births.insert(id.clone(), step);
        self.plan_birth(id, step, now);
    }

    /// Goes on asking after a list. The list has settled the hints' requests, but the runs in question have not begun.
    pub(super) fn births_go_on(&mut self, now: Now) {
        let ids: Vec<Id> = self.hints.births.keys().filter(|id| !self.status_queue.is_open(id)).cloned().collect();
        ids.iter().for_each(|id| self.next_step(id, now));
    }

    fn early_process(&mut self, id: Id, details: Details, reach: Reach, now: Now) {
        let lacks_pid = self.entries.get(&id).is_some_and(|e| e.record.is_running() && e.record.pid.is_none());
        if lacks_pid && self.run_log.run(&id).is_open() {
            self.counts.pids_from_files += 1;
            self.take_process(&id, &details, self.tick, now);
        } else if self.run_log.run(&id) == Run::None && self.pid_files {
            self.hints.keep_early(id.clone(), details);
        }
        if self.expect_run(&id, reach, now) {
            // Its program begins in a moment, and may end a moment later: a later request, or a list, would miss it.
            self.status_queue.ask(&id, None, now.mono + LADDER[0], Reason::Hint);
        }
    }

    fn process_ended(&mut self, id: &Id, process: Option<(i32, u64)>, code: Option<i32>, reach: Reach, now: Now) {
        let known = self.process_of(id);
        if process.zip(known).is_some_and(|(ended, known)| ended != known) {
            // The run has another process by now.
            return;
        }
        let run = self.run_log.run(id);
        if matches!(run, Run::Over { .. }) {
            return self.learn_exit_late(id, process, code, now);
        }
        if self.hints.deaths.len() >= MOST_EARLY {
            let log = &self.run_log;
            self.hints.deaths.retain(|id, _| log.run(id).is_open());
        }
        let before = self.hints.deaths.get(id).copied();
        let death = Death {
            process: process.or(before.and_then(|b| b.process)),
            is_own: process.is_some() && process == known || before.is_some_and(|b| b.is_own),
            code: code.or(before.and_then(|b| b.code)),
            at: before.map_or(now.wall, |b| b.at),
            due: before.map_or(Some(now.mono + GRACE), |b| b.due),
        };
        self.hints.deaths.insert(id.clone(), death);
        self.ask_about_end(id, reach, now);
        if reach == Reach::Polling && run == Run::None && self.synced {
            // The container may be removed in a moment.
            self.hints.births.insert(id.clone(), 0);
            self.status_queue.ask(id, None, now.mono, Reason::Hint);
        }
    }

    /// Adds the exit code that the host saw to an end that was reported without one. The engine had none any more.
    fn learn_exit_late(&mut self, id: &Id, process: Option<(i32, u64)>, code: Option<i32>, now: Now) {
        let lacks_code = self.entries.get(id).is_some_and(|e| e.record.exit.as_ref().is_some_and(|x| x.code.is_none()));
        let is_own = process.is_some() && process == self.process_of(id);
        if lacks_code && is_own && code.is_some() {
            let death = Death { process, is_own, code, at: now.wall, due: None };
            self.hints.deaths.insert(id.clone(), death);
            self.learn_exit(id, 2 * self.tick);
            self.updated(id, CRI_CHANGED_EXIT, now);
        }
    }

    /// The process of this run, if it is known.
    fn process_of(&self, id: &Id) -> Option<(i32, u64)> {
        let of_entry = self.entries.get(id).and_then(|e| e.process());
        of_entry.or_else(|| self.hints.early.get(id).and_then(|d| d.pid.zip(d.pid_start_ticks)))
    }

    /// Asks an engine without events soon how the container ended.
    fn ask_about_end(&mut self, id: &Id, reach: Reach, now: Now) {
        /// The time that the engine needs to notice the end.
        const MOMENT: Millis = 5;
        let kind = self.entries.get(id).map(|e| e.record.kind);
        if reach == Reach::Polling && self.run_log.run(id).is_open() {
            self.status_queue.ask(id, kind, now.mono + MOMENT, Reason::Hint);
        }
    }

    /// Withdraws the pids of ends that the engine has not reported in time, and asks the engine about them.
    pub(super) fn pass_deaths(&mut self, now: Now) {
        let is_due = |death: &Death| death.due.is_some_and(|due| due <= now.mono);
        let due: Vec<Id> = self.hints.deaths.iter().filter(|(_, d)| is_due(d)).map(|(id, _)| id.clone()).collect();
        for id in due {
            let Some(death) = self.hints.deaths.get_mut(&id) else { continue };
            death.due = None;
            let process = death.process;
            // The run may become known later.
            if !self.run_log.run(&id).is_open() {
                continue;
            }
            match process {
                Some((pid, start)) => self.process_gone(&id, pid, start, now),
                None => self.status_queue.ask_now(&id, None, now.mono, Reason::Hint),
            }
        }
    }

    /// Reports the ends that the host has seen, because the engine cannot be asked.
    pub fn report_deaths(&mut self, now: Now) {
        let is_open =
            |id: &Id| matches!(self.run_log.run(id), Run::Starting { .. } | Run::Running { .. } | Run::Ending { .. });
        // A file that merely names the id proves nothing: the host has to have seen the run's own process end.
        let is_own =
            |id: &Id, death: &Death| death.is_own || death.process.is_some_and(|it| self.process_of(id) == Some(it));
        let is_seen = |(id, death): &(&Id, &Death)| is_open(id) && is_own(id, death);
        let ids: Vec<Id> = self.hints.deaths.iter().filter(is_seen).map(|(id, _)| id.clone()).collect();
        for id in ids {
            if let Run::Starting { .. } = self.run_log.run(&id) {
                self.release(&id, now);
            }
            self.witnessed(&id, now);
        }
    }

    fn witnessed(&mut self, id: &Id, now: Now) {
        let started_at = self.started_at(id);
        let moment = Source::Event { own: None }.moment(self.tick);
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        entry.known.ends();
        let mut record = Container::clone(&entry.record);
        record.state = State::Exited;
        if record.kind == Kind::Container && record.exit.is_none() {
            // Any source's exit is better than this one.
            record.exit = Some(Exit { reason: "Unknown".into(), ..Exit::default() });
        }
        let kind = record.kind;
        self.put(id, record);
        self.learn_exit(id, moment);
        self.counts.witnessed_exits += 1;
        self.run_log.set(id, Run::Over { how: Ending::Witnessed, started_at, tick: self.tick });
        if kind == Kind::Sandbox {
            self.pod_is_gone(id, now);
        }
        self.report(EventType::Exited, CRI_EVENT_FLAG_WITNESSED | CRI_EVENT_FLAG_SYNTHETIC, 0, id, now);
    }

    /// Completes an end that is about to be reported with what the host has seen of it, where the engine does not know
    /// better. Engines do not say how sandboxes end.
    pub(super) fn learn_exit(&mut self, id: &Id, moment: super::clock::Tick) {
        let Some(death) = self.hints.deaths.remove(id) else {
            return;
        };
        let Some(entry) = self.entries.get_mut(id).filter(|e| e.record.kind == Kind::Container) else {
            return;
        };
        // An exit code of a process that was not the run's own means nothing.
        let code = death.code.filter(|_| death.is_own || death.process.is_none());
        let Some(code) = code else {
            if entry.record.finished_at.is_none() {
                let record = Container { finished_at: Some(death.at), ..Container::clone(&entry.record) };
                self.put(id, record);
            }
            return;
        };
        let reason = if code == 0 { "Completed" } else { "Error" };
        let exit = Exit { code: Some(code), reason: reason.into(), message: "".into() };
        let mut next = Container::clone(&entry.record);
        merge::take_exit(&mut next, &mut entry.known, &exit, Some(death.at), Origin::Witness, moment);
        self.put(id, next);
    }

    /// The changes since the last call: which process to follow for each container, or `None` to stop.
    pub fn take_follows(&mut self) -> Vec<Follow> {
        let changed = std::mem::take(&mut self.hints.changed);
        let follow = |id: Id| {
            let entry = self.entries.get(&id);
            let process = entry.and_then(|e| e.followed());
            Follow { kind: entry.map_or(Kind::Container, |e| e.record.kind), process, id }
        };
        changed.into_iter().map(follow).collect()
    }
}
