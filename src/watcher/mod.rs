//! The watcher: everything that users call, in safe Rust. It owns the `cri-io` thread.

mod asking;
mod clients;
mod events;
mod list;
mod packer;
mod stats;
mod thread;
mod waiting;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use once_cell::sync::OnceCell;

use crate::config::Config;
use crate::cri::{Endpoint, is_final};
use crate::error::{CRI_E_FORKED, CRI_E_INVALID_ARGUMENT, CRI_E_NOT_READY, CRI_E_STOPPED, Error, Result};
use crate::hub::Hub;
use crate::model::json::Standing;
use crate::model::*;
use crate::sync::{Book, Command, Desk, Page};
use list::Kept;
use thread::IoThread;

pub use crate::hub::{EventQueue, Next};
pub use crate::portfolio::Snapshot;
pub use events::Events;

/// Watches one engine. Every method may be called from any thread at any time; only those with a timeout and those that
/// are `async` wait for the engine, and `stop` ends every wait. Dropping it stops it, which waits for its thread.
pub struct Watcher {
    endpoint: Option<Endpoint>,
    config: Arc<Config>,
    book: Arc<Book>,
    hub: Arc<Hub>,
    desk: Arc<Desk>,
    io: OnceCell<IoThread>,
    life: Mutex<Life>,
    waiters: AtomicU64,
    kept: Kept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    New,
    Started,
    Stopped,
}

impl Watcher {
    /// A watcher of the engine at this endpoint (`/path`, `unix:///path`, `unix:/path`); `None` stands for the first
    /// engine that answers on a well-known socket. Nothing is connected to yet, and no thread is made.
    pub fn new(endpoint: Option<&str>, config: Config) -> Result<Watcher> {
        let endpoint = endpoint.map(Endpoint::parse).transpose()?;
        let book = Arc::new(Book::new(&config));
        Ok(Watcher {
            endpoint,
            hub: Arc::new(Hub::new(book.clone())),
            config: Arc::new(config),
            desk: Arc::default(),
            book,
            io: OnceCell::new(),
            life: Mutex::new(Life::New),
            waiters: AtomicU64::new(1),
            kept: Kept::default(),
        })
    }

    /// Starts to watch: makes the thread, and returns at once. Starting again does nothing.
    pub fn start(&self) -> Result<()> {
        self.check_fork()?;
        let mut life = self.life.lock().unwrap_or_else(PoisonError::into_inner);
        match *life {
            Life::Started => Ok(()),
            Life::Stopped => Err(Error::new(CRI_E_STOPPED, "start: this watcher was stopped (make a new one)")),
            Life::New => {
                self.io()?.send(Command::Watch)?;
                *life = Life::Started;
                Ok(())
            }
        }
    }

