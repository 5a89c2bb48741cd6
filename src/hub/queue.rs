//! One consumer's queue: a replay of what runs, then what happens, as much as fits.

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

/// What a look into a queue gives.
#[derive(Debug)]
pub enum Next {
    /// An event.
    Event(Event),
    /// Nothing yet.
    Again,
    /// Nothing, for ever.
    Closed,
}

/// One consumer's queue. Any number of threads may read; each event is given to one of them.
pub struct EventQueue {
    mask: u32,
    capacity: usize,
    live_only: bool,
    labels: LabelView,
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
    /// Tasks that wait for something.
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
    /// To begin as soon as there is a snapshot (nothing lost), or as soon as the consumer reads (something lost).
    Wanted {
        lost: u64,
    },
    Running(RunningReplay),
}

pub(super) struct RunningReplay {
    /// Events that were here before: they come first.
    before: VecDeque<Event>,
    /// How many events were lost; reported first, if any were.
    lost: u64,
    /// Whether the loss is all that is reported: a live-only consumer.
    only_loss: bool,
    begun: bool,
    runs: vec::IntoIter<Arc<Container>>,
    seq: u64,
    generation: u64,
    state: WatcherState,
    now: Time,
}

impl RunningReplay {
    /// The next event of the replay, and whether that was the last one.
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

    /// The descriptor follows: readable exactly while a look would not answer "again".
    fn show(&mut self) {
        let something = self.has_something();
        self.signal.set(something);
    }

    /// Drops what waits. A replay that has begun goes on: one that began anew at every overflow would never end for a
    /// consumer that is slower than the events come.
    fn overflow(&mut self, lost: u64) {
        self.live.clear();
        match self.replay {
            Replay::Running(_) => self.lost_during_replay = lost,
            _ => self.replay = Replay::Wanted { lost },
        }
    }

    /// The replay is complete. What was lost meanwhile is reported next, and followed by another replay.
    fn replay_ended(&mut self) {
        self.replay = match std::mem::take(&mut self.lost_during_replay) {
            0 => Replay::None,
            lost => Replay::Wanted { lost },
        };
    }
}

impl EventQueue {
    pub(super) fn new(mask: u32, capacity: usize, labels: LabelView, replay: Replay, hub: Arc<Hub>) -> Result<Self> {
        let signal = Signal::new().map_err(|e| Error::os(CRI_E_OS, "eventfd (raise the limit of open files)", &e))?;
        let mask = if mask == 0 { DEFAULT_MASK } else { mask };
        Ok(EventQueue {
            mask: mask | CONTROL_MASK,
            capacity,
            live_only: matches!(replay, Replay::None),
            labels,
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

    /// The next event; waits for one at most this long, or for ever.
    pub fn next(&self, timeout: Option<Duration>) -> Next {
        let deadline = timeout.map(|t| Instant::now().checked_add(t));
        let mut state = self.lock();
        loop {
            if let Some(next) = self.take(&mut state) {
                state.show();
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
                // No deadline, or one beyond what the clock can say.
                _ => self.ready.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// As `next`, for a task: `None` when nothing will come any more.
    pub fn poll_next(&self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        loop {
            match self.next(Some(Duration::ZERO)) {
                Next::Event(event) => return Poll::Ready(Some(event)),
                Next::Closed => return Poll::Ready(None),
                Next::Again => {}
            }
            let mut state = self.lock();
            // Something may have come since that look.
            if !state.has_something() {
                if !state.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                    state.wakers.push(context.waker().clone());
                }
                return Poll::Pending;
            }
        }
    }

    /// Tells everybody who waits, threads and tasks, that there is something.
    fn wake(&self, mut state: MutexGuard<'_, State>) {
        state.show();
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

    /// A descriptor to poll for readability: readable exactly while `next` with no time to wait would not answer
    /// `Again`. Never to be read or closed; it is this queue's as long as the queue runs.
    pub fn fd(&self) -> RawFd {
        self.fd
    }

    /// How the JSON of this queue's events shows labels.
    pub fn label_view(&self) -> LabelView {
        self.labels
    }

    /// Closes the queue: whoever waits is woken, and nothing is given out any more.
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

    /// Takes the event if there is room; otherwise tells how many events are lost by it.
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
            // The replay will show what happened to containers; what happens to the watcher is news.
            Replay::Wanted { lost: 0 } if event.container.is_some() => return Ok(0),
            Replay::Wanted { lost: before @ 1.. } => {
                state.replay = Replay::Wanted { lost: before + 1 };
                1
            }
            Replay::Wanted { lost: 0 } if full => {
                // Of words on the watcher the newest counts; and there is no cache yet to replay for the lost ones.
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

    /// Begins the replay, if one is wanted; takes as many numbers as it has events.
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
