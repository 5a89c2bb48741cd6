//! Watcher
//!
//! A watcher follows one engine. Its life: new, start, stop, free. It reconnects for ever; what it showed last stays
//! readable meanwhile, and cri_watcher_state tells how it stands.

#![forbid(unsafe_code)]

use std::sync::{Arc, Mutex, PoisonError};

use safer_ffi::prelude::*;

use super::guard::{Text, infallible, make, optional_text, run, timeout};
use super::handle::{Handle, held, taken};
use super::raw::callback::{self, Callback, Task, Thread};
use super::{cri_error, cri_options};
use crate::config::Config;
use crate::error::*;
use crate::model::CRI_WATCHER_STOPPED;
use crate::watcher::Watcher;

/// A watcher of one engine.
#[derive_ReprC]
#[repr(opaque)]
pub struct cri_watcher {
    pub(super) handle: Handle,
}

/// A watcher with its helpers.
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
    /// Makes one of these threads, if it is not too late and there is none yet.
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
        *place = Some(Thread::spawn(Arc::downgrade(&self.watcher), task, callback, Thread::gate())?);
        Ok(())
    }
}

/// The watcher behind a handle: not NULL, and not inherited by fork. Held, not borrowed, so that a call that waits
/// survives a free that ends the wait.
pub(super) fn live(watcher: Option<&cri_watcher>) -> Result<Arc<Watcher>> {
    let watcher = held(watcher, "watcher")?.watcher.clone();
    refuse_forked(&watcher)?;
    Ok(watcher)
}

/// An error in a fork of the process that started the watcher: its threads are not here.
pub(super) fn refuse_forked(watcher: &Watcher) -> Result<()> {
    match watcher.is_forked() {
        true => Err(Error::new(
            CRI_E_FORKED,
            "the watcher was started by the parent of this process and does not work here: make a new one after fork",
        )),
        false => Ok(()),
    }
}

/// Makes a watcher. Nothing is read, written or connected yet.
///
/// @param endpoint the engine's socket, e.g. "unix:///run/containerd/containerd.sock"; NULL, but not "": the first of the
/// usual ones that answers is taken at the start
/// @param options NULL: all defaults
/// @param out receives the watcher; free with cri_watcher_free
/// @return CRI_OK, CRI_E_INVALID_ARGUMENT
/// @note Never blocks.
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
    let config = match options {
        Some(_) => held(options, "options")?.config(),
        None => Config::default(),
    };
    let watcher = Watcher::new(optional_text(endpoint, "endpoint")?, config)?;
    Ok(Watched { watcher: Arc::new(watcher), helpers: Mutex::default() })
}

/// Starts to follow the engine, in the background. An engine that cannot be reached is no error here.
///
/// @param watcher the watcher
/// @return CRI_OK, also when it is started already; CRI_E_STOPPED; CRI_E_OS when there is no thread to be had;
/// CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Never blocks.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_start(watcher: Option<&cri_watcher>, err: Option<&mut *mut cri_error>) -> Status {
    run(err, || live(watcher)?.start())
}

/// Waits until the first lists are in and the pid of each entry was asked for.
///
/// @param watcher the watcher
/// @param timeout_ms how long to wait; below 0: for ever, 0: not at all
/// @return CRI_OK; CRI_E_TIMEOUT, with the last cause in the message; at once for what waiting will not mend:
/// CRI_E_PERMISSION, CRI_E_UNSUPPORTED, CRI_E_STATE before the start; CRI_E_STOPPED, CRI_E_FORKED,
/// CRI_E_INVALID_ARGUMENT
/// @note Blocks up to timeout_ms; cri_watcher_stop ends the wait.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_wait_ready(
    watcher: Option<&cri_watcher>,
    timeout_ms: i64,
    err: Option<&mut *mut cri_error>,
) -> Status {
    run(err, || live(watcher)?.wait_ready(timeout(timeout_ms)))
}

/// A barrier: once it returns CRI_OK, all answers from memory are at least as new as a list that was begun after the
/// call. Works on a watcher that was never started, too, and then fails at once where the engine cannot be reached. One that
/// was started goes on trying, and so does this, until the time is over.
///
/// @param watcher the watcher
/// @param timeout_ms how long to wait; below 0: for ever, 0: not at all
/// @return CRI_OK; CRI_E_CONNECT, CRI_E_PERMISSION, CRI_E_RPC, CRI_E_TIMEOUT, CRI_E_UNSUPPORTED, CRI_E_PROTOCOL: the
/// engine cannot be asked; CRI_E_STOPPED, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Blocks up to timeout_ms; cri_watcher_stop ends the wait.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_resync(
    watcher: Option<&cri_watcher>,
    timeout_ms: i64,
    err: Option<&mut *mut cri_error>,
) -> Status {
    run(err, || live(watcher)?.resync(timeout(timeout_ms)))
}

/// What the watcher is doing.
///
/// @param watcher the watcher; NULL, or in a forked child: CRI_WATCHER_STOPPED
/// @return one of CRI_WATCHER_NEW, CRI_WATCHER_CONNECTING and so on
/// @note Never blocks.
#[ffi_export]
pub extern "C" fn cri_watcher_state(watcher: Option<&cri_watcher>) -> u32 {
    infallible(CRI_WATCHER_STOPPED, || state(watcher))
}

fn state(watcher: Option<&cri_watcher>) -> u32 {
    live(watcher).map_or(CRI_WATCHER_STOPPED, |w| w.state().number())
}

/// Stops for good: ends every wait and every event queue, and waits for the library's thread. What was seen last stays
/// readable. Callbacks may still come for events that wait already; cri_subscription_free ends them.
///
/// @param watcher the watcher
/// @return CRI_OK, also when it is stopped already; CRI_E_WOULD_DEADLOCK inside a callback of this watcher;
/// CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Blocks until the library's thread has ended, which waits for nothing else.
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

/// Stops and frees a watcher. Subscriptions and queues outlive it: they are closed, and are freed on their own. Its log and
/// its packer are through when this returns.
///
/// @param watcher the watcher; NULL: nothing happens; in a forked child it is leaked on purpose
/// @note Blocks as cri_watcher_stop does, and until the log and the packer have returned. Inside a callback of this
/// watcher it returns at once, and the rest happens after the callback has returned.
#[ffi_export]
pub extern "C" fn cri_watcher_free(watcher: Option<repr_c::Box<cri_watcher>>) {
    infallible((), || taken::<cri_watcher>(watcher).map_or((), free))
}

fn free(watched: Watched) {
    if watched.watcher.is_forked() {
        return std::mem::forget(watched);
    }
    let Watched { watcher, helpers } = watched;
    if let Err(outside) = callback::defer(watcher) {
        release(&outside);
    }
    let Helpers { log, packer } = helpers.into_inner().unwrap_or_else(PoisonError::into_inner);
    [log, packer].into_iter().flatten().for_each(Thread::finish);
}

/// The end of a watcher.
pub(super) fn release(watcher: &Watcher) {
    // A free has nobody to tell; whatever could not be stopped is dropped in the next moment.
    let _ = watcher.stop();
}
