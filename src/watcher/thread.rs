//! The `cri-io` thread: only this thread uses the engine's socket.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::config::Config;
use crate::cri::Endpoint;
use crate::error::{CRI_E_OS, CRI_E_PANIC, CRI_E_STOPPED, Error, Result};
use crate::host::{ForkMark, spawn};
use crate::hub::Hub;
use crate::sync::{Command, Driver, PackerQueue, SharedState};

/// The action that failed, and the advice, for an error when the system refuses a thread.
pub(crate) const THREAD_REFUSED: &str =
    "pthread_create (raise the limits of processes and memory, or lower the option threads.stack_bytes)";

pub(super) struct IoThread {
    commands: UnboundedSender<Command>,
    thread: Mutex<Option<JoinHandle<()>>>,
    mark: ForkMark,
    shared: Arc<SharedState>,
}

impl IoThread {
    pub fn spawn(
        endpoint: Option<Endpoint>,
        config: Arc<Config>,
        shared: Arc<SharedState>,
        hub: Arc<Hub>,
        packer_queue: Arc<PackerQueue>,
    ) -> Result<Self> {
        let failed = |what: &str, e: &std::io::Error| Error::os(CRI_E_OS, format!("start: {what}"), e).retriable();
        let mark = ForkMark::new().map_err(|e| failed("mmap of the page that tells a fork from its parent", &e))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(|e| failed("epoll (raise the limit of open files)", &e))?;
        let (commands, orders) = unbounded_channel();
        let stack_bytes = config.threads_stack_bytes;
        let mut driver = Driver::new(endpoint, config, shared.clone(), hub, packer_queue, orders);
        let work = move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(driver.run())));
            if outcome.is_err() {
                driver.end(Error::new(
                    CRI_E_PANIC,
                    "the watcher was ended by a panic, which is a defect of criwatch: please report it",
                ));
            }
        };
        let thread = spawn("cri-io", stack_bytes, work).map_err(|e| failed(THREAD_REFUSED, &e))?;
        Ok(IoThread { commands, thread: Mutex::new(Some(thread)), mark, shared })
    }

    pub fn send(&self, command: Command) -> Result<()> {
        self.commands.send(command).map_err(|_| {
            let ended = self.shared.latest().status.ended.clone();
            ended.unwrap_or_else(|| Error::new(CRI_E_STOPPED, "the watcher has been stopped"))
        })
    }

    pub fn is_forked(&self) -> bool {
        self.mark.is_forked()
    }

    /// Stops the thread, and waits until it has ended.
    pub fn stop(&self) {
        // This fails if the thread has ended by itself.
        let _ = self.send(Command::Stop);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // The thread catches its panics.
            let _ = thread.join();
        }
    }
}
