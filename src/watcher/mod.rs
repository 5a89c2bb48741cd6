//! The watcher: everything that users call, in safe Rust. It owns the `cri-io` thread.

mod clients;
mod events;
mod list;
mod packer;
mod stats;
mod thread;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;

use crate::config::Config;
use crate::cri::{Call, Endpoint, is_final};
use crate::error::{
    CRI_E_FORKED, CRI_E_INVALID_ARGUMENT, CRI_E_NOT_READY, CRI_E_PANIC, CRI_E_STATE, CRI_E_STOPPED, CRI_E_TIMEOUT,
    Error, Result,
};
use crate::hub::{EventQueue, Hub};
use crate::model::*;
use crate::sync::{Book, Command, Desk, Inspect, Page, WaiterId};
use list::Kept;
use thread::IoThread;

pub use events::Events;

/// Watches one engine. Every method may be called from any thread at any time; only those with a timeout wait for the
/// engine, and `stop` ends every wait. Dropping it stops it.
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

    /// Waits until the picture is complete: the first lists are applied, and the pid of everything in them was asked
    /// for once. Returns at once when nothing but a change of permissions or of the engine's configuration can help.
    pub fn wait_ready(&self, timeout: Option<Duration>) -> Result<()> {
        self.check_fork()?;
        if *self.life.lock().unwrap_or_else(PoisonError::into_inner) == Life::New {
            return Err(Error::new(CRI_E_STATE, "wait_ready: the watcher was not started (call start first)"));
        }
        let found = self.book.wait(deadline(timeout), |page| {
            let situation = &page.situation;
            match (&situation.ended, &situation.cause) {
                (Some(ended), _) => Some(Err(ended.clone())),
                _ if situation.ready => Some(Ok(())),
                (_, Some(cause)) if is_final(cause) => Some(Err(cause.clone())),
                _ => None,
            }
        });
        found.unwrap_or_else(|| Err(self.timed_out("wait_ready")))
    }

    /// Waits for a list that begins after this call, and for what that list leaves open. Afterwards, `list` shows
    /// what the engine had then, or something newer. Also works on a watcher that was never started.
    pub fn resync(&self, timeout: Option<Duration>) -> Result<()> {
        self.check_fork()?;
        let (reply, answer) = sync_channel(1);
        let id: WaiterId = self.waiters.fetch_add(1, Ordering::Relaxed);
        let io = self.live_io()?;
        io.send(Command::Resync { id, reply })?;
        self.answer(&answer, timeout, "resync").inspect_err(|_| {
            // A stopped thread has forgotten its waiters anyway.
            let _ = io.send(Command::Forget(id));
        })
    }

    fn answer<T>(&self, answer: &Receiver<Result<T>>, timeout: Option<Duration>, what: &str) -> Result<T> {
        let received = match timeout {
            Some(timeout) => answer.recv_timeout(timeout),
            None => answer.recv().map_err(RecvTimeoutError::from),
        };
        match received {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => Err(self.timed_out(what)),
            Err(RecvTimeoutError::Disconnected) => Err(self.unanswered(what)),
        }
    }

    fn timed_out(&self, what: &str) -> Error {
        let cause = self.book.read().situation.cause.clone();
        let silent = || format!("{} has not answered yet", self.engine_name());
        let because = cause.as_ref().map_or_else(silent, ToString::to_string);
        let it =
            Error::new(CRI_E_TIMEOUT, format!("{what}: the time given has passed; last cause: {because}")).retriable();
        it.with_os_code(cause.as_ref().and_then(Error::os_code))
    }

    /// How to call the engine in an error's message.
    fn engine_name(&self) -> String {
        self.endpoint.as_ref().map_or("no engine on a well-known socket".into(), ToString::to_string)
    }

    /// Why the one who was to answer has gone: the watcher has ended, or it is a defect.
    fn unanswered(&self, what: &str) -> Error {
        let ended = self.book.read().situation.ended.clone();
        let message = || format!("a defect in criwatch, please report it: a panic ended {what}");
        ended.unwrap_or_else(|| Error::new(CRI_E_PANIC, message()))
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

    /// Grows with every change of the picture; as long as it stays the same, `list` would show the same containers.
    pub fn generation(&self) -> u64 {
        self.book.read().portfolio.generation()
    }

    fn ready_page(&self) -> Result<std::sync::RwLockReadGuard<'_, Page>> {
        self.check_fork()?;
        let page = self.book.read();
        if page.situation.ready {
            return Ok(page);
        }
        let why = match &page.situation.cause {
            Some(cause) => cause.to_string(),
            None => "the first lists are not there yet".into(),
        };
        let message = format!("there is no picture yet: {why} (call start and wait_ready, or resync)");
        Err(Error::new(CRI_E_NOT_READY, message).retriable())
    }

    /// Who the engine is and how changes are noticed, as `criwatch.engine/1`. What is not known yet is absent.
    pub fn engine_info(&self) -> Result<JsonText> {
        self.check_fork()?;
        let mut standing = self.book.read().standing();
        if standing.engine.api.is_empty()
            && let Some(endpoint) = &self.endpoint
        {
            standing.engine = Arc::new(Engine { api: endpoint.to_string().into(), ..Engine::clone(&standing.engine) });
        }
        Ok(standing.engine())
    }

    /// All that the engine itself says of one container or sandbox, in any state, as `criwatch.inspect/1`. `flags`
    /// are bits of `CRI_INSPECT_*`.
    pub fn inspect(&self, id_or_name: &str, flags: u32, timeout: Option<Duration>) -> Result<JsonText> {
        self.check_fork()?;
        let known = CRI_INSPECT_REQUIRE_PROCESS | CRI_INSPECT_SHOW_ENV;
        check_bits("inspect: flags", flags, known)?;
        let (reply, answer) = sync_channel(1);
        let what = Inspect { id_or_name: id_or_name.to_owned(), flags };
        self.live_io()?.send(Command::Inspect { what, reply })?;
        self.answer(&answer, timeout, "inspect")
    }

    /// Calls any unary RPC of the engine, e.g. `RuntimeService/Status`, with a request and a reply in the canonical JSON
    /// of protocol buffers. Only RPCs that read, unless the option `call.allow_mutations` is set.
    ///
    /// ```no_run
    /// # fn main() -> criwatch::error::Result<()> {
    /// use criwatch::{config::Config, watcher::Watcher};
    ///
    /// let watcher = Watcher::new(Some("/run/containerd/containerd.sock"), Config::default())?;
    /// let running = r#"{"filter": {"state": {"state": "CONTAINER_RUNNING"}}}"#;
    /// let reply = watcher.call("RuntimeService/ListContainers", Some(running), None)?;
    /// println!("{reply}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn call(&self, method: &str, request: Option<&str>, timeout: Option<Duration>) -> Result<JsonText> {
        self.check_fork()?;
        let call = Call::new(method, request, &self.config)?;
        let (reply, answer) = sync_channel(1);
        self.live_io()?.send(Command::Call { rpc: call.rpc(), patience: timeout, reply })?;
        call.reply(&self.answer(&answer, timeout, method)?)
    }

    /// A new consumer of events. `mask` has the bits of the events that are wanted (0: the lifecycle events), `flags`
    /// are bits of `CRI_SUBSCRIBE_*`, and `capacity` is how many events may wait (0: the option `queue.capacity`).
    pub fn subscribe(&self, mask: u32, flags: u32, capacity: usize) -> Result<Arc<EventQueue>> {
        self.check_fork()?;
        check_bits("subscribe: mask", mask, ALL_MASK)?;
        check_bits("subscribe: flags", flags, CRI_SUBSCRIBE_LIVE_ONLY)?;
        if *self.life.lock().unwrap_or_else(PoisonError::into_inner) == Life::Stopped {
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

/// `None` for ever, also for times beyond what the clock can say.
fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    timeout.and_then(|t| Instant::now().checked_add(t))
}
