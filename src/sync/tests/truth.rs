//! What the engine showed, and whether the reports are exactly that.

use std::collections::{BTreeMap, BTreeSet};

use super::engine::Engine;
use crate::cri::{EngineEvent, EventKind, Listing};
use crate::model::*;

/// What the machine was shown. Runs that an event, a list or a status has shown since the first list have to be
/// reported.
#[derive(Debug, Default)]
pub struct Seen {
    /// The start of the first list.
    t0: Option<Time>,
    shown: BTreeSet<Id>,
    /// Ids that the first list showed as exited. They are not reported, unless an event made after that list says that
    /// they ran then.
    over_at_first: BTreeSet<Id>,
    /// Ids that could not be started, and were shown as such.
    failed: BTreeSet<Id>,
    /// Ids that the first list showed with a wrong state, or in a way that cannot be read.
    wrong_at_first: BTreeSet<Id>,
    /// Ids that were in a list.
    listed: BTreeSet<Id>,
}

impl Seen {
    /// Notes what a list shows. `lies` are the ids about which it is wrong.
    pub fn list(&mut self, listing: &Listing, lies: &BTreeSet<Id>, begun: Time) {
        let first = self.t0.is_none();
        self.t0.get_or_insert(begun);
        if first {
            // Their runs may have been over before.
            self.wrong_at_first.extend(lies.iter().cloned());
        }
        for observation in listing.sandboxes.iter().chain(&listing.containers) {
            self.listed.insert(observation.id.clone());
            if lies.contains(&observation.id) {
                if !first && observation.state == State::Exited && observation.created_at < self.t0 {
                    self.over_at_first.insert(observation.id.clone());
                }
                continue;
            }
            match observation.state {
                State::Running => self.show(&observation.id),
                State::Exited if first && !self.shown.contains(&observation.id) => {
                    self.over_at_first.insert(observation.id.clone());
                }
                State::Exited if observation.kind == Kind::Sandbox => self.sandbox_that_is_over(observation),
                _ => {}
            }
        }
    }

    pub fn was_listed(&self, id: &Id) -> bool {
        self.listed.contains(id)
    }

    pub fn clock_set_back(&mut self, by: Time) {
        self.t0 = self.t0.map(|t0| t0 - by);
    }

    /// Notes an event that the machine got after the first list.
    pub fn event(&mut self, event: &EngineEvent) {
        if event.created_at < self.t0 {
            return;
        }
        let news = matches!(event.kind, Some(EventKind::Started | EventKind::Stopped));
        if news && !event.containers.iter().any(|c| c.id == event.id && c.never_started()) {
            self.show(&event.id);
        }
        if let Some(sandbox) = &event.sandbox
            && (sandbox.state == State::Running || sandbox.id == event.id)
        {
            self.status_of(sandbox);
        }
        event.containers.iter().for_each(|c| self.status_of(c));
    }

    /// Notes the answer to a request.
    pub fn status(&mut self, observation: &Observation) {
        match observation.kind {
            Kind::Sandbox if observation.state == State::Exited => self.sandbox_that_is_over(observation),
            _ => self.status_of(observation),
        }
    }

    fn status_of(&mut self, observation: &Observation) {
        if observation.never_started() {
            if !self.over_at_first.contains(&observation.id) {
                self.failed.insert(observation.id.clone());
            }
        } else if observation.state == State::Running
            || observation.state == State::Exited && !self.over_at_first.contains(&observation.id)
        {
            self.show(&observation.id);
        }
    }

    fn sandbox_that_is_over(&mut self, observation: &Observation) {
        if observation.created_at < self.t0 {
            // This is final, whatever the clock says later.
            self.over_at_first.insert(observation.id.clone());
        } else if !self.over_at_first.contains(&observation.id) {
            self.show(&observation.id);
        }
    }

    fn show(&mut self, id: &Id) {
        self.shown.insert(id.clone());
    }
}

/// What one consumer got.
#[derive(Debug, Default)]
pub struct Report {
    seq: u64,
    started: BTreeMap<Id, u32>,
    exited: BTreeMap<Id, u32>,
    never_started: BTreeMap<Id, u32>,
    provisional: BTreeMap<Id, i32>,
    /// The ids whose present run was reported with a pid.
    with_pid: BTreeSet<Id>,
    /// The ids that run, as far as this consumer knows.
    pub running: BTreeSet<Id>,
    replayed: Option<BTreeSet<Id>>,
    pub overflows: u32,
}

