//! Callbacks
//!
//! A subscription calls a function for each event, one after the other, on its own thread. It begins with a replay:
//! CRI_EVENT_REPLAY_BEGIN, one CRI_EVENT_STARTED with CRI_EVENT_FLAG_INITIAL for each run, CRI_EVENT_REPLAY_END.
//! Live events follow without a gap. A consumer that is too slow gets CRI_EVENT_OVERFLOW and a new replay; a run
//! that this replay does not show has ended. So the code that handles the first replay also handles an overflow.

#![forbid(unsafe_code)]

use std::ffi::c_void;

use safer_ffi::prelude::*;

use super::arguments::given;
use super::guard::run;
use super::handle::{Handle, Opaque, opaque, taken};
use super::panics::infallible;
use super::raw::callback::{Callback, Task, Thread};
use super::watcher::live;
use super::{cri_destroy_fn, cri_error, cri_event_fn, cri_watcher};
use crate::error::{Result, Status};

/// A subscription of a callback to events.
#[derive_ReprC]
#[repr(opaque)]
pub struct cri_subscription {
    handle: Handle<Thread>,
}

opaque!(cri_subscription: Thread);

/// Calls a function for each event, beginning with a replay. The watcher may be started before or afterwards.
///
/// @param watcher the watcher
/// @param mask the event types to report: CRI_EVENT_MASK of each type, combined with |; 0: STARTED, EXITED,
/// UPDATED, STATE
/// @param flags 0, or CRI_SUBSCRIBE_LIVE_ONLY
/// @param function is called with each event, never two calls at a time
/// @param user_data is passed to function and destroy; may be NULL
/// @param destroy is called with user_data exactly once: after the last call of function, or, if
/// cri_watcher_subscribe fails, before it returns; may be NULL
/// @param out receives the subscription, before the first call of function; free with cri_subscription_free
/// @return CRI_OK; CRI_E_STOPPED; CRI_E_OS if the system refuses a thread or a descriptor; CRI_E_FORKED,
/// CRI_E_INVALID_ARGUMENT
/// @note Does not wait for the engine. O(n) to prepare the replay; makes one thread. When the watcher stops,
/// function still gets the events that are queued, and then destroy is called.
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
    let thread = Thread::spawn(&watcher, task, callback, gate.clone())?;
    *out = Box::into_raw(Box::new(cri_subscription::new(thread)));
    drop(closed);
    Ok(())
}

/// Ends a subscription and frees it. Outside the watcher's callbacks it is a barrier: when it returns, no call of
/// the function is in progress or will come, and destroy has been called. It may be called before and after
/// cri_watcher_free.
///
/// @param subscription the subscription; NULL: does nothing; in a forked child it is leaked on purpose
/// @note Blocks until the call in progress has returned. Inside a callback of the same watcher, also of another
/// subscription, it does not wait: the call in progress is the last one, and destroy is called after it returns.
#[ffi_export]
pub extern "C" fn cri_subscription_free(subscription: Option<repr_c::Box<cri_subscription>>) {
    infallible((), || taken::<cri_subscription>(subscription).map_or((), Thread::end))
}
