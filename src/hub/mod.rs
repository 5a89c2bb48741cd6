//! Ordered fan-out: every event gets its number here, and goes into one bounded queue per consumer.

mod eventfd;
mod queue;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::error::Result;
use crate::model::*;
use queue::{Closed, Replay};

pub use queue::{EventQueue, Next};

/// What a replay shows: every run that consumers are to know of, and where the cache stands.
pub struct Snapshot {
    /// The runs, in any order.
    pub runs: Vec<Arc<Container>>,
    /// The cache's generation.
    pub generation: u64,
    /// What the watcher is doing.
    pub state: WatcherState,
    /// Now.
    pub now: Time,
}

/// Where replays come from. It calls `with` while nothing can be published, so that what the snapshot shows and what
/// is published later make one gapless story; not at all while there is no cache yet.
pub trait SnapshotSource: Send + Sync {
    /// Shows the cache as it is now.
    fn show(&self, with: &mut dyn FnMut(Snapshot));
}

/// One event, before it has a number.
#[derive(Debug, Clone)]
pub struct PendingEvent {
    /// What happened.
    pub event_type: EventType,
    /// Bits of `CRI_EVENT_FLAG_*`.
    pub flags: u32,
    /// Bits of `CRI_CHANGED_*`.
    pub changed: u64,
    /// When it happened.
    pub time: Time,
    /// When it was noticed.
    pub observed: Time,
    /// The cache's generation that shows it.
    pub generation: u64,
    /// Whom it is about.
    pub container: Option<Arc<Container>>,
    /// What the watcher was doing.
    pub state: WatcherState,
    /// Words, for events about the watcher.
    pub message: Option<Arc<str>>,
    /// Of a LOG: how much it matters.
    pub log_level: Option<LogLevel>,
}

impl PendingEvent {
    /// A LOG event.
    pub fn log(level: LogLevel, message: String, generation: u64, state: WatcherState, now: Time) -> PendingEvent {
        PendingEvent {
            event_type: EventType::Log,
            flags: 0,
            changed: 0,
            time: now,
            observed: now,
            generation,
            container: None,
            state,
            message: Some(message.into()),
            log_level: Some(level),
        }
    }
}

/// All consumers.
pub struct Hub {
    inner: Mutex<Inner>,
    cache: Arc<dyn SnapshotSource>,
}

#[derive(Default)]
struct Inner {
    seq: u64,
    consumers: Vec<Weak<EventQueue>>,
    closed: bool,
    published: u64,
    lost: u64,
    overflows: u64,
    latest: Latest,
}

/// Where the cache stood with the newest event.
#[derive(Debug, Clone, Copy, Default)]
struct Latest {
    generation: u64,
    state: WatcherState,
    now: Time,
}

impl From<Latest> for Snapshot {
    fn from(l: Latest) -> Self {
        Snapshot { runs: Vec::new(), generation: l.generation, state: l.state, now: l.now }
    }
}

/// What the hub has to say of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Open queues.
    pub consumers: usize,
    /// Events published.
    pub published: u64,
    /// Events that consumers lost by being too slow.
    pub lost: u64,
    /// How often a queue overflowed.
    pub overflows: u64,
}

