//! Calls that wait for the engine. Each has two forms: one blocks the calling thread and has a timeout; the other is a
//! future for any runtime, and is cancelled by dropping it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::oneshot;

use super::thread::IoThread;
use super::waiting::wait;
use super::{Watcher, check_bits};
use crate::cri::{Call, is_final};
use crate::error::{CRI_E_PANIC, CRI_E_TIMEOUT, Error, Result};
use crate::model::{CRI_INSPECT_REQUIRE_PROCESS, CRI_INSPECT_SEPARATE_ANNOTATIONS, CRI_INSPECT_SHOW_ENV, JsonText};
use crate::sync::{Command, Inspect, WaiterId};

impl Watcher {
    /// Waits until the watcher is ready: the first lists were applied, and the status of each of their containers was asked
    /// for once, or `ready.pid_wait_ms` has passed. In that case `engine_info` has `ready.complete` false and the number of
    /// unanswered requests in `ready.open`, and UPDATED events bring what is missing.
    ///
    /// Blocks for `timeout` at most; `None`: for ever. Errors: `CRI_E_STATE` at once if the watcher was never started;
    /// `CRI_E_TIMEOUT` with the last cause; `CRI_E_PERMISSION` and `CRI_E_UNSUPPORTED` at once, because waiting does not help;
    /// `CRI_E_STOPPED`, `CRI_E_FORKED`.
    pub fn wait_ready(&self, timeout: Option<Duration>) -> Result<()> {
        self.in_time("wait_ready", timeout, self.wait_ready_async())
    }

    /// As `wait_ready`, for asynchronous code. Any runtime will do.
    ///
    /// ```no_run
    /// # async fn list() -> criwatch::error::Result<()> {
    /// use criwatch::{config::Config, watcher::Watcher};
    ///
    /// let watcher = Watcher::new(None, Config::default())?;
    /// watcher.start()?;
    /// watcher.wait_ready_async().await?;
    /// for container in watcher.containers()? {
    ///     println!("{}", container.path());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn wait_ready_async(&self) -> Result<()> {
        self.refuse_unstarted("wait_ready")?;
        let settled = self.shared.until(|shared| {
            let status = &shared.latest().status;
            match (&status.ended, &status.cause) {
                (Some(ended), _) => Some(Err(ended.clone())),
                _ if status.ready => Some(Ok(())),
                (_, Some(cause)) if is_final(cause) => Some(Err(cause.clone())),
                _ => None,
            }
        });
        settled.await
    }

    /// Waits for a list that begins after this call, and for the status requests that it leads to. Afterwards, `list` shows
    /// what the engine listed, or something newer. It also works on a watcher that was never started, and then fails at once
    /// where the engine cannot be reached.
    pub fn resync(&self, timeout: Option<Duration>) -> Result<()> {
        self.in_time("resync", timeout, self.resync_async())
    }

    /// As `resync`, for asynchronous code. Any runtime will do.
    pub async fn resync_async(&self) -> Result<()> {
        self.check_fork()?;
        let id = self.waiters.fetch_add(1, Ordering::Relaxed);
        let io = self.live_io()?;
        let (reply, answer) = oneshot::channel();
        io.send(Command::Resync { id, reply })?;
        let mut waiter = Waiter { io, id: Some(id) };
        let result = self.answer(answer, "resync").await;
        waiter.id = None;
        result
    }

    /// Asks the engine for everything about one container or sandbox, in any state: `criwatch.inspect/1`. `flags` are bits
    /// of `CRI_INSPECT_*`.
    pub fn inspect(&self, id_or_name: &str, flags: u32, timeout: Option<Duration>) -> Result<JsonText> {
        self.in_time("inspect", timeout, self.inspect_async(id_or_name, flags))
    }

    /// As `inspect`, for asynchronous code. Any runtime will do.
    pub async fn inspect_async(&self, id_or_name: &str, flags: u32) -> Result<JsonText> {
        self.check_fork()?;
        let known = CRI_INSPECT_REQUIRE_PROCESS | CRI_INSPECT_SHOW_ENV | CRI_INSPECT_SEPARATE_ANNOTATIONS;
        check_bits("inspect: flags", flags, known)?;
        let what = Inspect { id_or_name: id_or_name.to_owned(), flags };
        let (reply, answer) = oneshot::channel();
        self.live_io()?.send(Command::Inspect { what, reply })?;
        self.answer(answer, "inspect").await
    }

    /// Calls any unary RPC of the engine, e.g. `RuntimeService/Status`. Request and reply are in the canonical JSON of protocol
    /// buffers. RPCs that change things are refused, unless the option `call.allow_mutations` is set.
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
        self.in_time(method, timeout, self.carry_out(method, request, timeout))
    }

    /// As `call`, for asynchronous code. Any runtime will do. Dropping the future may not stop the engine from carrying
    /// out the call.
    pub async fn call_async(&self, method: &str, request: Option<&str>) -> Result<JsonText> {
        self.carry_out(method, request, None).await
    }

    /// Makes the call. `patience` is how long the caller waits.
    async fn carry_out(&self, method: &str, request: Option<&str>, patience: Option<Duration>) -> Result<JsonText> {
        self.check_fork()?;
        let call = Call::new(method, request, &self.config)?;
        let (reply, answer) = oneshot::channel();
        self.live_io()?.send(Command::Call { rpc: call.rpc(), patience, reply })?;
        call.reply(&self.answer(answer, method).await?)
    }

    /// Awaits the answer of the `cri-io` thread.
    pub(super) async fn answer<T>(&self, answer: oneshot::Receiver<Result<T>>, what: &str) -> Result<T> {
        answer.await.unwrap_or_else(|_| Err(self.unanswered(what)))
    }

    /// Waits for a request's answer on the calling thread.
    pub(super) fn in_time<T>(
        &self,
        what: &str,
        timeout: Option<Duration>,
        request: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        wait(request, timeout).unwrap_or_else(|| Err(self.timed_out(what)))
    }

    fn timed_out(&self, what: &str) -> Error {
        let cause = self.shared.latest().status.cause.clone();
        let because = match &cause {
            // The cause may be the request itself; then its name is not repeated.
            Some(cause) => cause.message().strip_prefix(&format!("{what}: ")).unwrap_or(cause.message()).to_owned(),
            None => self.no_answer_yet(),
        };
        let it =
            Error::new(CRI_E_TIMEOUT, format!("{what}: the time given has passed; last cause: {because}")).retriable();
        it.with_os_code(cause.as_ref().and_then(Error::os_code))
    }

    fn no_answer_yet(&self) -> String {
        match &self.endpoint {
            Some(endpoint) => format!("{endpoint} has not answered yet"),
            None => "no engine of this node has answered yet".into(),
        }
    }

    /// Why no answer will come: the watcher has ended, or a request panicked.
    fn unanswered(&self, what: &str) -> Error {
        let ended = self.shared.latest().status.ended.clone();
        let message = || format!("{what}: ended by a panic, which is a defect of criwatch: please report it");
        ended.unwrap_or_else(|| Error::new(CRI_E_PANIC, message()))
    }
}

/// A caller that waits for a list. If it is dropped before the answer, the machine forgets the caller.
struct Waiter<'a> {
    io: &'a IoThread,
    id: Option<WaiterId>,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            // This fails if the thread has stopped; then it has no waiters any more.
            let _ = self.io.send(Command::Forget(id));
        }
    }
}
