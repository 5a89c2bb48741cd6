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

/// A packer: a function that makes the rucksack of one container, and passes it to cri_rucksack_set. `container` is
/// the container as JSON, as under the key "container" of "criwatch.container/1". `inspection` is everything that
/// the engine knows about it, "criwatch.inspect/1". All arguments are valid until the function returns.
pub type cri_pack_fn = Option<
    unsafe extern "C" fn(
        container: *const c_char,
        inspection: *const c_char,
        rucksack: *const cri_rucksack,
        user_data: *mut c_void,
    ),
>;

/// Calls a function at the beginning of each run, on its own thread ("cri-pack"), to make the rucksack of the
/// container. A watcher has at most one packer, set before the start. CRI_EVENT_STARTED waits for the rucksack, at
/// most as long as the option packer.timeout_ms says. A later rucksack is reported by a CRI_EVENT_UPDATED with
/// CRI_CHANGED_RUCKSACK. A run that has ended by then gets none. The packer costs one verbose request to the engine
/// for each run. The values of environment variables are redacted, unless the option packer.show_env is set.
///
/// @param watcher the watcher
/// @param function is called for each run, never two calls at a time
/// @param user_data is passed to function and destroy; may be NULL
/// @param destroy is called with user_data exactly once: after the watcher has stopped and the last call of
/// function has returned, or, if cri_watcher_set_packer fails, before it returns; may be NULL
/// @return CRI_OK; CRI_E_STATE after the start, or if a packer is set already; CRI_E_STOPPED; CRI_E_OS if the
/// system refuses a thread; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Does not wait. O(1); makes one thread. cri_watcher_free waits for the call in progress, except inside a
/// callback of the watcher.
#[ffi_export]
#[must_use]
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

/// Gives a container a rucksack without a packer. When the call returns, all answers show the rucksack. A
/// CRI_EVENT_UPDATED with CRI_CHANGED_RUCKSACK reports it.
///
/// @param watcher the watcher
/// @param id_or_name an id, "namespace/pod/container" (for a sandbox "namespace/pod"), a container name, a pod name, or
/// an id prefix of at least 6 hex digits
/// @param json the rucksack, which is copied; NULL: removes the rucksack
/// @return CRI_OK; CRI_E_NOT_READY before the first lists are in the cache; CRI_E_NOT_FOUND; CRI_E_AMBIGUOUS, with
/// the candidates in the message; CRI_E_INVALID_ARGUMENT, also if json is not valid JSON; CRI_E_STOPPED,
/// CRI_E_FORKED
/// @note Blocks until the library's thread has stored the rucksack. That thread does not wait for the engine.
#[ffi_export]
#[must_use]
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
