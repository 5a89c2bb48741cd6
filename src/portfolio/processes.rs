//! Processes that are looked for on the host instead of asking the engine, and what only the engine reports about them, later.
//!
//! A run's pid comes from the engine's pid file, proven by the host. Where that fails, a status request takes its place. The rest
//! of a verbose status is not urgent: one request at a time, when there is nothing else to do.

use std::collections::VecDeque;

use super::clock::{Now, Tick};
use super::judge::Source;
use super::status_queue::{Reason, StatusRequest};
use super::{Entry, Portfolio, merge};
use crate::config::DetailRequests;
use crate::host::Refusal;
use crate::model::*;

/// How many are skipped at a time because they are about to be asked about.
const LOOKS: usize = 8;

/// For how many there is room while none is looked for.
const FEW: usize = 32;

/// A process that is to be looked for: that of this container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// Whose.
    pub id: Id,
    /// Since when, in the portfolio's order of things.
    pub asked: Tick,
    /// Whether the name of its image is wanted, too: only a status has given one, which may be another tag of the image.
    pub image_name: bool,
}

/// A look-up and what came of it: the process, proven, or why none is believed.
pub type Found = (Lookup, Result<Details, Refusal>);

/// The look-ups that are wanted or under way.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    wanted: VecDeque<Id>,
    /// All of them, with the tick of the run that wants it.
    open: IdMap<Tick>,
}

impl Lookups {
    pub fn want(&mut self, id: &Id, tick: Tick) {
        self.open.insert(id.clone(), tick);
        self.wanted.push_back(id.clone());
    }

    pub fn is_open(&self, id: &str) -> bool {
        self.open.contains_key(id)
    }

    pub fn len(&self) -> usize {
        self.open.len()
    }

    pub fn drop(&mut self, id: &Id) {
        self.open.remove(id);
    }

    fn take(&mut self, lacks_name: impl Fn(&Id) -> bool) -> Vec<Lookup> {
        let open = &self.open;
        // One that was dropped, or wanted twice, is looked for once or not at all.
        let lookup = |id: Id| open.get(&id).map(|tick| Lookup { asked: *tick, image_name: lacks_name(&id), id });
        let mut taken: Vec<Lookup> = self.wanted.drain(..).filter_map(lookup).collect();
        taken.dedup();
        taken
    }

    /// Whether this is an answer that is waited for; it is not any more.
    fn came_back(&mut self, lookup: &Lookup) -> bool {
        let is_awaited = self.open.get(&lookup.id) == Some(&lookup.asked) && self.open.remove(&lookup.id).is_some();
        if self.open.is_empty() {
            // The first list of a large node fills them once, and never again.
            self.open.shrink_to(FEW);
            self.wanted.shrink_to(FEW);
        }
        is_awaited
    }

    /// What was under way is lost with the connection.
    fn start_again(&mut self) {
        self.wanted = self.open.keys().cloned().collect();
    }

    fn take_all(&mut self) -> Vec<Id> {
        self.wanted.clear();
        std::mem::take(&mut self.open).into_keys().collect()
    }
}

impl Portfolio {
    /// Whether this connection's engine has pid files that can be looked at.
    pub fn use_pid_files(&mut self, has_files: bool, now: Now) {
        self.pid_files = has_files;
        match has_files {
            true => self.lookups.start_again(),
            false => self.lookups.take_all().iter().for_each(|id| self.is_not_found(id, now)),
        }
    }

    /// A run began: its process is looked for.
    pub(super) fn look_for_process(&mut self, id: &Id, kind: Kind, now: Now) {
        if !self.pid_files {
            return self.status_queue.ask_now(id, Some(kind), now.mono, Reason::Start);
        }
        match self.hints.take_early(id) {
            Some(details) => {
                self.counts.pids_from_files += 1;
                self.take_process(id, &details, self.tick, now);
                self.want_details(id, now);
            }
            None => self.lookups.want(id, self.tick),
        }
        if self.limits.details == DetailRequests::Full {
            self.status_queue.ask_now(id, Some(kind), now.mono, Reason::Details);
        }
    }