impl Hub {
    /// A hub whose replays show this cache.
    pub fn new(cache: Arc<dyn SnapshotSource>) -> Self {
        Hub { inner: Mutex::default(), cache }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new consumer. Its story begins with a replay, at once or as soon as there is a snapshot; a live-only one has
    /// none.
    pub fn subscribe(
        self: &Arc<Self>,
        mask: u32,
        live_only: bool,
        capacity: usize,
        labels: LabelView,
    ) -> Result<Arc<EventQueue>> {
        let replay = if live_only { Replay::None } else { Replay::Wanted { lost: 0 } };
        let queue = Arc::new(EventQueue::new(mask, capacity, labels, replay, self.clone())?);
        // In the same step in which the cache is shown, or an event in between would be in neither.
        let mut added = false;
        self.show(&mut |snapshot| {
            self.add(&queue);
            added = true;
            if !live_only {
                self.replay(&queue, snapshot);
            }
        });
        if !added {
            self.add(&queue);
        }
        Ok(queue)
    }

    fn show(&self, with: &mut dyn FnMut(Snapshot)) {
        self.cache.show(with);
    }

    fn add(&self, queue: &Arc<EventQueue>) {
        let mut inner = self.lock();
        if inner.closed {
            queue.close_after_rest();
        }
        inner.consumers.push(Arc::downgrade(queue));
    }

    /// The overflowed queue's consumer has come to read: it gets a new replay.
    fn replay_after_overflow(&self, queue: &EventQueue) {
        if queue.is_live_only() {
            // It wants to know the loss, not the cache.
            let latest = self.lock().latest;
            return self.replay(queue, latest.into());
        }
        self.show(&mut |snapshot| self.replay(queue, snapshot));
    }

    fn replay(&self, queue: &EventQueue, snapshot: Snapshot) {
        queue.begin_replay(snapshot, &mut self.lock().seq);
    }

    /// The first cache is there: every consumer that waits for its replay gets this one.
    pub fn initial_snapshot(&self, initial: &[Arc<Container>], generation: u64, state: WatcherState, now: Time) {
        for queue in self.consumers() {
            let snapshot = Snapshot { runs: initial.to_vec(), generation, state, now };
            self.replay(&queue, snapshot);
        }
    }

    fn consumers(&self) -> Vec<Arc<EventQueue>> {
        let mut inner = self.lock();
        inner.consumers.retain(|q| q.strong_count() > 0);
        inner.consumers.iter().filter_map(Weak::upgrade).collect()
    }

    /// Gives the event its number, and every consumer that wants it a copy. Never waits for anybody.
    pub fn publish(&self, pending: PendingEvent) {
        let mut inner = self.lock();
        inner.latest = Latest { generation: pending.generation, state: pending.state, now: pending.observed };
        let overflows = inner.offer(pending);
        for _ in 0..overflows {
            // Those that this overflows in its turn are not reported of.
            let Latest { generation, state, now } = inner.latest;
            inner.offer(PendingEvent::log(LogLevel::Warn, TOO_SLOW.into(), generation, state, now));
        }
    }

    /// Nothing more will come. Consumers still get what is in their queues.
    pub fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        let consumers = std::mem::take(&mut inner.consumers);
        drop(inner);
        consumers.iter().filter_map(Weak::upgrade).for_each(|queue| queue.close_after_rest());
    }

    /// How much went through, and how much did not.
    pub fn counts(&self) -> Counts {
        let consumers = self.consumers().len();
        let inner = self.lock();
        Counts { consumers, published: inner.published, lost: inner.lost, overflows: inner.overflows }
    }
}

/// What the log says of a consumer that has just overflowed.
const TOO_SLOW: &str = "a consumer of events is too slow: its queue was full, and the events in it are lost; it gets an \
                        OVERFLOW and, unless it is live-only, a new replay (take events faster, or raise the option \
                        queue.capacity)";

impl Inner {
    /// Numbers the event, and offers it to everybody; tells how many queues have overflowed by it.
    fn offer(&mut self, pending: PendingEvent) -> usize {
        self.seq += 1;
        // Logs are not what was promised to consumers.
        self.published += u64::from(pending.event_type != EventType::Log);
        let event = Event {
            event_type: pending.event_type,
            flags: pending.flags,
            seq: self.seq,
            generation: pending.generation,
            lost: 0,
            changed: pending.changed,
            time: pending.time,
            observed: pending.observed,
            container: pending.container,
            state: pending.state,
            message: pending.message,
            log_level: pending.log_level,
        };
        let (mut lost, mut overflows) = (0, 0);
        self.consumers.retain(|queue| match queue.upgrade().map(|queue| queue.offer(&event)) {
            Some(Ok(cost)) => {
                lost += cost;
                // The event itself, and those that waited: from the next one on it is one each.
                overflows += usize::from(cost > 1);
                true
            }
            Some(Err(Closed)) | None => false,
        });
        self.lost += lost;
        self.overflows += overflows as u64;
        overflows
    }
}
