//! Rucksacks
//!
//! A rucksack is JSON of the program's own that the record of a container carries. A packer makes one for each life; or
//! the program attaches one when it likes.

#![forbid(unsafe_code)]

use std::ffi::c_void;
use std::sync::{Mutex, PoisonError};

use safer_ffi::c_char;
use safer_ffi::prelude::*;

use super::guard::{Text, given, optional_text, run, text};
use super::handle::{Handle, held};
use super::raw::callback::{Callback, Task};
use super::watcher::live;
use super::{cri_destroy_fn, cri_error, cri_watcher};
use crate::error::{Result, Status};
use crate::model::JsonText;
use crate::sync::Job;

/// Where a packer puts the rucksack of one container.
#[derive_ReprC]
#[repr(opaque)]
pub struct cri_rucksack {
    pub(super) handle: Handle,
}

/// A rucksack that is being packed.
pub(super) struct Rucksack {
    job: Job,
    packed: Mutex<Result<Option<JsonText>>>,
}

impl Rucksack {
    pub(super) fn new(job: Job) -> Self {
        Rucksack { job, packed: Mutex::new(Ok(None)) }
    }

    pub(super) fn job(&self) -> &Job {
        &self.job
    }

    /// The packer has returned.
    pub(super) fn done(self) {
        self.job.done(self.packed.into_inner().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Packs one rucksack: looks at the container ("container" of "criwatch.container/1") and at all that the engine says of it
/// ("criwatch.inspect/1"), and calls cri_rucksack_set. Everything is borrowed: it is gone when the function returns.
pub type cri_pack_fn = Option<
    unsafe extern "C" fn(
        container: *const c_char,
        inspection: *const c_char,
        rucksack: *const cri_rucksack,
        user_data: *mut c_void,
    ),
>;

/// Calls a function for each life that begins, on a thread of its own ("cri-pack"), to make the container's rucksack. The
/// CRI_EVENT_STARTED waits for it, at most for the option packer.timeout_ms; a later rucksack is told by a
/// CRI_EVENT_UPDATED with CRI_CHANGED_RUCKSACK. What has ended by then gets none. To be set before the start, and once.
/// It costs a verbose request to the engine for each container. Values of environment variables are redacted, unless the
/// option packer.show_env is set.
///
/// @param watcher the watcher
/// @param function is called for each life, never twice at a time
/// @param user_data is handed to function and destroy as it is; may be NULL
/// @param destroy is called with user_data exactly once: when the watcher has been stopped and the last call has
/// returned, or before a failed cri_watcher_set_packer returns; may be NULL
/// @return CRI_OK; CRI_E_STATE after the start, or when there is one already; CRI_E_STOPPED; CRI_E_OS when there is no
/// thread to be had; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Never blocks. cri_watcher_free waits for the call under way, except inside a callback of the watcher.
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
        || Ok((Task::Pack { desk: alive.packers_desk()?, function }, callback)),
    )
}

/// Sets the rucksack. Only inside the packer that was given it; the last word counts, and without one there is none.
///
/// @param rucksack where to put it
/// @param json the rucksack, which is copied; NULL: none
/// @return CRI_OK; CRI_E_INVALID_ARGUMENT for what is no JSON, which is logged, too
/// @note Never blocks.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_rucksack_set(
    rucksack: Option<&cri_rucksack>,
    json: Text<'_>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    run(err, || set(rucksack, json))
}

fn set(rucksack: Option<&cri_rucksack>, json: Text<'_>) -> Result<()> {
    let rucksack = held(rucksack, "rucksack")?;
    let packed = optional_text(json, "json").and_then(|json| json.map(JsonText::checked).transpose());
    *rucksack.packed.lock().unwrap_or_else(PoisonError::into_inner) = packed.clone();
    packed.map(drop)
}

/// Gives a container a rucksack without a packer. It is told by a CRI_EVENT_UPDATED with CRI_CHANGED_RUCKSACK, and is there
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
