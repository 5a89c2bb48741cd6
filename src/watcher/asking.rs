//! What waits for the engine. Each question comes in two forms: one blocks the calling thread, and has a timeout; the other is
//! a future for any runtime, and is given up by dropping it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::oneshot;

use super::thread::IoThread;
use super::waiting::wait;
use super::{Life, Watcher, check_bits};
use crate::cri::{Call, is_final};
use crate::error::{CRI_E_PANIC, CRI_E_STATE, CRI_E_TIMEOUT, Error, Result};
use crate::model::{CRI_INSPECT_REQUIRE_PROCESS, CRI_INSPECT_SEPARATE_ANNOTATIONS, CRI_INSPECT_SHOW_ENV, JsonText};
use crate::sync::{Command, Inspect, WaiterId};

impl Watcher {
    /// Waits until the picture is complete: the first lists are applied, and the pid of everything in them was asked
    /// for once. Returns at once when nothing but a change of permissions or of the engine's configuration can help.
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
        self.check_fork()?;
        if self.life() == Life::New {
            return Err(Error::new(CRI_E_STATE, "wait_ready: the watcher was not started (call start first)"));
        }
        let settled = self.book.until(|page| {
            let situation = &page.situation;
            match (&situation.ended, &situation.cause) {
                (Some(ended), _) => Some(Err(ended.clone())),
                _ if situation.ready => Some(Ok(())),
                (_, Some(cause)) if is_final(cause) => Some(Err(cause.clone())),
                _ => None,
            }
        });
        settled.await
    }

    /// Waits for a list that begins after this call, and for what that list leaves open. Afterwards, `list` shows
    /// what the engine had then, or something newer. Also works on a watcher that was never started.
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

    /// All that the engine itself says of one container or sandbox, in any state, as `criwatch.inspect/1`. `flags`
    /// are bits of `CRI_INSPECT_*`.
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
        self.in_time(method, timeout, self.carry_out(method, request, timeout))
    }

    /// As `call`, for asynchronous code. Any runtime will do. What was asked for may be done although the future was
    /// dropped.
    pub async fn call_async(&self, method: &str, request: Option<&str>) -> Result<JsonText> {
        self.carry_out(method, request, None).await
    }

    /// The engine is told how long the caller is patient.
    async fn carry_out(&self, method: &str, request: Option<&str>, patience: Option<Duration>) -> Result<JsonText> {
        self.check_fork()?;
        let call = Call::new(method, request, &self.config)?;
        let (reply, answer) = oneshot::channel();
        self.live_io()?.send(Command::Call { rpc: call.rpc(), patience, reply })?;
        call.reply(&self.answer(answer, method).await?)
    }

    /// What the `cri-io` thread answers.
    pub(super) async fn answer<T>(&self, answer: oneshot::Receiver<Result<T>>, what: &str) -> Result<T> {
        answer.await.unwrap_or_else(|_| Err(self.unanswered(what)))
    }

    /// Waits for a question's answer on the calling thread.
    pub(super) fn in_time<T>(
        &self,
        what: &str,
        timeout: Option<Duration>,
        question: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        wait(question, timeout).unwrap_or_else(|| Err(self.timed_out(what)))
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
}

/// Somebody who waits for a list. Gone before the answer, it is forgotten.
struct Waiter<'a> {
    io: &'a IoThread,
    id: Option<WaiterId>,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            // A stopped thread has forgotten its waiters anyway.
            let _ = self.io.send(Command::Forget(id));
        }
    }
}
