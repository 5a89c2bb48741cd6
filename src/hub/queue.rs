//! One consumer's bounded queue: a replay of what runs, then live events.

use std::collections::VecDeque;
use std::os::fd::RawFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use std::vec;

use super::eventfd::Signal;
use super::{Hub, Snapshot};
use crate::error::{CRI_E_OS, Error, Result};
use crate::model::*;

/// What reading a queue gives.
#[derive(Debug)]
pub enum Next {
    /// An event.
    Event(Event),
    /// There is no event yet.
    Again,
    /// The queue is closed, and no event will come.
    Closed,
}

/// One consumer's queue. Any number of threads may read it; each event is given to one of them.
pub struct EventQueue {
    mask: u32,
    capacity: usize,
    live_only: bool,
    view: View,
    hub: Arc<Hub>,
    state: Mutex<State>,
    ready: Condvar,
    fd: RawFd,
}

struct State {
    replay: Replay,
    /// Events that wait behind the replay, if one is running.
    live: VecDeque<Event>,
    /// Events that were lost while a replay is running: they are reported after its REPLAY_END.
    lost_during_replay: u64,
    closing: Closing,
    signal: Signal,
    /// Wakers of the tasks that wait for an event.
    wakers: Vec<Waker>,
}

/// The queue takes no more events.
pub(super) struct Closed;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Closing {
    No,
    AfterRest,
    Now,
}

pub(super) enum Replay {
    None,
    /// A replay is wanted. It begins when the watcher is ready; after a loss, when the consumer reads.
    Wanted {
        lost: u64,
    },
    Running(RunningReplay),
}

pub(super) struct RunningReplay {
    /// Events that were queued before the replay. They come first.
    before: VecDeque<Event>,
    /// How many events were lost. If any were, an OVERFLOW before the replay reports it.
    lost: u64,
    /// Whether the OVERFLOW comes alone, as for a live-only consumer.
    only_loss: bool,
    begun: bool,
    runs: vec::IntoIter<Arc<Container>>,
    seq: u64,
    generation: u64,
    state: WatcherState,
    now: Time,
}

impl RunningReplay {
    /// The next event of the replay, and whether it is the last one.
    fn next(&mut self) -> (Event, bool) {
        if let Some(event) = self.before.pop_front() {
            return (event, false);
        }
        let lost = std::mem::take(&mut self.lost);
        if lost > 0 {
            return (self.event(EventType::Overflow, 0, lost, None), self.only_loss);
        }
        if !std::mem::replace(&mut self.begun, true) {
            return (self.event(EventType::ReplayBegin, 0, 0, None), false);
        }
        match self.runs.next() {
            Some(run) => (self.event(EventType::Started, CRI_EVENT_FLAG_INITIAL, 0, Some(run)), false),
            None => (self.event(EventType::ReplayEnd, 0, 0, None), true),
        }
    }

    fn event(&mut self, event_type: EventType, flags: u32, lost: u64, container: Option<Arc<Container>>) -> Event {
        let seq = self.seq;
        self.seq += 1;
        let began = container.as_ref().and_then(|c| c.started_at.or(c.created_at));
        Event {
            event_type,
            flags,
            seq,
            generation: self.generation,
            lost,
            changed: 0,
            time: began.unwrap_or(self.now),
            observed: self.now,
            container,
            state: self.state,
            message: None,
            log_level: None,
        }
    }
}

impl State {
    fn has_something(&self) -> bool {
        let replay = match &self.replay {
            Replay::None => false,
            Replay::Wanted { lost } => *lost > 0,
            Replay::Running(_) => true,
        };
        replay || !self.live.is_empty() || self.closing != Closing::No
    }

    /// Makes the descriptor readable exactly while reading would not give `Again`.
    fn update_signal(&mut self) {
        let something = self.has_something();
        self.signal.set(something);
    }

    /// Drops the events that wait. A replay that has begun goes on: if each overflow began another one, a consumer that is
    /// slower than the events would never get a REPLAY_END.
    fn overflow(&mut self, lost: u64) {
        self.live.clear();
        match self.replay {
            Replay::Running(_) => self.lost_during_replay = lost,
            _ => self.replay = Replay::Wanted { lost },
        }
    }

    /// Ends the replay. Events that were lost meanwhile are reported next, and another replay follows.
    fn replay_ended(&mut self) {
        self.replay = match std::mem::take(&mut self.lost_during_replay) {
            0 => Replay::None,
            lost => Replay::Wanted { lost },
        };
    }
}

