//! The queue of status requests: which containers to ask the engine about, and when.

use std::collections::BTreeSet;

use super::clock::{Millis, Tick};
use crate::model::metrics::{self, Metric};
use crate::model::{Id, IdMap, IdSet, Kind};

/// A request to make now: for the verbose status of this id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRequest {
    /// The id of the container or sandbox.
    pub id: Id,
    /// Whether it is a container or a sandbox, if that is known.
    pub kind: Option<Kind>,
    /// When the request was made, as a tick of the portfolio.
    pub asked: Tick,
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $reason:ident = $counter:ident,)+) => {
        /// The reason of a status request.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Reason { $($(#[doc = $doc])+ $reason),+ }

        impl Reason {
            /// All reasons, in order.
            pub const ALL: &[Reason] = &[$(Reason::$reason),+];

            /// The counter of requests for this reason.
            pub fn counter(self) -> &'static Metric {
                match self { $(Reason::$reason => &metrics::$counter),+ }
            }
        }
    };
}

reasons! {
    /// A run began, and no pid file has its pid.
    Start = STATUS_REQUESTS_FOR_START,
    /// A list shows an end. Only the status has the exit code, the reason and the time.
    End = STATUS_REQUESTS_FOR_END,
    /// An event came without a status, or the engine made the event before the first list.
    Event = STATUS_REQUESTS_FOR_EVENT,
    /// The engine contradicts itself, or an answer and a list of the same moment differ.
    Contradiction = STATUS_REQUESTS_FOR_CONTRADICTION,
    /// A field is still missing.
    Missing = STATUS_REQUESTS_FOR_MISSING,
    /// An exit was reported as provisional.
    Provisional = STATUS_REQUESTS_FOR_PROVISIONAL,
    /// The process of a running container is gone.
    ProcessGone = STATUS_REQUESTS_FOR_PROCESS_GONE,
    /// The host has hinted at a change.
    Hint = STATUS_REQUESTS_FOR_HINT,
    /// A verbose status is needed for details, such as the command, of a run whose pid is known.
    Details = STATUS_REQUESTS_FOR_DETAILS,
}

/// How many of the requests under way may be for ids whose last request timed out. So a container that hangs does not hold
/// up new ones.
const MOST_SLOW: usize = 6;
/// How many ids the maps keep memory for while the queue is empty.
const MOST_IDLE: usize = 256;
/// The first wait before another request for missing fields. It doubles up to the interval of the full lists.
const FIRST_RETRY: Millis = 500;

/// A request for which the only reason is an event that may be old.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hint {
    /// When the event came. A list that began later makes the request unnecessary.
    pub tick: Tick,
    /// Whether the engine seems to have kept the event for its first subscriber.
    pub is_history: bool,
}

#[derive(Debug)]
struct Planned {
    kind: Option<Kind>,
    reason: Reason,
    /// When to ask; `None` while the request is on its way.
    due: Option<Millis>,
    tries: u32,
    /// Set when a new reason to ask came up while the request was on its way.
    again: Option<Millis>,
    again_urgent: bool,
    /// The hint, if it is the only reason for the request.
    hint: Option<Hint>,
}

/// All open requests.
#[derive(Debug, Default)]
pub(super) struct StatusQueue {
    by_id: IdMap<Planned>,
    queue: BTreeSet<(Millis, Id)>,
    hints: usize,
    /// How many of the hints are history.
    history: usize,
    /// When the first request for history is due.
    history_due: Option<Millis>,
    /// The ids that were to be asked about at once, and have no answer yet.
    urgent: IdSet,
    /// The ids whose last request timed out.
    slow: IdSet,
    /// Those of `slow` whose next request is under way.
    slow_under_way: IdSet,
    /// How many requests were made, by reason.
    made: [u64; Reason::ALL.len()],
}

impl StatusQueue {
    /// Asks about this id at once.
    pub fn ask_now(&mut self, id: &Id, kind: Option<Kind>, now: Millis, reason: Reason) {
        self.plan(id, kind, now, None, reason);
        self.urgent.insert(id.clone());
        if let Some(planned) = self.by_id.get_mut(id) {
            planned.again_urgent = planned.again.is_some();
        }
    }

    /// Asks about this id at `due`, or earlier if that is already planned.
    pub fn ask(&mut self, id: &Id, kind: Option<Kind>, due: Millis, reason: Reason) {
        self.plan(id, kind, due, None, reason);
    }

