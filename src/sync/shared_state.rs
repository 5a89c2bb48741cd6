//! The cache and the watcher's status: written by the `cri-io` thread, read by any thread.
//!
//! The writer holds its lock while it applies an input, and the first list of a large node takes a second. So a copy of
//! the state from before that input is kept beside the lock, for readers.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use super::stats::Stats;
use crate::config::Config;
use crate::cri::Meter;
use crate::error::Error;
use crate::hub::{Snapshot, SnapshotSource};
use crate::model::json::{Freshness, Readiness};
use crate::model::{Engine, Time, WatcherState};
use crate::portfolio::{Portfolio, Shown, Tally};

/// The watcher's status: what it is doing, and how new and complete the cache is.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct WatcherStatus {
    /// What the watcher is doing.
    pub state: WatcherState,
    /// When the newest applied full list began.
    pub as_of: Option<Time>,
    /// What is known of the engine.
    pub engine: Arc<Engine>,
    /// Whether the cache can be read: the first list was applied, and its pids were asked for, or
    /// `ready.pid_wait_ms` has passed.
    pub ready: bool,
    /// Why the engine cannot be reached or does not answer; `None` while all is well.
    pub cause: Option<Error>,
    /// Why the watcher has ended, if it has.
    pub ended: Option<Error>,
    /// Its counters.
    pub stats: Stats,
    /// Whether the watcher was started. From then on its state is no longer `New`, although the thread may not have
    /// begun.
    is_started: bool,
}

impl WatcherStatus {
    fn freshness(&self, generation: u64) -> Freshness {
        Freshness { generation, state: self.state, as_of: self.as_of, engine: self.engine.clone() }
    }

    /// Sets what the state machine is doing.
    pub(super) fn set_state(&mut self, state: WatcherState) {
        self.state = match state {
            WatcherState::New if self.is_started => WatcherState::Connecting,
            state => state,
        };
    }
}

/// The cache and the status, as of one moment.
pub struct CachedState {
    /// The containers and pods.
    pub portfolio: Portfolio,
    /// The watcher's status.
    pub status: WatcherStatus,
}

impl CachedState {
    /// The fields that every JSON answer begins with.
    pub fn freshness(&self) -> Freshness {
        self.status.freshness(self.portfolio.generation())
    }

    fn latest(&self) -> LatestState {
        let open = self.portfolio.unanswered() as u64;
        LatestState {
            status: self.status.clone(),
            readiness: self.status.ready.then(|| Readiness::new(self.portfolio.is_settled(), open)),
            tally: self.portfolio.tally(),
            generation: self.portfolio.generation(),
            shown: self.status.ready.then(|| self.portfolio.shown().clone()),
        }
    }
}

/// What readers see, as of the last input.
#[derive(Debug, Clone, Default)]
pub struct LatestState {
    /// The watcher's status.
    pub status: WatcherStatus,
    /// How complete the cache is; `None` before it can be shown.
    pub readiness: Option<Readiness>,
    /// The numbers of the cache.
    pub tally: Tally,
    generation: u64,
    /// The containers and pods; `None` before the watcher is ready.
    pub shown: Option<Shown>,
}

impl LatestState {
    /// The fields that every JSON answer begins with.
    pub fn freshness(&self) -> Freshness {
        self.status.freshness(self.generation)
    }
}

/// The cache and the status behind a lock, with one writer. A reader that takes the lock may wait while the writer
/// applies one input, but never for the engine. A reader of the latest state does not wait at all.
pub struct SharedState {
    cached: RwLock<CachedState>,
    /// What readers see. Locked only to be copied or replaced.
    latest: RwLock<Arc<LatestState>>,
    /// The generation that readers see; 0 before there is one. It is beside the lock, for callers who only want to know
    /// whether anything has changed.
    generation: AtomicU64,
    waited_for: watch::Sender<WaitedFor>,
    meter: Arc<Meter>,
}

impl SharedState {
    /// An empty cache.
    pub fn new(config: &Config) -> Self {
        let cached = CachedState { portfolio: Portfolio::new(config), status: WatcherStatus::default() };
        SharedState {
            cached: RwLock::new(cached),
            latest: RwLock::default(),
            generation: AtomicU64::new(0),
            waited_for: watch::Sender::default(),
            meter: Arc::default(),
        }
    }

    /// Counts and times of requests to the engine.
    pub fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// The generation that readers see now; 0 before there is one.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// What readers see now, without waiting for the writer. The cost does not depend on the number of containers.
    pub fn latest(&self) -> Arc<LatestState> {
        self.latest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Locks it for reading.
    pub fn read(&self) -> RwLockReadGuard<'_, CachedState> {
        self.cached.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> Writing<'_> {
        Writing { shared: self, cached: self.cached.write().unwrap_or_else(PoisonError::into_inner) }
    }