    fn life(&self) -> Life {
        *self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread, made when it is first needed. A failure to make it is not for ever.
    fn io(&self) -> Result<&IoThread> {
        self.io.get_or_try_init(|| {
            let (book, hub, desk) = (self.book.clone(), self.hub.clone(), self.desk.clone());
            IoThread::spawn(self.endpoint.clone(), self.config.clone(), book, hub, desk)
        })
    }

    /// The same, for whom a stop is final: a watcher that was stopped before its thread existed gets none.
    fn live_io(&self) -> Result<&IoThread> {
        let life = self.life.lock().unwrap_or_else(PoisonError::into_inner);
        match *life {
            Life::Stopped if self.io.get().is_none() => Err(self.ended()),
            _ => self.io(),
        }
    }

    fn check_fork(&self) -> Result<()> {
        if self.is_forked() {
            let message = "this process is a fork of the one that started the watcher (start one after the fork)";
            return Err(Error::new(CRI_E_FORKED, message));
        }
        Ok(())
    }

    /// Whether this process is a fork of the one that started the watcher, so that nothing here works.
    pub fn is_forked(&self) -> bool {
        self.io.get().is_some_and(IoThread::is_forked)
    }

    fn ended(&self) -> Error {
        let ended = self.book.read().situation.ended.clone();
        ended.unwrap_or_else(|| Error::new(CRI_E_STOPPED, "the watcher has been stopped"))
    }

    /// Stops watching, ends every wait, and joins the thread. What was seen can still be read; queues give what is
    /// left in them. Stopping again does nothing.
    pub fn stop(&self) -> Result<()> {
        self.check_fork()?;
        *self.life.lock().unwrap_or_else(PoisonError::into_inner) = Life::Stopped;
        match self.io.get() {
            Some(io) => io.stop(),
            // Nothing has ever run; consumers that subscribed early are not to wait for ever.
            None => {
                self.book.end(self.ended());
                self.hub.close();
                self.desk.close();
            }
        }
        Ok(())
    }

    /// What the watcher is doing.
    pub fn state(&self) -> WatcherState {
        self.book.read().situation.state
    }

    /// Grows with every change of the picture; as long as it stays the same, `list` would show the same containers. 0
    /// before there is a picture.
    pub fn generation(&self) -> u64 {
        let page = self.book.read();
        if page.situation.ready { page.portfolio.generation() } else { 0 }
    }

    fn ready_page(&self) -> Result<std::sync::RwLockReadGuard<'_, Page>> {
        self.check_fork()?;
        let page = self.book.read();
        if page.situation.ready {
            return Ok(page);
        }
        let (cause, has_ended) = (page.situation.cause.clone(), page.situation.ended.is_some());
        drop(page);
        let why = cause.as_ref().map_or("the first lists are not there yet".into(), Error::to_string);
        let message = format!("there is no picture yet: {why} (call start and wait_ready, or resync)");
        let it = Error::new(CRI_E_NOT_READY, message);
        // The same as wait_ready says: without a start, or with a cause that stays, there will be none by itself.
        let will_be = self.life() == Life::Started && !has_ended && !cause.as_ref().is_some_and(is_final);
        Err(if will_be { it.retriable() } else { it })
    }

    /// Who the engine is and how changes are noticed, as `criwatch.engine/1`. What is not known yet is absent.
    pub fn engine_info(&self) -> Result<JsonText> {
        let engine = self.engine()?;
        Ok(Standing { engine, ..self.book.read().standing() }.engine())
    }

    /// The same, as a record: what is not known yet is empty.
    pub fn engine(&self) -> Result<Arc<Engine>> {
        self.check_fork()?;
        let engine = self.book.read().situation.engine.clone();
        Ok(match &self.endpoint {
            Some(endpoint) if engine.api.is_empty() => {
                Arc::new(Engine { api: endpoint.to_string().into(), ..Engine::clone(&engine) })
            }
            _ => engine,
        })
    }

    /// A new consumer of events. `mask` has the bits of the events that are wanted (0: the lifecycle events), `flags`
    /// are bits of `CRI_SUBSCRIBE_*`, and `capacity` is how many events may wait (0: the option `queue.capacity`).
    pub fn subscribe(&self, mask: u32, flags: u32, capacity: usize) -> Result<Arc<EventQueue>> {
        self.check_fork()?;
        check_bits("subscribe: mask", mask, ALL_MASK)?;
        check_bits("subscribe: flags", flags, CRI_SUBSCRIBE_LIVE_ONLY)?;
        if self.life() == Life::Stopped {
            return Err(self.ended());
        }
        let capacity = if capacity == 0 { self.config.queue_capacity } else { capacity };
        let live_only = flags & CRI_SUBSCRIBE_LIVE_ONLY != 0;
        self.hub.subscribe(mask, live_only, capacity, self.label_view())
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
        // Of what a fork has inherited, nothing may be touched: the thread that owns it is not here.
        if !self.is_forked() {
            // It cannot fail when not forked.
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
    let message = format!("{what}: {bits:#x} has bits that mean nothing here (known are {known:#x})");
    Err(Error::new(CRI_E_INVALID_ARGUMENT, message))
}