    /// Plans a request about an id for which the only reason is an event that may be old. If a request is already under
    /// way, another one follows it, because its answer may be older than the event.
    pub fn hint(&mut self, id: &Id, kind: Option<Kind>, due: Millis, mut hint: Hint, reason: Reason) {
        let planned = self.by_id.get_mut(id);
        if planned.is_none() && hint.is_history {
            self.history += 1;
            self.history_due.get_or_insert(due);
        }
        // A list that began before this event does not settle it.
        let was_history = planned.and_then(|planned| planned.hint.as_mut()).is_some_and(|known| {
            hint.is_history &= known.is_history;
            std::mem::replace(known, hint).is_history
        });
        if was_history && !hint.is_history {
            self.less_history();
        }
        self.plan(id, kind, due, Some(hint), reason);
    }

    fn plan(&mut self, id: &Id, kind: Option<Kind>, due: Millis, hint: Option<Hint>, reason: Reason) {
        let planned = self.by_id.entry(id.clone()).or_insert_with(|| {
            self.hints += usize::from(hint.is_some());
            Planned { kind, reason, due: Some(Millis::MAX), tries: 0, again: None, again_urgent: false, hint }
        });
        planned.kind = planned.kind.or(kind);
        let settled = if hint.is_none() { planned.hint.take() } else { None };
        if planned.due.is_none_or(|at| due < at) {
            planned.reason = reason;
        }
        match planned.due {
            None => planned.again = Some(planned.again.map_or(due, |at| at.min(due))),
            Some(at) if due < at => {
                self.queue.remove(&(at, id.clone()));
                self.queue.insert((due, id.clone()));
                planned.due = Some(due);
            }
            Some(_) => {}
        }
        self.no_longer(settled);
    }

    /// Counts one hint less.
    fn no_longer(&mut self, hint: Option<Hint>) {
        let Some(hint) = hint else { return };
        self.hints -= 1;
        if hint.is_history {
            self.less_history();
        }
    }

    fn less_history(&mut self) {
        self.history -= 1;
        if self.history == 0 {
            self.history_due = None;
        }
    }

    /// Removes the request for this id.
    pub fn drop(&mut self, id: &Id) {
        self.urgent.remove(id);
        self.slow.remove(id);
        self.slow_under_way.remove(id);
        if let Some(planned) = self.by_id.remove(id) {
            self.no_longer(planned.hint);
            if let Some(due) = planned.due {
                self.queue.remove(&(due, id.clone()));
            }
        }
        // The first list of a large node fills the maps once. They are never as full again.
        if self.by_id.is_empty() && self.by_id.capacity() > MOST_IDLE {
            self.by_id.shrink_to(MOST_IDLE);
            self.urgent.shrink_to(MOST_IDLE);
        }
    }

    /// How many requests were made about this id.
    pub fn tries(&self, id: &Id) -> u32 {
        self.by_id.get(id).map_or(0, |planned| planned.tries)
    }

