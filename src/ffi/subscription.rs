//! Callbacks
//!
//! A subscription calls a function for each event, one after the other, on a thread of its own. It begins with a
//! replay: CRI_EVENT_REPLAY_BEGIN, a CRI_EVENT_STARTED with CRI_EVENT_FLAG_INITIAL for each life,
//! CRI_EVENT_REPLAY_END. Live events follow without a gap. A consumer that is too slow gets CRI_EVENT_OVERFLOW and a
//! new replay; what that does not show is gone. One code path is thus enough for everything.

#![forbid(unsafe_code)]

use std::ffi::c_void;
use std::sync::Arc;

use safer_ffi::prelude::*;

use super::guard::{given, infallible, run};
use super::handle::{Handle, Opaque, taken};
use super::raw::callback::{Callback, Task, Thread};
use super::watcher::live;
use super::{cri_destroy_fn, cri_error, cri_event_fn, cri_watcher};
use crate::error::{Result, Status};

/// A subscription.
#[derive_ReprC]
#[repr(opaque)]
pub struct cri_subscription {
    pub(super) handle: Handle,
}

/// Calls a function for each event, beginning with a replay. Allowed before the start and after it.
///
/// @param watcher the watcher
/// @param mask which events: CRI_EVENT_MASK of each type, combined with |; 0: STARTED, EXITED, UPDATED, STATE
/// @param flags 0, or CRI_SUBSCRIBE_LIVE_ONLY
/// @param function is called with each event, never twice at a time
/// @param user_data is handed to function and destroy as it is; may be NULL
/// @param destroy is called with user_data exactly once, after the last call of function, or before a failed
/// cri_watcher_subscribe returns; may be NULL
/// @param out receives the subscription, before the first call of function; free with cri_subscription_free
/// @return CRI_OK; CRI_E_STOPPED; CRI_E_OS when there is no thread to be had; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Never blocks. When the watcher stops, the function still gets the events that wait, then destroy is called.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_subscribe(
    watcher: Option<&cri_watcher>,
    mask: u32,
    flags: u32,
    function: cri_event_fn,
    user_data: *mut c_void,
    destroy: cri_destroy_fn,
    out: Option<&mut *mut cri_subscription>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    subscribe(watcher, mask, flags, function, Callback::new(user_data, destroy), out, err)
}

fn subscribe(
    watcher: Option<&cri_watcher>,
    mask: u32,
    flags: u32,
    function: cri_event_fn,
    callback: Callback,
    out: Option<&mut *mut cri_subscription>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    callback.destroy_if_refused(run(err, || try_subscribe(watcher, mask, flags, function, callback, out)))
}

fn try_subscribe(
    watcher: Option<&cri_watcher>,
    mask: u32,
    flags: u32,
    function: cri_event_fn,
    callback: Callback,
    out: Option<&mut *mut cri_subscription>,
) -> Result<()> {
    let watcher = live(watcher)?;
    let (function, out) = (given(function, "function")?, given(out, "out")?);
    let queue = watcher.subscribe(mask, flags, 0)?;
    let gate = Thread::gate();
    // Nothing after the thread exists may fail: from then on it is the thread that calls destroy.
    let closed = gate.lock();
    let task = Task::Events { queue, function };
    let thread = Thread::spawn(Arc::downgrade(&watcher), task, callback, gate.clone())?;
    *out = Box::into_raw(Box::new(cri_subscription::new(thread)));
    drop(closed);
    Ok(())
}

/// Ends a subscription. Outside the watcher's callbacks it is a barrier: when it returns, no call is running or will come, and
/// destroy has been called. Allowed before and after cri_watcher_free.
///
/// @param subscription the subscription; NULL: nothing happens; in a forked child it is leaked on purpose
/// @note Blocks until the call under way has returned. Inside any callback of the same watcher, also another
/// subscription's, it does not wait: the call under way is the last one, and destroy follows its return.
#[ffi_export]
pub extern "C" fn cri_subscription_free(subscription: Option<repr_c::Box<cri_subscription>>) {
    infallible((), || taken::<cri_subscription>(subscription).map_or((), Thread::end))
}
