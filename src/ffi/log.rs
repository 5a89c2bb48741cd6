//! Log
//!
//! What a watcher has to say about its work: connections and their loss with the cause, how changes are noticed, lists
//! that failed, consumers that were too slow, questions that stay open, contradictions of the engine. It says so to the
//! program alone: there is no global logger, and nothing is printed. The same messages, of all levels, come as
//! CRI_EVENT_LOG to every subscription and queue that asks for these in its mask.

#![forbid(unsafe_code)]

use std::ffi::c_void;

use safer_ffi::c_char;
use safer_ffi::prelude::*;

use super::guard::{given, invalid, run};
use super::handle::held;
use super::raw::callback::{Callback, Task};
use super::watcher::live;
use super::{cri_destroy_fn, cri_error, cri_watcher};
use crate::error::{Result, Status};
use crate::model::{CRI_EVENT_LOG, CRI_LOG_DEBUG, CRI_LOG_ERROR, CRI_SUBSCRIBE_LIVE_ONLY};

/// Takes a message. The message is borrowed: it is gone when the function returns.
pub type cri_log_fn = Option<unsafe extern "C" fn(level: u32, message: *const c_char, user_data: *mut c_void)>;

/// Calls a function for each message of the watcher, on a thread of its own ("cri-log"). To be set before the start, and
/// once.
///
/// @param watcher the watcher
/// @param max_level the least urgent level that is wanted: CRI_LOG_ERROR, CRI_LOG_WARN, CRI_LOG_INFO or CRI_LOG_DEBUG
/// @param function is called with each message, never twice at a time
/// @param user_data is handed to function and destroy as it is; may be NULL
/// @param destroy is called with user_data exactly once: when the watcher has been stopped and the last message was
/// taken, or before a failed cri_watcher_set_log returns; may be NULL
/// @return CRI_OK; CRI_E_STATE after the start, or when there is one already; CRI_E_STOPPED; CRI_E_OS when there is no
/// thread to be had; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Never blocks. cri_watcher_free waits until the last message was taken, except inside a callback of the watcher.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_set_log(
    watcher: Option<&cri_watcher>,
    max_level: u32,
    function: cri_log_fn,
    user_data: *mut c_void,
    destroy: cri_destroy_fn,
    err: Option<&mut *mut cri_error>,
) -> Status {
    set_log(watcher, max_level, function, Callback::new(user_data, destroy), err)
}

fn set_log(
    watcher: Option<&cri_watcher>,
    max_level: u32,
    function: cri_log_fn,
    callback: Callback,
    err: Option<&mut *mut cri_error>,
) -> Status {
    callback.destroy_if_refused(run(err, || try_set_log(watcher, max_level, function, callback)))
}

fn try_set_log(watcher: Option<&cri_watcher>, max_level: u32, function: cri_log_fn, callback: Callback) -> Result<()> {
    let (alive, function) = (live(watcher)?, given(function, "function")?);
    if !(CRI_LOG_ERROR..=CRI_LOG_DEBUG).contains(&max_level) {
        return Err(invalid(format!("max_level {max_level} is no level (CRI_LOG_ERROR is 1, CRI_LOG_DEBUG is 4)")));
    }
    held(watcher, "watcher")?.employ(
        "set_log",
        |helpers| &mut helpers.log,
        || {
            let queue = alive.subscribe(1 << CRI_EVENT_LOG, CRI_SUBSCRIBE_LIVE_ONLY, 0)?;
            Ok((Task::Log { queue, function, max_level }, callback))
        },
    )
}
