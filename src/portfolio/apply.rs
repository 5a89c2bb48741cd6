//! The rules: what each statement of the engine means for the runs that are reported.
//!
//! Events are hints and lists are the authority, but an event that carries the status of its own id is believed at
//! once. Whatever stays uncertain is settled by one status request. docs/events.md states the guarantees that follow.

use std::sync::Arc;

use super::clock::{Now, Tick};
use super::disputes::Dispute;
use super::judge::{Source, Verdict, judge_start};
use super::merge::Known;
use super::open_fields::Unanswered;
use super::run_log::{Ending, Run};
use super::status_queue::{Hint, Reason};
use super::{Entry, Portfolio, StatusRequest, merge};
use crate::cri::{EngineEvent, EventKind};
use crate::model::*;

impl Portfolio {
    /// Applies an event. The first list has to come before it, because only that list separates news from history.
    pub fn event(&mut self, mut event: EngineEvent, now: Now) {
        self.next_tick(now);
        if self.unlisted >= self.limits.unlisted && !self.entries.contains_key(&event.id) {
            return;
        }
        let kind = event.sandbox.as_ref().filter(|s| s.id == event.id).map(|_| Kind::Sandbox);
        std::mem::take(&mut event.unreadable).into_iter().for_each(|entry| self.note_unreadable(entry));
        if !self.horizon.is_fresh(event.created_at) {
            if self.run_is_not_over(&event.id) || self.is_news_of_a_removal(&event) {
                self.hint(&event.id, kind, self.is_history(&event), now);
            }
            return;
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
        if event.kind == Some(EventKind::Deleted)
            && let Some(entry) = self.entries.get_mut(&event.id)
        {
            entry.deleted = true;
        }
        match event.kind {
            Some(EventKind::Deleted) => self.deleted(&event.id, kind, now),
            Some(EventKind::Started | EventKind::Stopped) if !has_own_status => {
                self.bare_word(&event.id, kind, pod_id, now);
            }
            _ if !has_own_status && self.run_is_not_over(&event.id) => self.hint(&event.id, kind, false, now),
            _ => {}
        }
    }

    fn run_is_not_over(&self, id: &Id) -> bool {
        !matches!(self.run_log.run(id), Run::Over { .. })
    }

    /// Whether the event says that the engine has removed something that the cache still has.
    fn is_news_of_a_removal(&self, event: &EngineEvent) -> bool {
        event.kind == Some(EventKind::Deleted) && self.entries.get(&event.id).is_some_and(|e| e.present)
    }

    /// Whether the engine seems to have kept this event for its first subscriber: the event is older than the first
    /// list, and that list does not have its id. An engine whose clock was set back makes such events, too.
    fn is_history(&self, event: &EngineEvent) -> bool {
        let is_unknown = !self.entries.contains_key(&event.id) && self.run_log.run(&event.id) == Run::None;
        is_unknown && event.created_at.is_some() && !self.horizon.is_after_first(event.created_at)
    }

    /// The answer to a request: a status, `None` if the engine has no such thing, or a failed request.
    pub fn answered<E>(&mut self, request: &StatusRequest, answer: Result<Option<Observation>, E>, now: Now) {
        self.next_tick(now);
        let id = &request.id;
        let had_pid = self.entries.get(id).is_some_and(|e| e.record.pid.is_some());
        let tries = self.status_queue.tries(id);
        let source = Source::Answer { asked: request.asked };
        self.status_queue.came_back(id);
        match answer {
            Ok(Some(said)) => {
                self.status_found(id);
                let has_pid = said.details.as_ref().is_some_and(|d| d.pid.is_some());
                self.counts.pids_from_engine += u64::from(has_pid && !had_pid);
                self.statement(said, source, now);
                self.note_answer(id);
            }
            Ok(None) if self.entries.get(id).is_some_and(|e| e.affirmed <= request.asked) => {
                self.not_found(id, source, now);
            }
            Ok(None) | Err(_) => {}
        }
        self.next_step(id, now);
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        entry.had_status = true;
        self.withdraw_process(id, had_pid, now);
        self.ask_for_end(id, tries, now);
        self.was_attempted(id, now);
        if matches!(self.run_log.run(id), Run::Over { tick, .. } if request.asked >= tick) {
            self.confirm(id, now);
        }
        self.ask_for_missing(id, tries, now);
    }

    /// Lets time pass: reports what was held back long enough, and forgets old tombstones.
    pub fn pass(&mut self, now: Now) {
        self.horizon.follow(now);
        self.packer.pass(now.mono);
        for id in self.run_log.due(now.mono) {
            self.release(&id, now);
        }
        self.pass_deaths(now);
        self.forget_old(now);
    }

    pub(super) fn next_tick(&mut self, now: Now) -> Tick {
        self.horizon.follow(now);
        self.tick += 1;
        self.tick
    }

    /// Applies one statement about one container or sandbox.
    pub(super) fn statement(&mut self, said: Observation, source: Source, now: Now) {
        if let Some(entry) = self.entries.get_mut(&said.id) {
            entry.listed_as = None;
        }
        if said.flags & CRI_CONTAINER_FLAG_UNREADABLE != 0 && self.entries.contains_key(&said.id) {
            return self.affirm(&said.id, source);
        }
        if let Some(pod) = &said.pod {
            self.note_pod(pod, source.moment(self.tick), now);
        }
        if source.is_event() && source.reports_a_run() {
            self.end_dispute(&said.id);
        }
        self.list_agrees(&said, source);
        if self.is_overruled(&said, source) {
            return self.affirm(&said.id, source);
        }
        let run = self.run_log.run(&said.id);
        let mut verdict = (said.state == State::Running).then(|| judge_start(run, said.started_at, source));
        let is_over = matches!(run, Run::Over { .. });
        // A late or repeated statement about a run that is over.
        let is_late = is_over && source.is_event() && verdict.is_none() && !self.entries.contains_key(&said.id);
        if verdict == Some(Verdict::Doubtful) {
            let what = "the engine shows it as running after its exit was reported: the watcher asks for its status";
            verdict = match self.list_stands(&said.id, said.kind, source, what, now) {
                true => Some(Verdict::BeginsAgain),
                false => return self.affirm(&said.id, source),
            };
        }
        match verdict {
            _ if is_late => return,
            Some(Verdict::Stale) => return,
            Some(Verdict::BeginsAgain) => self.end_before_restart(&said, source, now),
            Some(Verdict::Begins | Verdict::Continues) if !matches!(run, Run::Ending { .. }) => {
                self.runs_after_all(&said.id, source);
            }
            _ => {}
        }
        let is_new = !self.entries.contains_key(&said.id);
        let bits = self.merge(&said, source, now);
        self.conclude(&said, verdict, source, Change { is_new, before: run, bits }, now);
        if !matches!(source, Source::Answer { .. }) {
            self.ask_for_missing(&said.id, 0, now);
        }
    }

    /// Decides what follows from a statement that was merged.
    fn conclude(&mut self, said: &Observation, verdict: Option<Verdict>, source: Source, change: Change, now: Now) {
        let run = change.before;
        match (verdict, said.state) {
            (Some(Verdict::Begins), _) => self.begins(said, source, source.flags(), now),
            (Some(Verdict::BeginsAgain), _) => {
                let was_reported =
                    !run.is_over_unreported() && !matches!(run, Run::Over { how: Ending::NeverStarted, .. });
                let flag = if was_reported { CRI_EVENT_FLAG_REAPPEARED } else { 0 };
                self.begins(said, source, source.flags() | flag, now);
                // A list has ended this run, and the next list would end it again.
                if matches!((source, run), (Source::Answer { .. }, Run::Over { how: Ending::Exited, .. })) {
                    let what = "its status says that it runs after its exit was reported: the watcher shows it as running, \
                        unless lists still say otherwise after 10 s";
                    self.list_stands(&said.id, said.kind, source, what, now);
                }
            }
            (Some(Verdict::Overtaken), _) => self.ran_and_is_over(said, source, now),
            (Some(_), _) => self.continues(said, source, change.bits, now),
            (None, State::Exited) => self.exited(said, source, change.bits, now),
            (None, State::Created) if change.is_new && self.synced => {
                self.report(EventType::Created, source.flags(), 0, &said.id, now);
            }
            (None, _) => self.updated(&said.id, change.bits, now),
        }
    }

    /// Notes that the engine has this id, whatever else the statement says.
    fn affirm(&mut self, id: &Id, source: Source) {
        let (as_of, tick) = (source.as_of(self.tick), self.tick);
        if let Some(entry) = self.entries.get_mut(id) {
            entry.affirm(as_of, tick);
        }
    }

    /// Applies the sandbox's status that comes with an event. "Not ready" is believed only in the sandbox's own events,
    /// because containerd's lists, which are the authority, show it a moment later.
    fn sandbox_of_event(&mut self, observation: Observation, about: &Id, kind: Option<EventKind>, now: Now) {
        let own = kind.filter(|_| observation.id == *about);
        if observation.id == *about || observation.state == State::Running {
            return self.statement(observation, Source::Event { own }, now);
        }
        let known = self.pods.get(&observation.id).map(|e| e.pod.state);
        if let Some(pod) = &observation.pod {
            let pod = Pod { state: known.unwrap_or(pod.state), ..Pod::clone(pod) };
            self.note_pod(&pod, Source::Event { own }.moment(self.tick), now);
        }
    }

    /// Applies an event without a status: something has run, and the engine has to be asked for the rest.
    fn bare_word(&mut self, id: &Id, kind: Option<Kind>, pod_id: Option<Id>, now: Now) {
        let source = Source::Event { own: None };
        let known = self.entries.get(id).map(|e| e.record.kind);
        // Only a container's event can name a sandbox with another id.
        let is_guess = pod_id.is_none() && kind.is_none() && self.entries.get(id).is_none_or(|e| e.kind_is_guess);
        let observation = Observation {
            state: State::Running,
            pod_id,
            ..Observation::of(id.clone(), known.or(kind).unwrap_or(Kind::Container))
        };
        match self.run_log.run(id) {
            Run::None => self.statement(observation, source, now),
            Run::Unclear => self.ran_and_is_over(&observation, source, now),
            run if run.is_over_unreported() => self.ran_and_is_over(&observation, source, now),
            _ => {}
        }
        if let Some(entry) = self.entries.get_mut(id) {
            entry.kind_is_guess = is_guess;
        }
        self.status_queue.ask_now(id, known.or(kind), now.mono, Reason::Event);
    }

    pub(super) fn warning(&mut self, id: &Id, what: &str) {
        let path = self.entries.get(id).map_or_else(String::new, |e| e.record.path());
        self.warnings.push(format!("{path} ({id}): {what}"));
    }

    fn hint(&mut self, id: &Id, kind: Option<Kind>, is_history: bool, now: Now) {
        /// Events come in bursts. After this wait, one request answers several of them.
        const DEBOUNCE: u64 = 30;
        /// The list that follows a new subscription settles history without a request.
        const HISTORY: u64 = 1000;
        let wait = if is_history { HISTORY } else { DEBOUNCE };
        self.status_queue.hint(id, kind, now.mono + wait, Hint { tick: self.tick, is_history }, Reason::Event);
    }

    /// Applies an event which says that the engine has deleted the container. CRI-O 1.26 sends it for containers that
    /// were merely stopped, so this event alone does not end a run.
    fn deleted(&mut self, id: &Id, kind: Option<Kind>, now: Now) {
        match self.run_log.run(id) {
            Run::None | Run::Over { .. } => self.gone(id, Source::Event { own: None }, now),
            _ => self.status_queue.ask_now(id, kind, now.mono, Reason::Event),
        }
    }

    /// Merges the statement into the record, and returns which bits of `CRI_CHANGED_*` that changed.
    fn merge(&mut self, said: &Observation, source: Source, now: Now) -> u64 {
        let entry = self.entries.get(&said.id);
        let pod_id = said.pod_id.clone().or_else(|| entry.and_then(|e| e.pod_id.clone()));
        let pod = pod_id.as_ref().and_then(|id| self.pods.get(id)).map(|e| e.pod.clone());
        let before = entry.map(|e| e.record.clone());
        // What is known of a guessed kind holds for the right one, too. What the program attached always stays.
        let of_this_kind = entry.filter(|e| e.record.kind == said.kind || e.kind_is_guess);
        let mut known = of_this_kind.map(|e| e.known.clone()).unwrap_or_default();
        let moment = source.moment(self.tick);
        let mut next = merge::merge(of_this_kind.map(|e| &*e.record), &mut known, said, pod, moment);
        next.rucksack = before.as_ref().and_then(|r| r.rucksack.clone());
        self.note_presence(said, source, known, pod_id);
        let bits = before.as_deref().map_or(0, |before| next.changed_since(before));
        self.put(&said.id, next);
        self.log_flags(&said.id);
        let is_new = before.is_none();
        if is_new || bits & CRI_CHANGED_EXIT != 0 {
            self.link_attempts(&said.id, now);
        }
        if is_new || bits & (CRI_CHANGED_PID | CRI_CHANGED_LABELS | CRI_CHANGED_POD) != 0 {
            self.learn_pod_from(&said.id, now);
        }
        bits
    }

    /// Notes that the engine has this id, or had it at the time of the statement.
    fn note_presence(&mut self, said: &Observation, source: Source, known: Known, pod_id: Option<Id>) {
        let as_of = source.as_of(self.tick);
        // What is over does not come back by a late event, nor by a list that began before it went.
        let over = matches!(self.run_log.run(&said.id), Run::Over { .. });
        let is_new = !self.entries.contains_key(&said.id);
        self.unlisted += usize::from(source.is_event() && is_new);
        let entry = self.entries.entry(said.id.clone()).or_insert_with(|| Entry::new(&said.id, said.kind).into());
        entry.known = known;
        entry.kind_is_guess = false;
        entry.no_pid |= said.details.as_ref().is_some_and(|d| d.no_pid);
        entry.affirm(as_of, self.tick);
        let was_present = entry.present && !is_new;
        if !entry.present {
            let revives = said.state == State::Running || !source.is_event() || !over;
            entry.present = as_of >= entry.departed && revives;
        }
        let appears = entry.present && !was_present;
        if let Some(pod_id) = pod_id {
            entry.pod_id = Some(pod_id.clone());
            self.members.entry(pod_id).or_default().insert(said.id.clone());
        }
        if appears {
            self.touch(&said.id);
        }
    }

    /// Logs, once for each container, which texts had to be repaired or cut.
    fn log_flags(&mut self, id: &Id) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        let new = entry.record.flags & !entry.logged_flags;
        entry.logged_flags |= new;
        if new & CRI_CONTAINER_FLAG_TEXT_REPAIRED != 0 {
            self.counts.repaired_texts += 1;
            self.warning(id, "the engine's texts about it are not UTF-8: bad bytes are replaced");
        }
        if new & CRI_CONTAINER_FLAG_LABELS_CUT != 0 {
            self.counts.cut_labels += 1;
            self.warning(id, "its labels or annotations are longer than labels.max_bytes: they are cut");
        }
    }