    pub fn is_open(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Takes the requests to make now, at most `room` of them. From here on they are under way.
    pub fn take_due(&mut self, now: Millis, room: usize, tick: Tick) -> Vec<StatusRequest> {
        let mut due = Vec::new();
        let mut slow = self.slow_under_way.len();
        for (_, id) in self.queue.iter().take_while(|(at, _)| *at <= now) {
            if due.len() == room {
                break;
            }
            let is_slow = self.slow.contains(id);
            if !is_slow || slow < MOST_SLOW {
                slow += usize::from(is_slow);
                due.push(id.clone());
            }
        }
        due.into_iter().map(|id| self.send_off(id, tick)).collect()
    }

    fn send_off(&mut self, id: Id, tick: Tick) -> StatusRequest {
        let planned = self.by_id.get_mut(&id).expect("what is queued is known");
        if let Some(at) = planned.due.take() {
            self.queue.remove(&(at, id.clone()));
        }
        planned.tries += 1;
        self.made[planned.reason as usize] += 1;
        if self.slow.contains(&id) {
            self.slow_under_way.insert(id.clone());
        }
        StatusRequest { kind: planned.kind, asked: tick, id }
    }

    /// The request for this id timed out, or came back otherwise.
    pub fn note_speed(&mut self, id: &Id, timed_out: bool) {
        self.slow_under_way.remove(id);
        match timed_out {
            true => self.slow.insert(id.clone()),
            false => self.slow.remove(id),
        };
    }

    /// The number of requests made for each reason, in the order of `Reason::ALL`.
    pub fn made(&self) -> [u64; Reason::ALL.len()] {
        self.made
    }

    /// Notes that the answer came. Removes the request, unless there is a new reason to ask.
    pub fn came_back(&mut self, id: &Id) {
        let Some(planned) = self.by_id.get_mut(id) else {
            return;
        };
        if planned.due.is_none() {
            match planned.again.take() {
                Some(due) => {
                    planned.due = Some(due);
                    if !std::mem::take(&mut planned.again_urgent) {
                        self.urgent.remove(id);
                    }
                    self.queue.insert((due, id.clone()));
                }
                None => self.drop(id),
            }
        }
    }

    /// Plans another request for missing fields, after a wait that grows with every try up to `ceiling`.
    pub fn retry(&mut self, id: &Id, kind: Kind, tries: u32, now: Millis, ceiling: Millis, reason: Reason) {
        let wait = FIRST_RETRY.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(ceiling);
        self.ask(id, Some(kind), now + wait, reason);
        if let Some(planned) = self.by_id.get_mut(id) {
            planned.tries = planned.tries.max(tries);
        }
    }

    /// If there are more hints than `limit`, drops them and returns true: one list is cheaper than all their requests.
    pub fn too_many_hints(&mut self, limit: usize) -> bool {
        if self.hints <= limit {
            return false;
        }
        self.drop_hints(Tick::MAX);
        true
    }

    /// If more than `limit` requests for history are left when the first one is due, drops them and returns true: one list
    /// is cheaper than all of them.
    pub fn too_much_history(&mut self, limit: usize, now: Millis) -> bool {
        if self.history <= limit || self.history_due.is_none_or(|due| due > now) {
            return false;
        }
        self.drop_hints_if(|hint| hint.is_history);
        true
    }

    /// Drops the hints that a list which began at this tick makes unnecessary, and returns their ids.
    pub fn drop_hints(&mut self, before: Tick) -> Vec<Id> {
        self.drop_hints_if(|hint| hint.tick <= before)
    }

    fn drop_hints_if(&mut self, is_settled: impl Fn(Hint) -> bool) -> Vec<Id> {
        let settled = |planned: &Planned| planned.due.is_some() && planned.hint.is_some_and(&is_settled);
        let ids: Vec<Id> =
            self.by_id.iter().filter(|(_, planned)| settled(planned)).map(|(id, _)| id.clone()).collect();
        ids.iter().for_each(|id| self.drop(id));
        ids
    }

    /// How many ids that were to be asked about at once have no answer yet.
    pub fn unanswered(&self) -> usize {
        self.urgent.len()
    }

    /// Whether this id was to be asked about at once, and has no answer yet.
    pub fn is_urgent(&self, id: &Id) -> bool {
        self.urgent.contains(id)
    }

    /// Whether a request is due that was not made yet.
    pub fn has_due(&self, now: Millis) -> bool {
        self.queue.first().is_some_and(|(due, _)| *due <= now)
    }

    /// Whether every id that was to be asked about at once has its answer.
    pub fn is_quiet(&self) -> bool {
        self.urgent.is_empty()
    }

    /// When the next request is due.
    pub fn deadline(&self) -> Option<Millis> {
        self.queue.first().map(|(due, _)| *due)
    }

    /// Plans the requests under way again, because they are lost with the connection.
    pub fn connection_lost(&mut self, now: Millis) {
        self.slow_under_way.clear();
        for (id, planned) in &mut self.by_id {
            if planned.due.is_none() {
                planned.due = Some(now);
                self.queue.insert((now, id.clone()));
            }
        }
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_put_once_and_again_only_for_a_new_reason() {
        let (mut status_queue, id): (StatusQueue, Id) = (StatusQueue::default(), "a".into());
        status_queue.ask(&id, None, 50, Reason::Start);
        status_queue.ask(&id, Some(Kind::Sandbox), 100, Reason::Start);
        assert_eq!(status_queue.take_due(49, 8, 1), []);
        assert_eq!(
            status_queue.take_due(50, 8, 2),
            [StatusRequest { id: id.clone(), kind: Some(Kind::Sandbox), asked: 2 }]
        );
        assert_eq!(status_queue.take_due(1000, 8, 3), []);
        status_queue.ask(&id, None, 60, Reason::Start);
        status_queue.came_back(&id);
        assert_eq!(status_queue.take_due(60, 8, 4).len(), 1);
        status_queue.came_back(&id);
        assert!(!status_queue.is_open(&id) && status_queue.deadline().is_none());
    }

    #[test]
    fn many_hints_are_one_list() {
        let mut status_queue = StatusQueue::default();
        status_queue.ask(&"real".into(), None, 0, Reason::Start);
        for n in 0..5 {
            status_queue.hint(&n.to_string().into(), None, 30, Hint { tick: n, is_history: false }, Reason::Event);
        }
        assert!(!status_queue.too_many_hints(5));
        status_queue.drop_hints(1);
        assert_eq!(status_queue.len(), 4);
        assert!(status_queue.too_many_hints(2));
        assert_eq!((status_queue.len(), status_queue.hints), (1, 0));
    }

    /// If a hint were lost here, only the next list would report the change, up to a minute later.
    #[test]
    fn a_hint_is_never_swallowed() {
        let (mut status_queue, id): (StatusQueue, Id) = (StatusQueue::default(), "a".into());
        let hint = |tick| Hint { tick, is_history: false };
        // A request is under way, whose answer may be older than the event.
        status_queue.ask(&id, None, 0, Reason::ProcessGone);
        status_queue.take_due(0, 8, 1);
        status_queue.hint(&id, None, 30, hint(2), Reason::Event);
        status_queue.came_back(&id);
        assert_eq!(status_queue.take_due(30, 8, 3).len(), 1);
        status_queue.came_back(&id);
        assert!(!status_queue.is_open(&id));
        // A request is planned for much later.
        status_queue.ask(&id, None, 60_000, Reason::Missing);
        status_queue.hint(&id, None, 60, hint(4), Reason::Event);
        assert_eq!(status_queue.take_due(60, 8, 5).len(), 1);
        status_queue.came_back(&id);
        // An older hint waits. A list that began before this event makes only that one unnecessary.
        status_queue.hint(&id, None, 100, Hint { tick: 6, is_history: true }, Reason::Event);
        status_queue.hint(&id, None, 90, hint(8), Reason::Event);
        assert_eq!((status_queue.hints, status_queue.history), (1, 0));
        assert!(status_queue.drop_hints(7).is_empty());
        assert_eq!(status_queue.take_due(90, 8, 9).len(), 1);
        status_queue.came_back(&id);
        assert_eq!((status_queue.len(), status_queue.hints), (0, 0));
    }

    #[test]
    fn history_that_no_list_has_settled_is_one_list() {
        let mut status_queue = StatusQueue::default();
        let history = |tick| Hint { tick, is_history: true };
        for n in 0..4 {
            status_queue.hint(&n.to_string().into(), None, 1000 + n, history(n), Reason::Event);
        }
        assert!(!status_queue.too_much_history(2, 999), "a list may be under way");
        assert!(!status_queue.too_much_history(4, 1000));
        status_queue.ask(&"3".into(), None, 5000, Reason::Missing);
        assert!(!status_queue.too_much_history(3, 1000), "one is more than history by now");
        assert!(status_queue.too_much_history(2, 1000));
        assert_eq!((status_queue.len(), status_queue.hints, status_queue.history), (1, 0, 0));
        assert!(!status_queue.too_much_history(0, 9999));
    }

    #[test]
    fn waits_grow_up_to_the_ceiling() {
        let (mut status_queue, id): (StatusQueue, Id) = (StatusQueue::default(), "a".into());
        let mut waits = Vec::new();
        for tries in 1..6 {
            status_queue.retry(&id, Kind::Container, tries, 0, 3000, Reason::Missing);
            waits.push(status_queue.deadline().unwrap());
            status_queue.take_due(3000, 1, 0);
            status_queue.came_back(&id);
        }
        assert_eq!(waits, [500, 1000, 2000, 3000, 3000]);
    }

    #[test]
    fn questions_on_their_way_are_asked_again_on_a_new_connection() {
        let (mut status_queue, id): (StatusQueue, Id) = (StatusQueue::default(), "a".into());
        status_queue.ask(&id, None, 0, Reason::Start);
        status_queue.take_due(0, 8, 1);
        status_queue.connection_lost(10);
        assert_eq!(status_queue.take_due(10, 8, 2).len(), 1);
    }

    #[test]
    fn what_hangs_holds_up_nothing_new() {
        let mut status_queue = StatusQueue::default();
        for n in 0..20 {
            let id: Id = format!("slow{n}").into();
            status_queue.note_speed(&id, true);
            status_queue.ask(&id, None, 0, Reason::Missing);
        }
        let slow = status_queue.take_due(0, 8, 1);
        assert_eq!(slow.len(), MOST_SLOW);
        status_queue.ask(&"new".into(), None, 5, Reason::Start);
        let due = status_queue.take_due(5, 2, 2);
        assert_eq!(due.iter().map(|r| &*r.id).collect::<Vec<_>>(), ["new"]);
        status_queue.note_speed(&slow[0].id, false);
        assert_eq!(status_queue.take_due(5, 8, 3).len(), 1, "one came back");
        assert_eq!(status_queue.made().iter().sum::<u64>(), 8);
    }
}
