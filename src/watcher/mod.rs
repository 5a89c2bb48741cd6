//! The watcher: the public API in safe Rust. It owns the `cri-io` thread.

mod cgroup_paths;
mod clients;
mod events;
mod finder;
mod list;
mod lookups;
#[cfg(test)]
mod lookups_tests;
mod packer;
mod requests;
mod stats;
#[cfg(test)]
mod tests;
mod thread;
mod waiting;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use once_cell::sync::OnceCell;

use crate::config::Config;
use crate::cri::{Endpoint, is_final};
use crate::error::{CRI_E_FORKED, CRI_E_INVALID_ARGUMENT, CRI_E_NOT_READY, CRI_E_STATE, CRI_E_STOPPED, Error, Result};
use crate::host::check_root;
use crate::hub::Hub;
use crate::model::json::Freshness;
use crate::model::*;
use crate::portfolio::Shown;
use crate::sync::{Command, PackerQueue, SharedState, WatcherStatus};
use list::Kept;
use lookups::Kernel;
use thread::IoThread;
#[cfg(feature = "capi")]
pub(crate) use thread::THREAD_REFUSED;

pub use crate::host::namespace::NamespaceKind;
pub use crate::hub::{EventQueue, Next};
pub use crate::portfolio::{Owner, Query, Snapshot, Unproven};
pub use events::Events;
pub use finder::{EngineNews, Finder, NextEngine, engines};
pub use lookups::Owned;

/// Watches one engine. Every method may be called from any thread at any time. Only methods with a timeout and `async`
/// methods wait for the engine, and `stop` ends their waits. The others answer from memory and take locks for moments
/// only; `list` and `pods` write their text under a lock, so that simultaneous calls share it. Dropping the watcher
/// stops it, and waits for its thread.
pub struct Watcher {
    endpoint: Option<Endpoint>,
    config: Arc<Config>,
    shared: Arc<SharedState>,
    hub: Arc<Hub>,
    packer_queue: Arc<PackerQueue>,
    io: OnceCell<IoThread>,
    run: Mutex<Run>,
    waiters: AtomicU64,
    kept: Kept,
    kernel: Arc<Kernel>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    New,
    Started,
    Stopped,
}

impl Watcher {
    /// A watcher of the engine at this endpoint: `/path`, `unix:///path`, or a path relative to the working directory.
    /// `None` stands for the best engine of the node: the one that the kubelet uses, else one that has sandboxes, else
    /// the first of the well-known sockets that answers. As long as that engine has no sandboxes, the watcher changes
    /// to a better one that appears. A path inside the option `host.root` is resolved as the host would. The call does
    /// not connect, and makes no thread. A `host.root` that is no directory is refused.
    pub fn new(endpoint: Option<&str>, config: Config) -> Result<Watcher> {
        let endpoint = endpoint.map(|text| Endpoint::parse_on(&config.host_root, text)).transpose()?;
        check_root(&config.host_root)?;
        let shared = Arc::new(SharedState::new(&config));
        let kernel = Arc::new(Kernel::new(&config.host_root));
        Ok(Watcher {
            endpoint,
            hub: Arc::new(Hub::new(shared.clone())),
            config: Arc::new(config),
            packer_queue: Arc::default(),
            shared,
            io: OnceCell::new(),
            run: Mutex::new(Run::New),
            waiters: AtomicU64::new(1),
            kept: Kept::default(),
            kernel,
        })
    }

    /// Starts to watch: makes the thread, and returns at once. Further calls do nothing. Errors: `CRI_E_STOPPED`;
    /// `CRI_E_OS` if no thread can be made; `CRI_E_FORKED`.
    pub fn start(&self) -> Result<()> {
        self.check_fork()?;
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        match *run {
            Run::Started => Ok(()),
            Run::Stopped => Err(Error::new(CRI_E_STOPPED, "start: this watcher was stopped (make a new one)")),
            Run::New => {
                let io = self.io()?;
                // This comes before the command, so that the state is never `New` when this returns.
                self.shared.start();
                io.send(Command::Watch)?;
                *run = Run::Started;
                Ok(())
            }
        }
    }

    /// Fails with `CRI_E_STATE` if the watcher was never started, because `what` would wait for ever. For calls that
    /// make a queue of their own and read it at once, so that the program cannot start the watcher in between.
    pub fn refuse_unstarted(&self, what: &str) -> Result<()> {
        self.check_fork()?;
        match self.run() {
            Run::New => {
                let message = format!("{what}: the watcher was never started (start it first)");
                Err(Error::new(CRI_E_STATE, message))
            }
            Run::Started | Run::Stopped => Ok(()),
        }
    }