    /// The host does not show the process of this run: the engine is asked.
    fn is_not_found(&mut self, id: &Id, now: Now) {
        match self.entries.get(id).filter(|e| e.record.is_running()).map(|e| e.record.kind) {
            Some(kind) => self.status_queue.ask_now(id, Some(kind), now.mono, Reason::Start),
            None => self.ask_for_missing(id, 0, now),
        }
    }

    /// The processes to look for now. They are under way from here on.
    pub fn lookups(&mut self) -> Vec<Lookup> {
        let entries = &self.entries;
        self.lookups.take(|id| entries.get(id).is_some_and(|entry| lacks_image_name(entry)))
    }

    /// A process was looked for: it is this one, proven, or there is a reason why none is believed.
    pub fn found(&mut self, lookup: &Lookup, found: Result<Details, Refusal>, now: Now) {
        self.next_tick(now);
        let id = &lookup.id;
        if !self.lookups.came_back(lookup) {
            return;
        }
        if !self.entries.get(id).is_some_and(|e| e.record.is_running()) {
            // While it was looked for, nothing else was asked for.
            return self.ask_for_missing(id, 0, now);
        }
        match found {
            Ok(details) => {
                self.counts.pids_from_files += 1;
                self.take_process(id, &details, lookup.asked, now);
                self.want_details(id, now);
                // Where a status was asked for, too, the run is reported with what that says.
                if !self.status_queue.is_urgent(id) {
                    self.was_attempted(id, now);
                }
                self.ask_for_missing(id, 0, now);
            }
            Err(refusal) => {
                self.counts.proofs_refused += u64::from(refusal.is_disproof());
                self.is_not_found(id, now);
            }
        }
    }

    /// The record takes the process, as far as it is news.
    pub(super) fn take_process(&mut self, id: &Id, details: &Details, asked: Tick, now: Now) {
        let moment = Source::Answer { asked }.moment(self.tick);
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        let before = entry.record.clone();
        let mut next = Container::clone(&before);
        merge::take_process(&mut next, &mut entry.known, details, moment);
        let bits = next.changed_since(&before);
        self.put(id, next);
        if bits & CRI_CHANGED_PID != 0 {
            self.learn_pod_from(id, now);
        }
        self.updated(id, bits, now);
    }

    /// Wants what only a verbose status has, later. The start is not reported before it where the image would have
    /// another name than its author gave it: containerd 1.7 reports that in no cheaper way.
    fn want_details(&mut self, id: &Id, now: Now) {
        let entry = self.entries.get(id).filter(|e| self.limits.details == DetailRequests::Lazy && !e.had_status);
        match entry.map(|e| lacks_image_name(e).then_some(e.record.kind)) {
            Some(Some(kind)) => self.status_queue.ask_now(id, Some(kind), now.mono, Reason::Details),
            Some(None) => self.details.push_back(id.clone()),
            None => {}
        }
    }

    /// The next request for what only a verbose status has, if nothing more urgent is to be asked.
    pub fn details_request(&mut self, now: Now) -> Option<StatusRequest> {
        if self.lookups.len() > 0 || self.status_queue.has_due(now.mono) {
            return None;
        }
        let mut looks = 0;
        while let Some(id) = self.details.pop_front() {
            let entry = self.entries.get(&id).filter(|e| e.present && !e.had_status && e.record.is_running());
            let Some(entry) = entry else { continue };
            if self.status_queue.is_open(&id) {
                // A request for another reason will bring the rest, too, if it is asked at all.
                self.details.push_back(id);
                looks += 1;
                if looks == LOOKS {
                    return None;
                }
                continue;
            }
            self.status_queue.ask(&id, Some(entry.record.kind), now.mono, Reason::Details);
            return self.requests(1, now).pop();
        }
        None
    }

    /// What is worth a request of its own among the fields that are missing. The start of a run that was found without the
    /// engine comes with its details.
    pub(super) fn missing_now(&self, id: &Id) -> u64 {
        let later = |had_status: bool| if self.pid_files && !had_status { CRI_MISSING_STARTED_AT } else { 0 };
        self.entries.get(id).map_or(0, |e| e.record.missing & !later(e.had_status))
    }
}

/// Whether only a status has named its image: with the first of its names, whatever the pod's author wrote.
fn lacks_image_name(entry: &Entry) -> bool {
    entry.record.kind == Kind::Container && entry.known.lacks_image_name()
}
