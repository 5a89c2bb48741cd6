//! What others may read while the watcher works: the portfolio, and how the watcher stands to it.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use super::stats::Stats;
use crate::config::Config;
use crate::cri::Meter;
use crate::error::Error;
use crate::hub::{Picture, Snapshot};
use crate::model::json::Standing;
use crate::model::{Engine, Time, WatcherState};
use crate::portfolio::Portfolio;

/// How the watcher stands to the engine and to its picture.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Situation {
    /// What the watcher is doing.
    pub state: WatcherState,
    /// When the newest full list began.
    pub as_of: Option<Time>,
    /// The engine, as far as it is known.
    pub engine: Arc<Engine>,
    /// Whether the picture can be shown: the first lists are applied, and pids were asked for.
    pub ready: bool,
    /// Why the engine cannot be reached or does not answer; `None` while all is well.
    pub cause: Option<Error>,
    /// Why the watcher has ended, if it has.
    pub ended: Option<Error>,
    /// What it did so far.
    pub stats: Stats,
}

/// Both, as of one moment.
pub struct Page {
    /// The portfolio.
    pub portfolio: Portfolio,
    /// The situation.
    pub situation: Situation,
}

impl Page {
    /// What stands around every answer.
    pub fn standing(&self) -> Standing {
        Standing {
            generation: self.portfolio.generation(),
            state: self.situation.state,
            as_of: self.situation.as_of,
            engine: self.situation.engine.clone(),
        }
    }
}

/// The book: one writer, any number of readers, none of which ever waits for the engine.
pub struct Book {
    page: RwLock<Page>,
    turned: watch::Sender<()>,
    meter: Arc<Meter>,
}

impl Book {
    /// An empty one.
    pub fn new(config: &Config) -> Self {
        let page = Page { portfolio: Portfolio::new(config), situation: Situation::default() };
        Book { page: RwLock::new(page), turned: watch::Sender::default(), meter: Arc::default() }
    }

    /// What requests cost.
    pub fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// The page, to read.
    pub fn read(&self) -> RwLockReadGuard<'_, Page> {
        self.page.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Page> {
        self.page.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The end, for this reason, of a watcher whose working part has never been.
    pub fn end(&self, reason: Error) {
        let mut page = self.write();
        page.situation.state = WatcherState::Stopped;
        page.situation.ended = Some(reason);
        drop(page);
        self.turn();
    }

    /// Wakes those who wait for something to be written.
    pub(super) fn turn(&self) {
        self.turned.send_replace(());
    }

    /// Waits until `look` finds something.
    pub async fn until<T>(&self, look: impl Fn(&Page) -> Option<T>) -> T {
        let mut turned = self.turned.subscribe();
        loop {
            if let Some(found) = look(&self.read()) {
                return found;
            }
            // It fails when nobody can turn the page any more; but the book is here.
            let _ = turned.changed().await;
        }
    }
}

impl Picture for Book {
    fn show(&self, with: &mut dyn FnMut(Snapshot)) {
        // Publishing needs the page for writing: nothing can be published before `with` is through.
        let page = self.read();
        if page.situation.ready {
            let lives = page.portfolio.lives();
            let generation = page.portfolio.generation();
            with(Snapshot { lives, generation, state: page.situation.state, now: wall_clock() });
        }
    }
}

/// Nanoseconds since the epoch.
pub(super) fn wall_clock() -> Time {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX))
}
