//! Distributes events: each gets its number, and is put into one bounded queue per consumer.

mod eventfd;
mod queue;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::error::Result;
use crate::model::*;
use queue::{Closed, Replay};

pub use queue::{EventQueue, Next};

/// What a replay shows: the runs that consumers have to know, and the state of the cache.
pub struct Snapshot {
    /// The runs, in any order.
    pub runs: Vec<Arc<Container>>,
    /// The cache's generation.
    pub generation: u64,
    /// What the watcher is doing.
    pub state: WatcherState,
    /// The time of the snapshot.
    pub now: Time,
}

/// Where replays come from. It calls `with` while nothing can be published, so that there is no gap between the snapshot
/// and the events after it. It does not call it while the watcher is not ready.
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
    /// The container or sandbox that it is about.
    pub container: Option<Arc<Container>>,
    /// What the watcher was doing.
    pub state: WatcherState,
    /// The message of an event about the watcher.
    pub message: Option<Arc<str>>,
    /// The level of a LOG event.
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

/// The state of the cache with the newest event.
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

/// What the hub counts.
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
    /// A hub whose replays come from this source.
    pub fn new(cache: Arc<dyn SnapshotSource>) -> Self {
        Hub { inner: Mutex::default(), cache }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a consumer. It gets a replay first, at once or as soon as the watcher is ready; a live-only one gets none. Takes
    /// the lock of the cache for reading and copies a pointer for each run.
    pub fn subscribe(
        self: &Arc<Self>,
        mask: u32,
        live_only: bool,
        capacity: usize,
        view: View,
    ) -> Result<Arc<EventQueue>> {
        let replay = if live_only { Replay::None } else { Replay::Wanted { lost: 0 } };
        let queue = Arc::new(EventQueue::new(mask, capacity, view, replay, self.clone())?);
        // The consumer is added while the snapshot is taken. An event in between would be neither in the replay nor
        // after it.
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
            // The watcher may have become ready just before this. The other consumers got their first replay then, so
            // this one gets its own.
            if !live_only {
                self.show(&mut |snapshot| self.replay(&queue, snapshot));
            }
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

    /// Begins the new replay of a queue that overflowed, now that its consumer reads.
    fn replay_after_overflow(&self, queue: &EventQueue) {
        if queue.is_live_only() {
            // A live-only consumer gets the OVERFLOW alone.
            let latest = self.lock().latest;
            return self.replay(queue, latest.into());
        }
        self.show(&mut |snapshot| self.replay(queue, snapshot));
    }

    fn replay(&self, queue: &EventQueue, snapshot: Snapshot) {
        queue.begin_replay(snapshot, &mut self.lock().seq);
    }

    /// Gives every consumer that waits for its first replay this one, because the watcher is ready.
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

    /// Numbers the event, and puts it into the queue of every consumer whose mask has its type. It takes the hub's lock and
    /// each queue's, which are held for moments, and waits for no consumer.
    pub fn publish(&self, pending: PendingEvent) {
        let mut inner = self.lock();
        inner.latest = Latest { generation: pending.generation, state: pending.state, now: pending.observed };
        let overflows = inner.offer(pending);
        for _ in 0..overflows {
            // If this message overflows another queue, no further message is published about that.
            let Latest { generation, state, now } = inner.latest;
            inner.offer(PendingEvent::log(LogLevel::Warn, TOO_SLOW.into(), generation, state, now));
        }
    }

    /// Closes all queues. Consumers still get what is in them.
    pub fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        let consumers = std::mem::take(&mut inner.consumers);
        drop(inner);
        consumers.iter().filter_map(Weak::upgrade).for_each(|queue| queue.close_after_rest());
    }

    /// How many events were published and lost, and how many queues are open.
    pub fn counts(&self) -> Counts {
        let consumers = self.consumers().len();
        let inner = self.lock();
        Counts { consumers, published: inner.published, lost: inner.lost, overflows: inner.overflows }
    }
}

/// The log message on a queue that has just overflowed.
const TOO_SLOW: &str = "a consumer of events is too slow: its queue was full, and the events in it are lost; it gets an \
                        OVERFLOW and, unless it is live-only, a new replay (take events faster, or raise the option \
                        queue.capacity)";

impl Inner {
    /// Numbers the event, and offers it to every queue. Returns how many queues overflowed by it.
    fn offer(&mut self, pending: PendingEvent) -> usize {
        self.seq += 1;
        // LOG events are not counted, because few consumers ask for them.
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
                // An overflow loses this event and those in the queue. After it, each lost event counts as one.
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
