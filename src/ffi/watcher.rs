//! Watcher
//!
//! A watcher follows one engine: make it, start it, stop it, free it. If it loses the engine, it tries to reconnect
//! without end, and the cache stays readable. cri_watcher_state says whether the cache is up to date.

#![forbid(unsafe_code)]

use std::sync::{Arc, Mutex, PoisonError};

use safer_ffi::prelude::*;

use super::arguments::{Text, optional_text, timeout};
use super::guard::{make, run};
use super::handle::{Handle, Opaque, held, opaque, taken};
use super::options::config;
use super::panics::infallible;
use super::raw::callback::{self, Callback, Task, Thread};
use super::{cri_error, cri_options};
use crate::error::*;
use crate::model::CRI_WATCHER_STOPPED;
use crate::watcher::Watcher;

/// A watcher of one engine.
#[derive_ReprC]
#[repr(opaque)]
pub struct cri_watcher {
    handle: Handle<Watched>,
}

opaque!(cri_watcher: Watched);

/// A watcher with its helper threads.
pub(super) struct Watched {
    watcher: Arc<Watcher>,
    helpers: Mutex<Helpers>,
}

/// The threads that call the program and belong to the watcher itself.
#[derive(Default)]
pub(super) struct Helpers {
    pub(super) log: Option<Thread>,
    pub(super) packer: Option<Thread>,
}

impl Watched {
    /// Makes one of these threads. `CRI_E_STATE` after the start of the watcher, and if the thread exists already.
    pub(super) fn employ(
        &self,
        what: &str,
        place: impl FnOnce(&mut Helpers) -> &mut Option<Thread>,
        task: impl FnOnce() -> Result<(Task, Callback)>,
    ) -> Result<()> {
        self.watcher.refuse_started(what)?;
        let mut helpers = self.helpers.lock().unwrap_or_else(PoisonError::into_inner);
        let place = place(&mut helpers);
        if place.is_some() {
            return Err(Error::new(CRI_E_STATE, format!("{what}: this watcher has one already (it can be set once)")));
        }
        let (task, callback) = task()?;
        *place = Some(Thread::spawn(&self.watcher, task, callback, Thread::gate())?);
        Ok(())
    }
}

/// The watcher behind a handle. An error for NULL, and in a forked child. The result is an `Arc`, so a waiting call can
/// still use the watcher after a free in another thread has ended the wait.
pub(super) fn live(watcher: Option<&cri_watcher>) -> Result<Arc<Watcher>> {
    let watcher = held(watcher, "watcher")?.watcher.clone();
    refuse_forked(&watcher)?;
    Ok(watcher)
}

/// Like `live`, but borrows the watcher and returns `None` instead of an error, for calls that only read a value.
pub(super) fn unheld(watcher: Option<&cri_watcher>) -> Option<&Watcher> {
    let watched = watcher.and_then(Opaque::get)?;
    (!watched.watcher.is_forked()).then_some(&*watched.watcher)
}

/// Returns an error in a forked child of the process that started the watcher, because the child has no such threads.
pub(super) fn refuse_forked(watcher: &Watcher) -> Result<()> {
    match watcher.is_forked() {
        true => Err(Error::new(
            CRI_E_FORKED,
            "the watcher was started by the parent of this process and does not work here: make a new one after fork",
        )),
        false => Ok(()),
    }
}

/// Makes a watcher. The call does not connect to the engine, and makes no thread.
///
/// @param endpoint the socket of the engine, e.g. "unix:///run/containerd/containerd.sock", or its path. A relative path
/// begins in the working directory of this call. The path is resolved inside the option host.root. NULL: the watcher
/// looks for the engines of the node and follows the best one (see cri_engines_discover). While that engine has no
/// sandbox, the watcher changes to a better one if it finds one. "" is an error.
/// @param options the options; NULL: all defaults
/// @param out receives the watcher; free with cri_watcher_free
/// @return CRI_OK; CRI_E_INVALID_ARGUMENT; CRI_E_OPTION if the option host.root names no directory
/// @note Does not wait. It checks that the directory exists, and reads nothing else. O(1).
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_new(
    endpoint: Text<'_>,
    options: Option<&cri_options>,
    out: Option<&mut *mut cri_watcher>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    make(out, err, || new(endpoint, options))
}

fn new(endpoint: Text<'_>, options: Option<&cri_options>) -> Result<Watched> {
    let watcher = Watcher::new(optional_text(endpoint, "endpoint")?, config(options)?)?;
    Ok(Watched { watcher: Arc::new(watcher), helpers: Mutex::default() })
}

/// Starts the watcher, which then follows the engine in the background. An unreachable engine is no error here.
///
/// @param watcher the watcher
/// @return CRI_OK, also if the watcher is already started; CRI_E_STOPPED; CRI_E_OS if the system refuses a thread;
/// CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Does not wait for the engine. O(1); makes one thread.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_start(watcher: Option<&cri_watcher>, err: Option<&mut *mut cri_error>) -> Status {
    run(err, || live(watcher)?.start())
}

