//! The containers and pods of this node, as pure state. The engine's statements go in, the reports for consumers come
//! out, and time is an argument. `apply` holds the rules.

mod apply;
mod clock;
mod disputes;
mod fields;
mod hints;
mod images;
mod index;
mod judge;
mod listed;
mod lookup;
mod merge;
mod open_fields;
mod owner;
mod packer;
mod pods;
mod previous;
mod processes;
mod query;
mod report;
mod run_log;
mod runs;
mod shown;
mod snapshot;
mod sorted;
mod status_queue;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use crate::config::{Config, DetailRequests};
use crate::model::*;
use clock::Horizon;
use disputes::Dispute;
use hints::Hints;
use images::Images;
use merge::Known;
use open_fields::Unanswered;
use packer::PackerRequests;
use pods::PodEntry;
use processes::Lookups;
use run_log::RunLog;
use status_queue::StatusQueue;
use tally::Counts;

pub use clock::{Millis, Now, Tick};
pub use hints::Reach;
pub use lookup::{lookup, whole_id};
pub(crate) use owner::Place;
pub use owner::{HostReader, Owner, Unproven};
pub use processes::{Found, Lookup};
pub use query::Query;
pub use shown::Shown;
pub use snapshot::Snapshot;
pub use status_queue::{Reason, StatusRequest};
pub use tally::Tally;

/// A change that the consumers get as an event.
#[derive(Debug, Clone)]
pub struct Report {
    /// STARTED, EXITED or UPDATED.
    pub event_type: EventType,
    /// Bits of `CRI_EVENT_FLAG_*`.
    pub flags: u32,
    /// What has changed, of an UPDATED: bits of `CRI_CHANGED_*`.
    pub changed: u64,
    /// When it happened, if the engine says so; otherwise when it was noticed.
    pub time: Time,
    /// The container, as it is now.
    pub container: Arc<Container>,
}

/// The waiting times of the portfolio, and how much it remembers.
#[derive(Debug, Clone)]
struct Limits {
    /// How long a STARTED waits for the pid, and an EXITED for its facts.
    hold: Millis,
    /// How long a STARTED waits for the rucksack.
    rucksack: Millis,
    /// The longest wait between two requests about the same id.
    retry_ceiling: Millis,
    /// The limit for ids of doubtful events that get a status request each. If there are more, one list settles them.
    hints: usize,
    /// The same limit for events that an engine kept for its first subscriber. It is small, because engines log an
    /// error for each status request about something that is gone.
    history: usize,
    /// How many new ids the portfolio takes from events alone. No node starts as many between two lists; any more have
    /// to be in a list.
    unlisted: usize,
    tombstones_keep: Millis,
    tombstones_max: usize,
    /// Which details to ask for, beside the pids.
    details: DetailRequests,
    /// Fields that are never asked for: bits of `CRI_MISSING_*`.
    not_wanted: u64,
}

#[derive(Debug)]
struct Entry {
    record: Arc<Container>,
    /// What readers see of this entry.
    shown: Option<index::Entry>,
    pod_id: Option<Id>,
    /// Whether the engine has it, as far as we know; otherwise it is a tombstone.
    present: bool,
    /// The newest tick at which the engine was known to have it.
    affirmed: Tick,
    /// The tick at which the newest statement came that the engine has it. An answer may show any moment between its
    /// request and this tick.
    heard: Tick,
    /// The newest list does not show it, but an answer that came while the list was made does. Which of both is older is
    /// not known, so the watcher asks for its status.
    not_listed: bool,
    /// How strong each of the record's values is.
    known: Known,
    /// The tick at which the newest list that shows it was applied.
    listed: Tick,
    /// The fingerprint of its entry in that list, as long as no other statement about this id came.
    listed_as: Option<Fingerprint>,
    /// The tick at which the engine no longer had it.
    departed: Tick,
    /// No statement so far says whether it is a container or a sandbox.
    kind_is_guess: bool,
    /// This engine gives no pid for it.
    no_pid: bool,
    /// EXITED was reported as provisional; one UPDATED will follow.
    provisional: bool,
    /// Its process is gone from the host, and the engine is asked about that.
    process_gone: bool,
    /// The record before its pid was withdrawn, because its process is gone and the engine says that it runs. The exit
    /// shows this pid again.
    withdrawn: Option<Arc<Container>>,
    /// How the engine contradicts itself about this container.
    dispute: Dispute,
    /// The tick of an answer that its status was not found, while no list that began later has shown it.
    not_found: Option<Tick>,
    /// An event says that the engine has deleted it.
    deleted: bool,
    /// REMOVED was reported, and no run has begun since.
    removed: bool,
    /// Whether a status of this run was asked for and an answer came, with any result.
    had_status: bool,
    /// The fields that the engine was asked for and did not give.
    unanswered: Unanswered,
    /// The `CRI_CONTAINER_FLAG_*` bits that were logged already.
    logged_flags: u32,
}

