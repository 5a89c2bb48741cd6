//! How rucksacks are made: by a packer, or by the program at any time.

#![forbid(unsafe_code)]

use std::ffi::c_void;

use safer_ffi::c_char;
use safer_ffi::prelude::*;

use super::arguments::{Text, given, optional_text, text};
use super::guard::run;
use super::handle::held;
use super::raw::callback::{Callback, Task};
use super::watcher::live;
use super::{cri_destroy_fn, cri_error, cri_rucksack, cri_watcher};
use crate::error::{Result, Status};

/// PackerRequests one rucksack: looks at the container ("container" of "criwatch.container/1") and at all that the engine says of it
/// ("criwatch.inspect/1"), and calls cri_rucksack_set. Everything is borrowed: it is gone when the function returns.
pub type cri_pack_fn = Option<
    unsafe extern "C" fn(
        container: *const c_char,
        inspection: *const c_char,
        rucksack: *const cri_rucksack,
        user_data: *mut c_void,
    ),
>;

/// Calls a function for each run that begins, on a thread of its own ("cri-pack"), to make the container's rucksack. The
/// CRI_EVENT_STARTED waits for it, at most for the option packer.timeout_ms; a later rucksack is reported by a
/// CRI_EVENT_UPDATED with CRI_CHANGED_RUCKSACK. What has ended by then gets none. To be set before the start, and once.
/// It costs a verbose request to the engine for each container. Values of environment variables are redacted, unless the
/// option packer.show_env is set.
///
/// @param watcher the watcher
/// @param function is called for each run, never twice at a time
/// @param user_data is handed to function and destroy as it is; may be NULL
/// @param destroy is called with user_data exactly once: when the watcher has been stopped and the last call has
/// returned, or before a failed cri_watcher_set_packer returns; may be NULL
/// @return CRI_OK; CRI_E_STATE after the start, or when there is one already; CRI_E_STOPPED; CRI_E_OS when there is no
/// thread to be had; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Never blocks. cri_watcher_free waits for the call under way, except inside a callback of the watcher.
#[ffi_export]
pub extern "C" fn cri_watcher_set_packer(
    watcher: Option<&cri_watcher>,
    function: cri_pack_fn,
    user_data: *mut c_void,
    destroy: cri_destroy_fn,
    err: Option<&mut *mut cri_error>,
) -> Status {
    set_packer(watcher, function, Callback::new(user_data, destroy), err)
}

fn set_packer(
    watcher: Option<&cri_watcher>,
    function: cri_pack_fn,
    callback: Callback,
    err: Option<&mut *mut cri_error>,
) -> Status {
    callback.destroy_if_refused(run(err, || try_set_packer(watcher, function, callback)))
}

fn try_set_packer(watcher: Option<&cri_watcher>, function: cri_pack_fn, callback: Callback) -> Result<()> {
    let (alive, function) = (live(watcher)?, given(function, "function")?);
    held(watcher, "watcher")?.employ(
        "set_packer",
        |helpers| &mut helpers.packer,
        || Ok((Task::Pack { packer_queue: alive.packer_queue()?, function }, callback)),
    )
}

/// Gives a container a rucksack without a packer. It is reported by a CRI_EVENT_UPDATED with CRI_CHANGED_RUCKSACK, and is there
/// for everybody who reads after this has returned.
///
/// @param watcher the watcher
/// @param id_or_name an id, "namespace/pod/container", a container's name, or at least 6 hex digits that an id begins
/// with
/// @param json the rucksack, which is copied; NULL takes away what is there
/// @return CRI_OK; CRI_E_NOT_READY before the first lists are in; CRI_E_NOT_FOUND; CRI_E_AMBIGUOUS, with the candidates in
/// the message; CRI_E_INVALID_ARGUMENT, also for what is no JSON; CRI_E_STOPPED, CRI_E_FORKED
/// @note Waits for the library's own thread, which waits for nothing else.
#[ffi_export]
pub extern "C" fn cri_watcher_attach(
    watcher: Option<&cri_watcher>,
    id_or_name: Text<'_>,
    json: Text<'_>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    run(err, || attach(watcher, id_or_name, json))
}

fn attach(watcher: Option<&cri_watcher>, id_or_name: Text<'_>, json: Text<'_>) -> Result<()> {
    live(watcher)?.attach(text(id_or_name, "id_or_name")?, optional_text(json, "json")?)
}
