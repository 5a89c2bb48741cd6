//! Memory
//!
//! Answers from memory. They never wait for the engine, and say in "asOf" and "state" how fresh they are.

#![forbid(unsafe_code)]

use safer_ffi::prelude::*;

use super::guard::{Text, fill, infallible, optional_text};
use super::watcher::live;
use super::{cri_buffer, cri_error, cri_watcher};
use crate::error::{Result, Status};
use crate::model::JsonText;

/// Lists what runs: containers and ready sandboxes. All callers of one generation share one text.
///
/// @param watcher the watcher
/// @param query JSON that selects, or selects more; NULL: everything that runs
/// @param out receives JSON, "criwatch.containers/1"; free with cri_buffer_free
/// @return CRI_OK; CRI_E_NOT_READY before the first lists are in, never an empty list; CRI_E_QUERY, CRI_E_FORKED,
/// CRI_E_INVALID_ARGUMENT
/// @note Never blocks.
#[ffi_export]
pub extern "C" fn cri_watcher_list(
    watcher: Option<&cri_watcher>,
    query: Text<'_>,
    out: Option<&mut cri_buffer>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    fill(out, err, || list(watcher, query))
}

fn list(watcher: Option<&cri_watcher>, query: Text<'_>) -> Result<JsonText> {
    live(watcher)?.list(optional_text(query, "query")?)
}

/// A number that grows whenever the picture changes: while it stays, a list stays the same.
///
/// @param watcher the watcher; NULL, or in a forked child: 0
/// @return the generation; 0 before there is a picture
/// @note Never blocks.
#[ffi_export]
pub extern "C" fn cri_watcher_generation(watcher: Option<&cri_watcher>) -> u64 {
    infallible(0, || live(watcher).map_or(0, |w| w.generation()))
}

/// Tells which engine this is: its name, version, id and pid, and how changes are noticed.
///
/// @param watcher the watcher
/// @param out receives JSON, "criwatch.engine/1"; free with cri_buffer_free
/// @return CRI_OK, CRI_E_NOT_READY, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Never blocks.
#[ffi_export]
pub extern "C" fn cri_watcher_engine_info(
    watcher: Option<&cri_watcher>,
    out: Option<&mut cri_buffer>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    fill(out, err, || live(watcher)?.engine_info())
}