impl EventQueue {
    pub(super) fn new(mask: u32, capacity: usize, view: View, replay: Replay, hub: Arc<Hub>) -> Result<Self> {
        let signal = Signal::new().map_err(|e| Error::os(CRI_E_OS, "eventfd (raise the limit of open files)", &e))?;
        let mask = if mask == 0 { DEFAULT_MASK } else { mask };
        Ok(EventQueue {
            mask: mask | CONTROL_MASK,
            capacity,
            live_only: matches!(replay, Replay::None),
            view,
            hub,
            fd: signal.fd(),
            state: Mutex::new(State {
                replay,
                live: VecDeque::new(),
                lost_during_replay: 0,
                closing: Closing::No,
                signal,
                wakers: Vec::new(),
            }),
            ready: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next event. Blocks until there is one, at most for `timeout`; `None` waits for ever.
    pub fn next(&self, timeout: Option<Duration>) -> Next {
        let deadline = timeout.map(|t| Instant::now().checked_add(t));
        let mut state = self.lock();
        loop {
            if let Some(next) = self.take(&mut state) {
                state.update_signal();
                return next;
            }
            if let Replay::Wanted { lost: 1.. } = state.replay {
                drop(state);
                self.hub.replay_after_overflow(self);
                state = self.lock();
                continue;
            }
            state = match deadline.map(|at| at.map(|at| at.saturating_duration_since(Instant::now()))) {
                Some(Some(Duration::ZERO)) => return Next::Again,
                Some(Some(left)) => self.ready.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                // There is no deadline, or it is later than the clock can express.
                _ => self.ready.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// As `next`, for a task. `None` once the queue is closed and empty.
    pub fn poll_next(&self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        loop {
            match self.next(Some(Duration::ZERO)) {
                Next::Event(event) => return Poll::Ready(Some(event)),
                Next::Closed => return Poll::Ready(None),
                Next::Again => {}
            }
            let mut state = self.lock();
            // An event may have come since `next` returned.
            if !state.has_something() {
                if !state.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                    state.wakers.push(context.waker().clone());
                }
                return Poll::Pending;
            }
        }
    }

    /// Wakes all threads and tasks that wait for an event.
    fn wake(&self, mut state: MutexGuard<'_, State>) {
        state.update_signal();
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.ready.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    fn take(&self, state: &mut State) -> Option<Next> {
        if state.closing == Closing::Now {
            return Some(Next::Closed);
        }
        if let Replay::Running(replay) = &mut state.replay {
            let (event, last) = replay.next();
            if last {
                state.replay_ended();
            }
            return Some(Next::Event(event));
        }
        if let Replay::Wanted { lost: 1.. } = state.replay {
            return None;
        }
        match state.live.pop_front() {
            Some(event) => Some(Next::Event(event)),
            None => (state.closing == Closing::AfterRest).then_some(Next::Closed),
        }
    }

    /// A descriptor for poll and epoll: readable exactly while `next` with a timeout of zero would not give `Again`. It
    /// belongs to the queue: do not read or close it, and do not use it after the queue was dropped.
    pub fn fd(&self) -> RawFd {
        self.fd
    }

    /// How the JSON of this queue's events shows containers.
    pub fn view(&self) -> View {
        self.view
    }

    /// Closes the queue at once. Events in it are dropped; waiting threads and tasks get `Closed`.
    pub fn close(&self) {
        self.set_closing(Closing::Now);
    }

    #[cfg(test)]
    pub(super) fn has_something(&self) -> bool {
        self.lock().has_something()
    }

    pub(super) fn is_live_only(&self) -> bool {
        self.live_only
    }

    pub(super) fn close_after_rest(&self) {
        self.set_closing(Closing::AfterRest);
    }

    fn set_closing(&self, closing: Closing) {
        let mut state = self.lock();
        if state.closing != Closing::Now {
            state.closing = closing;
        }
        self.wake(state);
    }

    /// Puts the event into the queue if there is room. Returns how many events are lost otherwise.
    pub(super) fn offer(&self, event: &Event) -> Result<u64, Closed> {
        let mut state = self.lock();
        if state.closing != Closing::No {
            return Err(Closed);
        }
        if self.mask & event.event_type.mask() == 0 {
            return Ok(0);
        }
        let full = state.live.len() >= self.capacity;
        let lost = match state.replay {
            Replay::Running(_) if state.lost_during_replay > 0 => {
                state.lost_during_replay += 1;
                1
            }
            // The replay will show what happens to containers. Events about the watcher are kept.
            Replay::Wanted { lost: 0 } if event.container.is_some() => return Ok(0),
            Replay::Wanted { lost: before @ 1.. } => {
                state.replay = Replay::Wanted { lost: before + 1 };
                1
            }
            Replay::Wanted { lost: 0 } if full => {
                // Only the newest event about the watcher matters, and there is no cache yet to replay.
                state.live.pop_front();
                state.live.push_back(event.clone());
                0
            }
            _ if full => {
                let lost = state.live.len() as u64 + 1;
                state.overflow(lost);
                lost
            }
            _ => {
                state.live.push_back(event.clone());
                0
            }
        };
        self.wake(state);
        Ok(lost)
    }

    /// Begins the replay, if one is wanted. Reserves a `seq` for each of its events.
    pub(super) fn begin_replay(&self, snapshot: Snapshot, seq: &mut u64) -> bool {
        let mut state = self.lock();
        let Replay::Wanted { lost } = state.replay else {
            return false;
        };
        let first = *seq + 1;
        *seq += u64::from(lost > 0) + if self.live_only { 0 } else { snapshot.runs.len() as u64 + 2 };
        state.replay = Replay::Running(RunningReplay {
            before: std::mem::take(&mut state.live),
            lost,
            only_loss: self.live_only,
            begun: false,
            runs: snapshot.runs.into_iter(),
            seq: first,
            generation: snapshot.generation,
            state: snapshot.state,
            now: snapshot.now,
        });
        self.wake(state);
        true
    }
}

impl std::fmt::Debug for EventQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventQueue").field("mask", &self.mask).field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