    fn run(&self) -> Run {
        *self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread, made when it is first needed. After a failure, the next call tries again.
    fn io(&self) -> Result<&IoThread> {
        self.io.get_or_try_init(|| {
            let (shared, hub, packer_queue) = (self.shared.clone(), self.hub.clone(), self.packer_queue.clone());
            IoThread::spawn(self.endpoint.clone(), self.config.clone(), shared, hub, packer_queue)
        })
    }

    /// As `io`, but a watcher that was stopped before it had a thread gets no thread.
    fn live_io(&self) -> Result<&IoThread> {
        let run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        match *run {
            Run::Stopped if self.io.get().is_none() => Err(self.ended()),
            _ => self.io(),
        }
    }

    /// The stack size of the watcher's threads (option `threads.stack_bytes`).
    pub(crate) fn stack_bytes(&self) -> usize {
        self.config.threads_stack_bytes
    }

    fn check_fork(&self) -> Result<()> {
        if self.is_forked() {
            let message = "this process is a fork of the one that started the watcher (start one after the fork)";
            return Err(Error::new(CRI_E_FORKED, message));
        }
        Ok(())
    }

    /// Whether this process is a fork of the one that started the watcher. In a fork, every method fails.
    pub fn is_forked(&self) -> bool {
        self.io.get().is_some_and(IoThread::is_forked)
    }

    fn ended(&self) -> Error {
        let ended = self.shared.latest().status.ended.clone();
        ended.unwrap_or_else(|| Error::new(CRI_E_STOPPED, "the watcher has been stopped"))
    }

    /// Stops watching, ends every wait, and joins the thread. The cache can still be read, and queues give the events
    /// that are left in them. Further calls do nothing.
    pub fn stop(&self) -> Result<()> {
        self.check_fork()?;
        *self.run.lock().unwrap_or_else(PoisonError::into_inner) = Run::Stopped;
        match self.io.get() {
            Some(io) => io.stop(),
            // No thread closes the queues, so consumers that subscribed early would wait for ever.
            None => {
                self.shared.end(self.ended());
                self.hub.close();
                self.packer_queue.close();
            }
        }
        Ok(())
    }

    /// What the watcher is doing. It is `New` until `start` is called, and never after `start` has returned.
    pub fn state(&self) -> WatcherState {
        self.shared.latest().status.state
    }

    /// A number that grows with every change of the cache. As long as it stays the same, `list` shows the same containers.
    /// 0 before the watcher is ready. One load from memory.
    pub fn generation(&self) -> u64 {
        self.shared.generation()
    }

    /// What readers see now. Cheap, however many containers there are, and without waiting.
    fn latest(&self) -> Result<(Freshness, Shown)> {
        self.check_fork()?;
        let latest = self.shared.latest();
        let shown = latest.shown.clone().ok_or_else(|| self.not_ready(&latest.status))?;
        Ok((latest.freshness(), shown))
    }

    fn not_ready(&self, status: &WatcherStatus) -> Error {
        let (cause, has_ended) = (&status.cause, status.ended.is_some());
        let why = cause.as_ref().map_or("the first lists are not there yet".into(), Error::to_string);
        let message = format!("there is no cache yet: {why} (start the watcher and wait until it is ready, or resync)");
        let error = Error::new(CRI_E_NOT_READY, message);
        // As in `wait_ready`: without a start, or with a cause that stays, the cache will not come by itself.
        let will_be = self.run() == Run::Started && !has_ended && !cause.as_ref().is_some_and(is_final);
        if will_be { error.retriable() } else { error }
    }

    /// Which engine it is, how changes are noticed, and how complete the cache is, as `criwatch.engine/1`. What is not known
    /// yet is absent.
    pub fn engine_info(&self) -> Result<JsonText> {
        let engine = self.engine()?;
        let latest = self.shared.latest();
        Ok(Freshness { engine, ..latest.freshness() }.engine(latest.readiness))
    }

    /// The engine as a record. What is not known yet is empty.
    pub fn engine(&self) -> Result<Arc<Engine>> {
        self.check_fork()?;
        let engine = self.shared.latest().status.engine.clone();
        Ok(match &self.endpoint {
            Some(endpoint) if engine.api.is_empty() => {
                Arc::new(Engine { api: endpoint.to_string().into(), ..Engine::clone(&engine) })
            }
            _ => engine,
        })
    }

    /// A new consumer of events. It may be made before the start, and a thread may wait on it while another one starts
    /// the watcher. `mask` has the bits of the events that are wanted (0: the lifecycle events), `flags`
    /// are bits of `CRI_SUBSCRIBE_*`, and `capacity` is how many events may wait (0: the option `queue.capacity`).
    pub fn subscribe(&self, mask: u32, flags: u32, capacity: usize) -> Result<Arc<EventQueue>> {
        self.check_fork()?;
        check_bits("subscribe: mask", mask, ALL_MASK)?;
        check_bits("subscribe: flags", flags, CRI_SUBSCRIBE_LIVE_ONLY)?;
        if self.run() == Run::Stopped {
            return Err(self.ended());
        }
        let capacity = if capacity == 0 { self.config.queue_capacity } else { capacity };
        let live_only = flags & CRI_SUBSCRIBE_LIVE_ONLY != 0;
        self.hub.subscribe(mask, live_only, capacity, self.json_view())
    }

    /// As `subscribe`, for asynchronous code. Any runtime will do.
    ///
    /// ```no_run
    /// # async fn follow() -> criwatch::error::Result<()> {
    /// use criwatch::{config::Config, model::EventType, watcher::Watcher};
    ///
    /// let watcher = Watcher::new(None, Config::default())?;
    /// let mut events = watcher.events(0, 0, 0)?;
    /// watcher.start()?;
    /// while let Some(event) = events.next().await {
    ///     if let (EventType::Started, Some(container)) = (event.event_type, &event.container) {
    ///         println!("{} has pid {:?}", container.path(), container.pid);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn events(&self, mask: u32, flags: u32, capacity: usize) -> Result<Events> {
        self.subscribe(mask, flags, capacity).map(Events::new)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // A fork must not touch what it has inherited, because the thread that owns it does not exist there.
        if !self.is_forked() {
            // This fails only in a fork.
            let _ = self.stop();
        }
    }
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watcher")
            .field("endpoint", &self.endpoint)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

fn check_bits(what: &str, bits: u32, known: u32) -> Result<()> {
    if bits & !known == 0 {
        return Ok(());
    }
    let message = format!("{what}: {bits:#x} has unknown bits (known are {known:#x})");
    Err(Error::new(CRI_E_INVALID_ARGUMENT, message))
}