    /// Notes that the watcher is being started, so that its state is no longer `New`.
    pub fn start(&self) {
        let mut cached = self.write();
        cached.status.is_started = true;
        let state = cached.status.state;
        cached.status.set_state(state);
    }

    /// Ends a watcher that has no thread, for this reason.
    pub fn end(&self, reason: Error) {
        let mut cached = self.write();
        cached.status.state = WatcherState::Stopped;
        cached.status.ended = Some(reason);
        drop(cached);
        self.notify();
    }

    /// Wakes the tasks that wait in `until`, if what they may look at has changed. Most inputs before READY are hints, which do
    /// not change it. A task that is woken in vain takes a processor from the work that it waits for.
    pub(super) fn notify(&self) {
        let now = WaitedFor::of(&self.latest());
        self.waited_for.send_if_modified(|before| {
            let is_news = *before != now;
            *before = now;
            is_news
        });
    }

    /// Waits until `look` finds something. It may look at the records, and at what else is in [`WaitedFor`].
    pub async fn until<T>(&self, look: impl Fn(&SharedState) -> Option<T>) -> T {
        let mut changed = self.waited_for.subscribe();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            // This fails only when the sender is dropped, and `self` holds it.
            let _ = changed.changed().await;
        }
    }
}

/// What a task may wait for. The generation stands for all records.
#[derive(Debug, Default, PartialEq)]
struct WaitedFor {
    generation: u64,
    is_ready: bool,
    cause: Option<Error>,
    has_ended: bool,
}

impl WaitedFor {
    fn of(latest: &LatestState) -> Self {
        let LatestState { status, generation, .. } = latest;
        let (is_ready, has_ended) = (status.ready, status.ended.is_some());
        WaitedFor { generation: *generation, is_ready, cause: status.cause.clone(), has_ended }
    }
}

/// The lock for writing. When it is dropped, readers see what was written.
pub(crate) struct Writing<'a> {
    shared: &'a SharedState,
    cached: RwLockWriteGuard<'a, CachedState>,
}

impl Writing<'_> {
    /// Shows readers what was written. Called before others are notified, so that a reader that learns of a generation
    /// finds it, or a newer one.
    pub fn show(&self) {
        let latest = Arc::new(self.cached.latest());
        let generation = if latest.status.ready { latest.generation } else { 0 };
        let mut place = self.shared.latest.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *place, latest);
        drop(place);
        self.shared.generation.store(generation, Ordering::Release);
        // Dropped outside the lock, because freeing it may take long.
        drop(before);
    }
}

impl Deref for Writing<'_> {
    type Target = CachedState;

    fn deref(&self) -> &CachedState {
        &self.cached
    }
}

impl DerefMut for Writing<'_> {
    fn deref_mut(&mut self) -> &mut CachedState {
        &mut self.cached
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.show();
    }
}

impl SnapshotSource for SharedState {
    fn show(&self, with: &mut dyn FnMut(Snapshot)) {
        if !self.latest().status.ready {
            return;
        }
        // Publishing needs the write lock: nothing is published before `with` returns.
        let cached = self.read();
        if cached.status.ready {
            let runs = cached.portfolio.runs();
            let generation = cached.portfolio.generation();
            with(Snapshot { runs, generation, state: cached.status.state, now: wall_clock() });
        }
    }
}

/// Nanoseconds since the epoch.
pub(super) fn wall_clock() -> Time {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::CRI_E_TIMEOUT;

    #[test]
    fn only_what_a_task_may_wait_for_wakes_it() {
        let shared = SharedState::new(&Config::default());
        let mut waiting = shared.waited_for.subscribe();
        let mut wakes = |change: fn(&mut WatcherStatus)| {
            change(&mut shared.write().status);
            shared.notify();
            let woken = waiting.has_changed().unwrap();
            waiting.mark_unchanged();
            woken
        };
        assert!(!wakes(|_| ()));
        assert!(!wakes(|status| status.as_of = Some(7)), "a list that shows nothing new");
        assert!(wakes(|status| status.cause = Some(Error::new(CRI_E_TIMEOUT, "no engine"))));
        assert!(!wakes(|status| status.cause = Some(Error::new(CRI_E_TIMEOUT, "no engine"))));
        assert!(wakes(|status| status.ready = true));
        assert!(wakes(|status| status.ended = Some(Error::new(CRI_E_TIMEOUT, "no engine"))));
    }
}
