//! What others may read while the watcher works: the portfolio, and how the watcher stands to it.

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
use crate::portfolio::Portfolio;

/// How the watcher stands to the engine and to its cache.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct WatcherStatus {
    /// What the watcher is doing.
    pub state: WatcherState,
    /// When the newest full list began.
    pub as_of: Option<Time>,
    /// The engine, as far as it is known.
    pub engine: Arc<Engine>,
    /// Whether the cache can be shown: the first lists are applied, and pids were asked for.
    pub ready: bool,
    /// Why the engine cannot be reached or does not answer; `None` while all is well.
    pub cause: Option<Error>,
    /// Why the watcher has ended, if it has.
    pub ended: Option<Error>,
    /// What it did so far.
    pub stats: Stats,
    /// Whether `start` has returned: from then on the state is no longer `New`, although the thread may not have begun.
    is_started: bool,
}

impl WatcherStatus {
    /// Notes what the state machine is doing.
    pub(super) fn set_state(&mut self, state: WatcherState) {
        self.state = match state {
            WatcherState::New if self.is_started => WatcherState::Connecting,
            state => state,
        };
    }
}

/// Both, as of one moment.
pub struct CachedState {
    /// The portfolio.
    pub portfolio: Portfolio,
    /// The status.
    pub status: WatcherStatus,
}

impl CachedState {
    /// How complete the cache is; `None` before it can be shown.
    pub fn readiness(&self) -> Option<Readiness> {
        let open = self.portfolio.unanswered() as u64;
        self.status.ready.then(|| Readiness::new(self.portfolio.is_settled(), open))
    }

    /// What stands around every answer.
    pub fn freshness(&self) -> Freshness {
        Freshness {
            generation: self.portfolio.generation(),
            state: self.status.state,
            as_of: self.status.as_of,
            engine: self.status.engine.clone(),
        }
    }
}

/// The shared: one writer, any number of readers, none of which ever waits for the engine.
pub struct SharedState {
    cached: RwLock<CachedState>,
    changed: watch::Sender<()>,
    meter: Arc<Meter>,
}

impl SharedState {
    /// An empty one.
    pub fn new(config: &Config) -> Self {
        let cached = CachedState { portfolio: Portfolio::new(config), status: WatcherStatus::default() };
        SharedState { cached: RwLock::new(cached), changed: watch::Sender::default(), meter: Arc::default() }
    }

    /// What requests cost.
    pub fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// The cached, to read.
    pub fn read(&self) -> RwLockReadGuard<'_, CachedState> {
        self.cached.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, CachedState> {
        self.cached.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The watcher is being started: whoever asks for its state from now on is told so.
    pub fn start(&self) {
        let mut cached = self.write();
        cached.status.is_started = true;
        let state = cached.status.state;
        cached.status.set_state(state);
    }

    /// The end, for this reason, of a watcher whose working part has never been.
    pub fn end(&self, reason: Error) {
        let mut cached = self.write();
        cached.status.state = WatcherState::Stopped;
        cached.status.ended = Some(reason);
        drop(cached);
        self.notify();
    }

    /// Wakes those who wait for something to be written.
    pub(super) fn notify(&self) {
        self.changed.send_replace(());
    }

    /// Waits until `look` finds something.
    pub async fn until<T>(&self, look: impl Fn(&CachedState) -> Option<T>) -> T {
        let mut changed = self.changed.subscribe();
        loop {
            if let Some(found) = look(&self.read()) {
                return found;
            }
            // It fails when nobody can turn the cached any more; but the shared state is here.
            let _ = changed.changed().await;
        }
    }
}

impl SnapshotSource for SharedState {
    fn show(&self, with: &mut dyn FnMut(Snapshot)) {
        // Publishing needs the cached for writing: nothing can be published before `with` is through.
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
