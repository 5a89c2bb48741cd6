//! Looks for the processes of containers on the host instead of asking the engine, and asks the engine later for details
//! that only it has.
//!
//! The pid of a run comes from the engine's pid file, and the host proves it. If that fails, a status request replaces it.
//! The rest of a verbose status is not urgent: the watcher asks for one container at a time, when it has no other request
//! to make.

use std::collections::VecDeque;

use super::clock::{Now, Tick};
use super::judge::Source;
use super::status_queue::{Reason, StatusRequest};
use super::{Entry, Portfolio, merge};
use crate::config::DetailRequests;
use crate::host::Refusal;
use crate::model::*;

/// How many containers `details_request` skips in one call because other requests about them are planned.
const LOOKS: usize = 8;

/// How many look-ups the maps keep memory for while there are none.
const FEW: usize = 32;

/// A request to look for the process of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The container.
    pub id: Id,
    /// When the look-up was requested, as a tick of the portfolio.
    pub asked: Tick,
    /// Whether the name of its image is wanted, too, because only a status has given one, which may be another tag of the
    /// image.
    pub image_name: bool,
}

/// A look-up and its result: the proven process, or why there is none.
pub type Found = (Lookup, Result<Details, Refusal>);

/// The look-ups that are wanted or under way.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    wanted: VecDeque<Id>,
    /// All look-ups, each with the tick at which it was requested.
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
        // A look-up that was dropped is left out. One that was requested twice is made once.
        let lookup = |id: Id| open.get(&id).map(|tick| Lookup { asked: *tick, image_name: lacks_name(&id), id });
        let mut taken: Vec<Lookup> = self.wanted.drain(..).filter_map(lookup).collect();
        taken.dedup();
        taken
    }

    /// Removes a look-up whose result came. Returns whether it was still wanted.
    fn came_back(&mut self, lookup: &Lookup) -> bool {
        let is_awaited = self.open.get(&lookup.id) == Some(&lookup.asked) && self.open.remove(&lookup.id).is_some();
        if self.open.is_empty() {
            // The first list of a large node fills the maps once. They are never as full again.
            self.open.shrink_to(FEW);
            self.wanted.shrink_to(FEW);
        }
        is_awaited
    }

    /// Requests all look-ups again, because those under way are lost with the connection.
    fn start_again(&mut self) {
        self.wanted = self.open.keys().cloned().collect();
    }

    fn take_all(&mut self) -> Vec<Id> {
        self.wanted.clear();
        std::mem::take(&mut self.open).into_keys().collect()
    }
}

impl Portfolio {
    /// Notes whether the engine of this connection has pid files that can be read.
    pub fn use_pid_files(&mut self, has_files: bool, now: Now) {
        self.pid_files = has_files;
        match has_files {
            true => self.lookups.start_again(),
            false => self.lookups.take_all().iter().for_each(|id| self.process_not_found(id, now)),
        }
    }

    /// Looks for the process of a run that has begun.
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

    /// Asks the engine, because the host does not show the process of this run.
    fn process_not_found(&mut self, id: &Id, now: Now) {
        match self.entries.get(id).filter(|e| e.record.is_running()).map(|e| e.record.kind) {
            Some(kind) => self.status_queue.ask_now(id, Some(kind), now.mono, Reason::Start),
            None => self.ask_for_missing(id, 0, now),
        }
    }

    /// Takes the look-ups to make now. From here on they are under way.
    pub fn lookups(&mut self) -> Vec<Lookup> {
        let entries = &self.entries;
        self.lookups.take(|id| entries.get(id).is_some_and(|entry| lacks_image_name(entry)))
    }

    /// Takes the result of a look-up: the proven process, or why there is none.
    pub fn found(&mut self, lookup: &Lookup, found: Result<Details, Refusal>, now: Now) {
        self.next_tick(now);
        let id = &lookup.id;
        if !self.lookups.came_back(lookup) {
            return;
        }
        if !self.entries.get(id).is_some_and(|e| e.record.is_running()) {
            // During the look-up, no other request was made for this container.
            return self.ask_for_missing(id, 0, now);
        }
        match found {
            Ok(details) => {
                self.counts.pids_from_files += 1;
                self.take_process(id, &details, lookup.asked, now);
                self.want_details(id, now);
                // If a status request is open, too, its answer reports the run.
                if !self.status_queue.is_urgent(id) {
                    self.was_attempted(id, now);
                }
                self.ask_for_missing(id, 0, now);
            }
            Err(refusal) => {
                self.counts.proofs_refused += u64::from(refusal.is_disproof());
                self.process_not_found(id, now);
            }
        }
    }

    /// Puts what is new about the process into the record.
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

    /// Plans a request for the details that only a verbose status has. If the image might have another name than the author
    /// of the pod gave it, the request is made at once, and STARTED waits for it: containerd 1.7 gives that name in no
    /// cheaper way.
    fn want_details(&mut self, id: &Id, now: Now) {
        let entry = self.entries.get(id).filter(|e| self.limits.details == DetailRequests::Lazy && !e.had_status);
        match entry.map(|e| lacks_image_name(e).then_some(e.record.kind)) {
            Some(Some(kind)) => self.status_queue.ask_now(id, Some(kind), now.mono, Reason::Details),
            Some(None) => self.details.push_back(id.clone()),
            None => {}
        }
    }

    /// The next request for details that only a verbose status has, if no other request is due.
    pub fn details_request(&mut self, now: Now) -> Option<StatusRequest> {
        if self.lookups.len() > 0 || self.status_queue.has_due(now.mono) {
            return None;
        }
        let mut looks = 0;
        while let Some(id) = self.details.pop_front() {
            let entry = self.entries.get(&id).filter(|e| e.present && !e.had_status && e.record.is_running());
            let Some(entry) = entry else { continue };
            if self.status_queue.is_open(&id) {
                // A request for another reason brings the details, too, if it is made.
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

    /// The missing fields for which to make a request now. The start time of a run whose pid came from a pid file is left
    /// out: it comes with the details.
    pub(super) fn missing_now(&self, id: &Id) -> u64 {
        let later = |had_status: bool| if self.pid_files && !had_status { CRI_MISSING_STARTED_AT } else { 0 };
        self.entries.get(id).map_or(0, |e| e.record.missing & !later(e.had_status))
    }
}

/// Whether only a status has named the image of this container. It gives the first of the image's names, whatever the
/// author of the pod wrote.
fn lacks_image_name(entry: &Entry) -> bool {
    entry.record.kind == Kind::Container && entry.known.lacks_image_name()
}