    /// Stores this record for the id.
    pub(super) fn put(&mut self, id: &Id, mut record: Container) {
        let is_open = self.run_log.run(id).is_open();
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        let is_final = !entry.present && matches!(self.run_log.run(id), Run::Over { .. });
        let missing = merge::missing(&record, entry.no_pid) & !entry.unanswered.given_up;
        record.missing = if is_final { 0 } else { missing & !self.limits.not_wanted };
        if record.state == State::Exited {
            // An exited container has no process. `pid` and its start time still show which one it was.
            record.engine_pid = None;
            if let Some(it) = entry.withdrawn.take_if(|_| record.pid.is_none()) {
                (record.pid, record.pid_start_ticks, record.namespaces) = (it.pid, it.pid_start_ticks, it.namespaces);
            }
        }
        if *entry.record != record {
            let followed = entry.followed();
            record.image = self.images.shared(&record.image);
            let has_pid = record.pid.is_some();
            let before = std::mem::replace(&mut entry.record, Arc::new(record));
            if is_open && !has_pid && before.pid.is_some() {
                entry.withdrawn = Some(before);
            }
            if entry.followed() != followed {
                self.hints.process_changed(id);
            }
            entry.listed_as = None;
            self.touch(id);
        }
    }
}

/// How a statement changed what is known.
struct Change {
    is_new: bool,
    /// The run before the statement.
    before: Run,
    /// The fields that changed: bits of `CRI_CHANGED_*`.
    bits: u64,
}