/// The containers and pods of this node: the cache, and what is still to be reported.
#[derive(Debug)]
pub struct Portfolio {
    /// The entries are boxed, because a hash map allocates room for many more than it holds.
    entries: IdMap<Box<Entry>>,
    images: Images,
    pods: IdMap<PodEntry>,
    /// The containers of each pod, whether the pod itself is known or not.
    members: IdMap<BTreeSet<Id>>,
    run_log: RunLog,
    status_queue: StatusQueue,
    lookups: Lookups,
    /// Runs whose details are asked for when nothing else is to be done.
    details: VecDeque<Id>,
    /// Whether processes are looked for in the engine's pid files.
    pid_files: bool,
    hints: Hints,
    packer: PackerRequests,
    /// The tombstones, oldest first.
    tombstones: VecDeque<(Millis, Id)>,
    horizon: Horizon,
    /// Whether the first list was applied.
    synced: bool,
    /// How many ids came from events since the last list, so that no list has shown them yet.
    unlisted: usize,
    tick: Tick,
    generation: u64,
    changed: bool,
    /// Ids of records that have changed since readers were last shown them.
    touched: Vec<Id>,
    shown: Shown,
    reported: Vec<Report>,
    /// Warnings about contradictions, for the next `take_warnings`.
    warnings: Vec<String>,
    /// Warnings that are logged once, however many containers they concern.
    warned: HashSet<&'static str>,
    /// Ids of entries that could not be decoded.
    unreadable: IdSet,
    counts: Counts,
    not_told: Arc<[(&'static str, u64)]>,
    /// A list is needed: an id that lists show has no status, and the next list decides.
    wants_list: bool,
    limits: Limits,
}

impl Portfolio {
    /// An empty portfolio.
    pub fn new(config: &Config) -> Self {
        let millis = |d: std::time::Duration| d.as_millis() as Millis;
        Portfolio {
            entries: IdMap::default(),
            images: Images::default(),
            pods: IdMap::default(),
            members: IdMap::default(),
            run_log: RunLog::default(),
            status_queue: StatusQueue::default(),
            lookups: Lookups::default(),
            details: VecDeque::new(),
            pid_files: false,
            hints: Hints::default(),
            packer: PackerRequests::default(),
            tombstones: VecDeque::new(),
            horizon: Horizon::default(),
            synced: false,
            unlisted: 0,
            tick: 0,
            generation: 0,
            changed: false,
            touched: Vec::new(),
            shown: Shown::default(),
            reported: Vec::new(),
            warnings: Vec::new(),
            warned: HashSet::new(),
            unreadable: IdSet::default(),
            counts: Counts::default(),
            not_told: Arc::default(),
            wants_list: false,
            limits: Limits {
                hold: 200,
                rucksack: millis(config.packer_timeout),
                retry_ceiling: millis(config.relist_interval),
                hints: 32,
                history: 2,
                unlisted: 10_000,
                tombstones_keep: millis(config.tombstones_keep),
                tombstones_max: config.tombstones_max,
                details: config.details,
                not_wanted: if config.details == DetailRequests::None { CRI_MISSING_STARTED_AT } else { 0 },
            },
        }
    }

    /// Whether the first list was applied, so that there is a snapshot at all.
    pub fn is_synced(&self) -> bool {
        self.synced
    }

    /// The number of the cache's state. It grows with every change that readers can see.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Everything that can be looked up: the containers that the engine has, and tombstones.
    pub fn containers(&self) -> impl Iterator<Item = &Arc<Container>> + Clone {
        self.entries.values().map(|e| &e.record)
    }

    /// Everything that the engine has, in any state.
    pub fn present(&self) -> impl Iterator<Item = &Arc<Container>> {
        self.entries.values().filter(|e| e.present).map(|e| &e.record)
    }

    /// Everything that runs (a sandbox: is ready).
    pub fn running(&self) -> impl Iterator<Item = &Arc<Container>> {
        self.present().filter(|c| c.is_running())
    }

    /// The runs whose STARTED is reported and whose EXITED is not. A container whose EXITED is held back, or whose state the
    /// engine does not know at the moment, is shown as it was while it ran.
    pub fn runs(&self) -> Vec<Arc<Container>> {
        self.entries.keys().filter_map(|id| self.run(id)).collect()
    }

    /// The run of this id, if consumers know it.
    pub fn run(&self, id: &Id) -> Option<Arc<Container>> {
        let record = &self.entries.get(id).filter(|_| self.run_log.run(id).is_reported_running())?.record;
        Some(if record.state == State::Running { record.clone() } else { merge::as_running(record).into() })
    }

    /// The pods whose sandboxes the engine has.
    pub fn pods(&self) -> impl Iterator<Item = &Arc<Pod>> {
        self.pods.iter().filter(|(id, _)| self.entries.get(*id).is_some_and(|e| e.present)).map(|(_, entry)| &entry.pod)
    }

    /// The container or sandbox with this id, also among the tombstones.
    pub fn get(&self, id: &str) -> Option<&Arc<Container>> {
        self.entries.get(id).map(|e| &e.record)
    }

    /// The pod with this sandbox.
    pub fn pod(&self, id: &str) -> Option<&Arc<Pod>> {
        self.pods.get(id).map(|entry| &entry.pod)
    }

    /// The record as it would be with this statement merged into it.
    pub fn record_of(&self, observation: &Observation, pod: Option<Arc<Pod>>) -> Container {
        let entry = self.entries.get(&observation.id).filter(|e| e.record.kind == observation.kind);
        let mut known = entry.map(|e| e.known.clone()).unwrap_or_default();
        // The sandbox's statement lacks what its containers and its process say about the pod.
        let pod = pod.map(|pod| self.pod_with(pod));
        let mut record = merge::merge(entry.map(|e| &*e.record), &mut known, observation, pod, Tick::MAX);
        record.missing = merge::missing(&record, observation.details.as_ref().is_some_and(|d| d.no_pid));
        record
    }

    /// The container whose first process has this pid.
    pub fn with_pid(&self, pid: i32) -> Option<&Arc<Container>> {
        self.running().find(|c| c.pid == Some(pid))
    }

    /// The reports since the last call, in order; each is returned once.
    pub fn take_reports(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reported)
    }

    /// Warnings about the engine's contradictions; each is returned once.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// How often the engine was asked about this id for fields that are still missing.
    pub fn times_asked(&self, id: &Id) -> u32 {
        self.status_queue.tries(id)
    }

    /// Notes whether the request for this id timed out.
    pub fn note_speed(&mut self, id: &Id, timed_out: bool) {
        self.status_queue.note_speed(id, timed_out);
    }

    /// The processes of all running containers: id, pid and start time.
    pub fn processes(&self) -> Vec<(Id, i32, u64)> {
        self.running().filter_map(|c| Some((c.id.clone(), c.pid?, c.pid_start_ticks?))).collect()
    }

    /// How many status requests are open, including those that wait until nothing else is to be asked.
    pub fn open_status_requests(&self) -> usize {
        self.status_queue.len() + self.details.len()
    }

    /// How many urgent requests and look-ups on the host still wait for their first answer.
    pub fn unanswered(&self) -> usize {
        self.status_queue.unanswered() + self.lookups.len()
    }

    /// Whether nothing urgent waits for its first answer: pids of new runs, contradictions, ends without facts,
    /// look-ups on the host.
    pub fn is_settled(&self) -> bool {
        self.run_log.deadline().is_none()
            && self.packer.deadline().is_none()
            && self.status_queue.is_quiet()
            && self.lookups.len() == 0
    }

    /// The tick to note with a list that is about to begin.
    pub fn list_begins(&self) -> Tick {
        self.tick
    }

    /// The requests to send to the engine now, at most `room` of them.
    pub fn requests(&mut self, room: usize, now: Now) -> Vec<StatusRequest> {
        let mut requests = self.status_queue.take_due(now.mono, room, self.tick);
        for request in &mut requests {
            if let Some(entry) = self.entries.get(&request.id) {
                // A sandbox is not among the engine's containers. A request of the wrong kind would say that it is
                // gone.
                request.kind = Some(entry.record.kind).filter(|_| !entry.kind_is_guess);
            }
        }
        requests
    }

    /// Whether so much is in doubt that one full list is cheaper than a request for each. The call resets the answer.
    pub fn wants_list(&mut self, now: Now) -> bool {
        let too_many = self.status_queue.too_many_hints(self.limits.hints)
            || self.status_queue.too_much_history(self.limits.history, now.mono);
        std::mem::take(&mut self.wants_list) || too_many || self.unlisted > self.limits.unlisted / 4
    }

    /// Makes open requests again, because the connection is lost.
    pub fn connection_lost(&mut self, now: Now) {
        self.status_queue.connection_lost(now.mono);
        self.packer.connection_lost();
    }

    /// How many runs have begun and ended so far; each begin and each end counts.
    pub fn starts_and_ends(&self) -> u64 {
        self.run_log.turns()
    }

    /// When `pass` or `requests` has to be called next.
    pub fn deadline(&self) -> Option<Millis> {
        [self.patience(), self.status_queue.deadline()].into_iter().flatten().min()
    }

    /// When `pass` has to be called next, even without a connection to the engine.
    pub fn patience(&self) -> Option<Millis> {
        let tombstone = self.tombstones.front().map(|(at, _)| at + self.limits.tombstones_keep);
        [self.run_log.deadline(), self.packer.deadline(), tombstone, self.hints.deadline()].into_iter().flatten().min()
    }

    /// Ends one input. The generation grows if anything that readers can see has changed. Returns whether it has.
    pub fn commit(&mut self) -> bool {
        let changed = std::mem::take(&mut self.changed);
        self.generation += u64::from(changed);
        self.show();
        self.shown.generation = self.generation;
        changed
    }

    fn forget_old(&mut self, now: Now) {
        let limits = self.limits.clone();
        while self.tombstones.front().is_some_and(|(at, _)| at + limits.tombstones_keep <= now.mono)
            || self.tombstones.len() > limits.tombstones_max
        {
            let Some((_, id)) = self.tombstones.pop_front() else {
                break;
            };
            if self.entries.get(&id).is_some_and(|e| !e.present) {
                self.erase(&id);
            }
        }
        let entries = &self.entries;
        if let Some(at) = self.run_log.forget(now.mono, |id| entries.get(id).is_some_and(|e| e.present)) {
            // Computed from the present wall clock, because that may have been set since.
            self.horizon.raise(now.wall - (now.mono - at) as Time * 1_000_000);
        }
    }

    fn erase(&mut self, id: &Id) {
        let Some(entry) = self.entries.remove(id) else {
            return;
        };
        self.changed = true;
        if let Some(shown) = &entry.shown {
            self.shown.entries.remove(shown);
        }
        self.status_queue.drop(id);
        self.lookups.drop(id);
        self.hints.drop(id);
        if let Some(pod_id) = entry.pod_id {
            if let Some(members) = self.members.get_mut(&pod_id) {
                members.remove(id);
                if members.is_empty() {
                    self.members.remove(&pod_id);
                }
            }
            if !self.members.contains_key(&pod_id) {
                let gone = self.pods.remove(&pod_id);
                gone.iter().for_each(|entry| self.shown.pods.remove(&entry.pod));
            }
        }
    }
}
