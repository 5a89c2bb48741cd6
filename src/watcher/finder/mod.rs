//! The engines of a node: found once, or followed as they come and go.

mod known;

use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

use super::thread::THREAD_REFUSED;
use crate::config::Config;
use crate::cri::{Places, Thoroughness, survey};
use crate::error::{CRI_E_FORKED, CRI_E_OS, CRI_E_PANIC, Error, Result};
use crate::host::{EventFd, ForkMark, check_root, spawn};
use crate::model::Engines;
pub use known::EngineNews;
use known::Known;

/// What reading a finder gives.
#[derive(Debug)]
pub enum NextEngine {
    /// Something happened.
    News(EngineNews),
    /// Nothing has happened yet.
    Again,
    /// The finder was stopped.
    Closed,
}

/// Finds every engine of the node, best first, with the evidence for it. All engines are asked at once. `timeout` is
/// the time for all together, and is limited by the option `connect.timeout_ms`. Blocks for that time at most, while a
/// thread of its own does the work. Errors: `CRI_E_OPTION` for a `host.root` that is no directory; `CRI_E_OS`. An
/// engine that cannot be used is not an error.
pub fn engines(config: &Config, timeout: Option<Duration>) -> Result<Engines> {
    const LEAST: Duration = Duration::from_millis(1);
    check_root(&config.host_root)?;
    let mut config = config.clone();
    config.connect_timeout =
        timeout.map_or(config.connect_timeout, |timeout| timeout.min(config.connect_timeout)).max(LEAST);
    let (runtime, stack_bytes) = (runtime()?, config.threads_stack_bytes);
    // A thread of our own: the caller's may have a small stack, and receives signals.
    let work = move || runtime.block_on(survey(&Arc::new(config), &Arc::default(), Thoroughness::All));
    let thread = spawn("cri-find", stack_bytes, work).map_err(|e| failed(THREAD_REFUSED, &e))?;
    let survey = thread
        .join()
        .map_err(|_| Error::new(CRI_E_PANIC, "a search for engines panicked, which is a defect of criwatch"))?;
    Ok(survey.engines)
}

/// Follows which engines there are. Any number of threads may read it; each news is given to one of them. Dropping it
/// stops it.
pub struct Finder {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    mark: ForkMark,
}

struct Shared {
    state: Mutex<State>,
    ready: Condvar,
    fd: EventFd,
    stop: Notify,
}

#[derive(Default)]
struct State {
    known: Known,
    is_closed: bool,
}

impl Finder {
    /// Begins to look for engines, with the options of a watcher: `host.root`, `discover.nested`, `discover.interval_ms`,
    /// `connect.timeout_ms`. Returns at once. Errors: as `engines`.
    pub fn new(config: Config) -> Result<Finder> {
        check_root(&config.host_root)?;
        let mark = ForkMark::new().map_err(|e| failed("mmap of the page that tells a fork from its parent", &e))?;
        let fd = EventFd::new().map_err(|e| failed("eventfd (raise the limit of open files)", &e))?;
        let shared = Arc::new(Shared { state: Mutex::default(), ready: Condvar::new(), fd, stop: Notify::new() });
        let (runtime, stack_bytes, its) = (runtime()?, config.threads_stack_bytes, shared.clone());
        let config = Arc::new(config);
        let work = move || {
            // The waiting readers are woken however the thread ends, even by a panic.
            let closing = Closing(its);
            runtime.block_on(async {
                tokio::select! {
                    () = closing.0.stop.notified() => {}
                    () = follow(&config, &closing.0) => {}
                }
            });
        };
        let thread = spawn("cri-find", stack_bytes, work).map_err(|e| failed(THREAD_REFUSED, &e))?;
        Ok(Finder { shared, thread: Mutex::new(Some(thread)), mark })
    }

    /// A descriptor for poll: readable exactly while `next` would not give `Again`.
    pub fn fd(&self) -> RawFd {
        self.shared.fd.as_raw_fd()
    }

    /// The next news. Waits for `timeout` at most; `None` waits for ever. Errors: `CRI_E_FORKED`.
    pub fn next(&self, timeout: Option<Duration>) -> Result<NextEngine> {
        if self.is_forked() {
            return Err(Error::new(
                CRI_E_FORKED,
                "this process is a fork of the one that made the finder (make one after the fork)",
            ));
        }
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.shared.lock();
        loop {
            if let Some(news) = state.known.take() {
                self.shared.signal(&state);
                return Ok(NextEngine::News(news));
            }
            if state.is_closed {
                return Ok(NextEngine::Closed);
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            state = match left {
                Some(Duration::ZERO) => return Ok(NextEngine::Again),
                Some(left) => self.shared.ready.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.shared.ready.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Stops the finder, ends every wait, and joins the thread. What was found can still be read.
    pub fn stop(&self) {
        if self.is_forked() {
            return;
        }
        self.shared.stop.notify_one();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // If the thread panicked, readers have learnt that from the end of the news.
            let _ = thread.join();
        }
    }

    /// Whether this process is a fork of the one that made it.
    pub fn is_forked(&self) -> bool {
        self.mark.is_forked()
    }
}

impl Drop for Finder {
    fn drop(&mut self) {
        self.stop();
    }
}

impl std::fmt::Debug for Finder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Finder").field("fd", &self.fd()).finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, state: &State) {
        if state.known.has_news() || state.is_closed { self.fd.raise() } else { self.fd.clear() }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        self.signal(&state);
        drop(state);
        self.ready.notify_all();
    }
}

struct Closing(Arc<Shared>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.change(|state| state.is_closed = true);
    }
}

/// Surveys for ever. The first survey, and those after a socket was made, do not wait for engines that do not answer.
async fn follow(config: &Arc<Config>, shared: &Shared) {
    let meter = Arc::default();
    let (mut places, mut thoroughness) = (Places::default(), Thoroughness::Best);
    loop {
        let found = tokio::select! {
            survey = survey(config, &meter, thoroughness) => Some(survey),
            // A new socket is asked first, even while a survey waits for engines that do not answer.
            () = places.made(), if thoroughness == Thoroughness::All => None,
        };
        if let Some(survey) = found {
            places.watch(&survey);
            shared.change(|state| state.known.apply(&survey.engines, thoroughness == Thoroughness::All));
            let is_early = places.wait(config.discover_interval).await;
            thoroughness = if is_early { Thoroughness::Best } else { Thoroughness::All };
        } else {
            thoroughness = Thoroughness::Best;
        }
    }
}

fn runtime() -> Result<Runtime> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build();
    runtime.map_err(|e| failed("epoll (raise the limit of open files)", &e))
}

fn failed(what: &str, e: &std::io::Error) -> Error {
    Error::os(CRI_E_OS, format!("look for engines: {what}"), e).retriable()
}