impl Entry {
    /// Notes a statement that the engine had it at tick `as_of`. The statement came at tick `came`.
    pub(super) fn affirm(&mut self, as_of: Tick, came: Tick) {
        self.affirmed = self.affirmed.max(as_of);
        self.heard = came;
        self.not_listed = false;
    }

    /// The process of this run, if it is known: its pid and start time. It stays known after its pid was withdrawn.
    pub(super) fn process(&self) -> Option<(i32, u64)> {
        let of = |record: &Container| record.pid.zip(record.pid_start_ticks);
        of(&self.record).or_else(|| self.withdrawn.as_deref().and_then(of))
    }

    /// The process whose end is waited for.
    pub(super) fn followed(&self) -> Option<(i32, u64)> {
        self.process().filter(|_| self.record.is_running())
    }

    fn new(id: &Id, kind: Kind) -> Self {
        Entry {
            record: Arc::new(Container::new(id.clone(), kind)),
            shown: None,
            pod_id: None,
            present: true,
            affirmed: 0,
            heard: 0,
            not_listed: false,
            known: Known::default(),
            listed: 0,
            listed_as: None,
            departed: 0,
            kind_is_guess: false,
            no_pid: false,
            provisional: false,
            process_gone: false,
            withdrawn: None,
            dispute: Dispute::None,
            not_found: None,
            deleted: false,
            removed: false,
            unanswered: Unanswered::default(),
            logged_flags: 0,
            had_status: false,
        }
    }
}