/// Waits until the watcher is ready: the first lists are in the cache, and the watcher has asked for the pid of
/// every running container. It waits for these pids at most as long as the option ready.pid_wait_ms says. Later
/// pids are reported by CRI_EVENT_UPDATED.
///
/// @param watcher the watcher
/// @param timeout_ms how long to wait, in milliseconds; below 0: no limit; 0: no wait
/// @return CRI_OK; CRI_E_TIMEOUT, with the last cause in the message; without waiting, if waiting cannot help:
/// CRI_E_PERMISSION, CRI_E_UNSUPPORTED, or CRI_E_STATE before the start; CRI_E_STOPPED, CRI_E_FORKED,
/// CRI_E_INVALID_ARGUMENT
/// @note Blocks up to timeout_ms. cri_watcher_stop ends the wait.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_wait_ready(
    watcher: Option<&cri_watcher>,
    timeout_ms: i64,
    err: Option<&mut *mut cri_error>,
) -> Status {
    run(err, || live(watcher)?.wait_ready(timeout(timeout_ms)))
}

/// Waits until the cache is at least as new as this call: until it includes a list that began after the call. It
/// also works on a watcher that is not started, and then fails at once if the engine cannot be reached. On a
/// started watcher, the call waits until the engine answers, up to the timeout.
///
/// @param watcher the watcher
/// @param timeout_ms how long to wait, in milliseconds; below 0: no limit; 0: no wait
/// @return CRI_OK; CRI_E_CONNECT, CRI_E_PERMISSION, CRI_E_RPC, CRI_E_TIMEOUT, CRI_E_UNSUPPORTED, CRI_E_PROTOCOL if
/// the request to the engine failed; CRI_E_STOPPED, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Blocks up to timeout_ms. cri_watcher_stop ends the wait.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_resync(
    watcher: Option<&cri_watcher>,
    timeout_ms: i64,
    err: Option<&mut *mut cri_error>,
) -> Status {
    run(err, || live(watcher)?.resync(timeout(timeout_ms)))
}

/// Returns the state of the watcher.
///
/// @param watcher the watcher; NULL, or in a forked child: CRI_WATCHER_STOPPED
/// @return CRI_WATCHER_NEW, CRI_WATCHER_CONNECTING and so on
/// @note Does not wait for the engine. O(1).
#[ffi_export]
pub extern "C" fn cri_watcher_state(watcher: Option<&cri_watcher>) -> u32 {
    infallible(CRI_WATCHER_STOPPED, || state(watcher))
}

fn state(watcher: Option<&cri_watcher>) -> u32 {
    live(watcher).map_or(CRI_WATCHER_STOPPED, |w| w.state().number())
}

/// Stops the watcher for good. It ends every wait, and waits for the library's thread to end. The cache stays
/// readable. Events that are already queued can still be taken, and callbacks still get them until
/// cri_subscription_free.
///
/// @param watcher the watcher
/// @return CRI_OK, also if the watcher is already stopped; CRI_E_WOULD_DEADLOCK inside a callback of this watcher;
/// CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Blocks until the library's thread has ended. That thread does not wait for the engine or for callbacks.
#[ffi_export]
pub extern "C" fn cri_watcher_stop(watcher: Option<&cri_watcher>, err: Option<&mut *mut cri_error>) -> Status {
    run(err, || stop(&*live(watcher)?))
}

fn stop(watcher: &Watcher) -> Result<()> {
    if callback::is_inside(watcher) {
        return Err(Error::new(
            CRI_E_WOULD_DEADLOCK,
            "cri_watcher_stop was called inside a callback of the same watcher: call it from another thread",
        ));
    }
    watcher.stop()
}

/// Stops and frees a watcher. The program frees subscriptions and queues separately: they are closed, but stay
/// valid. When this call returns, the log and the packer have made their last calls.
///
/// @param watcher the watcher; NULL: does nothing; in a forked child it is leaked on purpose
/// @note Blocks like cri_watcher_stop, and until the log and the packer have returned. Inside a callback of this
/// watcher it returns at once, and takes effect after the callback has returned.
#[ffi_export]
pub extern "C" fn cri_watcher_free(watcher: Option<repr_c::Box<cri_watcher>>) {
    infallible((), || taken::<cri_watcher>(watcher).map_or((), free))
}

fn free(watched: Watched) {
    if watched.watcher.is_forked() {
        return std::mem::forget(watched);
    }
    let Watched { watcher, helpers } = watched;
    callback::stop_outside(watcher);
    let Helpers { log, packer } = helpers.into_inner().unwrap_or_else(PoisonError::into_inner);
    [log, packer].into_iter().flatten().for_each(Thread::finish);
}