impl Report {
    /// Takes an event, and fails at once if it is never right.
    pub fn take(&mut self, event: &Event, engine: &Engine, seen: &Seen) -> Result<(), String> {
        check(event.seq > self.seq, || format!("{event:?} after seq {}", self.seq))?;
        self.seq = event.seq;
        let of_replay = event.event_type == EventType::ReplayEnd || event.flags & CRI_EVENT_FLAG_INITIAL != 0;
        check(of_replay == self.replayed.is_some(), || {
            format!("a replay is completed before anything else: {event:?}")
        })?;
        match event.event_type {
            EventType::ReplayBegin => self.replayed = Some(BTreeSet::new()),
            EventType::ReplayEnd => self.running = self.replayed.take().ok_or("an end without a beginning")?,
            EventType::Overflow => self.overflows += 1,
            EventType::State => {}
            _ => {
                let container = event.container.as_ref().ok_or("no container")?;
                self.about(event, container, engine, seen).map_err(|e| format!("{e}: {event:?}"))?;
            }
        }
        Ok(())
    }

    fn about(&mut self, event: &Event, c: &Container, engine: &Engine, seen: &Seen) -> Result<(), String> {
        let id = &c.id;
        let has = |flag: u32| event.flags & flag != 0;
        match event.event_type {
            _ if c.pid.is_some() => drop(self.with_pid.insert(id.clone())),
            EventType::Started => drop(self.with_pid.remove(id)),
            _ => {}
        }
        match event.event_type {
            EventType::Started => {
                check(engine.ran.contains(id), || "it never ran".into())?;
                let is_wrong = engine.wrong_times.contains_key(id);
                check(seen.shown.contains(id) || is_wrong, || "nothing has shown it".into())?;
                check(c.state == State::Running, || "not shown as running".into())?;
                *self.started.entry(id.clone()).or_default() += 1;
                let is_twice = self.overflows == 0 && self.replayed.is_none() && self.running.contains(id);
                check(!is_twice, || "it was started before".into())?;
                match &mut self.replayed {
                    Some(replayed) => replayed.insert(id.clone()),
                    None => self.running.insert(id.clone()),
                };
            }
            EventType::Exited if has(CRI_EVENT_FLAG_NEVER_STARTED) => {
                check(engine.failed.contains(id), || "it did not fail to start".into())?;
                *self.never_started.entry(id.clone()).or_default() += 1;
            }
            EventType::Exited => {
                let is_wrong = engine.wrong_times.contains_key(id);
                check(engine.ended.contains(id) || is_wrong, || "it still runs".into())?;
                check(c.state == State::Exited, || "not shown as exited".into())?;
                check(c.pid.is_some() || !self.with_pid.contains(id), || "its pid is not shown any more".into())?;
                check(self.overflows > 0 || self.started.contains_key(id), || "its start was not reported".into())?;
                *self.exited.entry(id.clone()).or_default() += 1;
                self.running.remove(id);
                if has(CRI_EVENT_FLAG_PROVISIONAL) {
                    *self.provisional.entry(id.clone()).or_default() += 1;
                }
            }
            EventType::Updated if has(CRI_EVENT_FLAG_CONFIRMED) => {
                check(event.changed & CRI_CHANGED_EXIT != 0, || "it confirms no exit".into())?;
                if let Some(open) = self.provisional.get_mut(id) {
                    *open -= 1;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Checks, at the end, that each run that was shown was reported once, and that nothing else was.
    pub fn is_exact(&self, engine: &Engine, seen: &Seen) -> Result<(), String> {
        for id in &seen.shown {
            let counts = (self.started.get(id).copied(), self.exited.get(id).copied());
            if let Some(times) = engine.wrong_times.get(id) {
                let least = u32::from(!seen.wrong_at_first.contains(id));
                // A list is believed at once about a sandbox. A status that contradicts it brings the sandbox back,
                // until the list is found to be right.
                let is_sandbox = id.starts_with('p');
                check_contradicted(id, counts, least, if is_sandbox { 2 * times } else { *times })?;
                continue;
            }
            if counts == (None, None) && seen.wrong_at_first.contains(id) {
                continue;
            }
            let right = (Some(1), engine.ended.contains(id).then_some(1));
            check(counts == right, || format!("{id} was reported {counts:?}, which should be {right:?}"))?;
        }
        for (id, times) in &self.never_started {
            check(*times == 1, || format!("{id} was reported {times} times as never started"))?;
        }
        if let Some(id) = seen.failed.iter().find(|id| !self.never_started.contains_key(*id)) {
            return Err(format!("{id} was not reported as never started"));
        }
        match self.provisional.iter().find(|(_, open)| **open > 0) {
            Some((id, _)) => Err(format!("the exit of {id} stayed provisional")),
            None => Ok(()),
        }
    }
}

/// Checks ids for which the engine showed a wrong state: the list's state was reported at least once, and at most once
/// more each time.
fn check_contradicted(
    id: &Id,
    (started, exited): (Option<u32>, Option<u32>),
    least: u32,
    times: u32,
) -> Result<(), String> {
    let (started, exited) = (started.unwrap_or_default(), exited.unwrap_or_default());
    let alternates = started == exited || started == exited + 1;
    check(alternates && (least..=1 + times).contains(&started), || {
        format!("{id} was reported {started} and {exited} times, and shown wrongly {times} times")
    })
}

fn check(is_so: bool, complaint: impl FnOnce() -> String) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(complaint()) }
}
