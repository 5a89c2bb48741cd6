//! Log
//!
//! A watcher reports its own work to the program: connections, causes of lost connections, how it notices changes,
//! failed lists, slow consumers, requests without an answer, contradictions of the engine. There is no global
//! logger, and nothing is printed. Every subscription and queue whose mask has CRI_EVENT_LOG gets the same
//! messages, of all levels, as events.

#![forbid(unsafe_code)]

use std::ffi::c_void;

use safer_ffi::c_char;
use safer_ffi::prelude::*;

use super::arguments::{given, invalid};
use super::guard::run;
use super::handle::held;
use super::raw::callback::{Callback, Task};
use super::watcher::live;
use super::{cri_destroy_fn, cri_error, cri_watcher};
use crate::error::{Result, Status};
use crate::model::{CRI_EVENT_LOG, CRI_LOG_DEBUG, CRI_LOG_ERROR, CRI_SUBSCRIBE_LIVE_ONLY};

/// A function that takes a log message. The message is valid until the function returns.
pub type cri_log_fn = Option<unsafe extern "C" fn(level: u32, message: *const c_char, user_data: *mut c_void)>;

/// Calls a function for each log message of the watcher, on its own thread ("cri-log"). A watcher has at most one
/// log, set before the start.
///
/// @param watcher the watcher
/// @param max_level the least urgent level to report: CRI_LOG_ERROR, CRI_LOG_WARN, CRI_LOG_INFO or CRI_LOG_DEBUG
/// @param function is called with each message, never two calls at a time
/// @param user_data is passed to function and destroy; may be NULL
/// @param destroy is called with user_data exactly once: after the watcher has stopped and function has got the
/// last message, or, if cri_watcher_set_log fails, before it returns; may be NULL
/// @return CRI_OK; CRI_E_STATE after the start, or if a log is set already; CRI_E_STOPPED; CRI_E_OS if the system
/// refuses a thread or a descriptor; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Does not wait. O(1); makes one thread. cri_watcher_free waits until function has got the last message,
/// except inside a callback of the watcher.
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
