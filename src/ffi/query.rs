//! Memory
//!
//! Answers from memory. They never wait for the engine, and say in "asOf" and "state" how fresh they are. What each kind
//! of JSON has, and its schema: docs/json.md.
//!
//! A query is a JSON object that says what to show. Every key is optional, and all that are given have to hold:
//!
//! - "states": an array of "created", "running", "exited", "unknown"; otherwise what runs is shown.
//! - "all": true shows what the engine has in any state; it stands in for "states".
//! - "gone": true shows, besides, the remembered dead, which the engine no longer has.
//! - "kind": "container" or "sandbox".
//! - "namespace", "pod" (name or id), "uid", "name": exactly these. A sandbox has its pod's name.
//! - "selector": a Kubernetes label selector: app=web, tier!=db, env in (a, b), env notin (a), app, !app, weight>5,
//!   joined by commas. It looks at the container's labels in the merged view (see CRI_LABEL_POD_NAME and so on), and
//!   where these lack a key, at the labels of its pod.
//! - "fields": an array of keys: of each container only these are shown, and "id".
//! - "ifGeneration": a number: CRI_NONE, and no text, if that is still the generation.
//!
//! Everything else is CRI_E_QUERY; the message names the key, the value and what is allowed.

#![forbid(unsafe_code)]

use safer_ffi::prelude::*;

use super::guard::{Text, fill, fill_if, infallible, optional_text, text};
use super::watcher::live;
use super::{cri_buffer, cri_error, cri_watcher};
use crate::error::{Result, Status};
use crate::model::JsonText;

/// Lists what runs: containers and ready sandboxes. All callers of one generation share one text.
///
/// @param watcher the watcher
/// @param query what to show, as JSON; NULL: everything that runs
/// @param out receives JSON, "criwatch.containers/1"; free with cri_buffer_free
/// @return CRI_OK; CRI_NONE for the query's "ifGeneration"; CRI_E_NOT_READY before the first lists are in, never an
/// empty list; CRI_E_QUERY, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Never blocks.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_list(
    watcher: Option<&cri_watcher>,
    query: Text<'_>,
    out: Option<&mut cri_buffer>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    fill_if(out, err, || live(watcher)?.list(optional_text(query, "query")?))
}

/// Lists pods, each with those of its containers that the query selects, the sandbox among them. A pod without any is
/// not shown, nor is a container whose pod is not known yet.
///
/// @param watcher the watcher
/// @param query which containers to show, as JSON; NULL: everything that runs
/// @param out receives JSON, "criwatch.pods/1"; free with cri_buffer_free
/// @return CRI_OK; CRI_NONE for the query's "ifGeneration"; CRI_E_NOT_READY before the first lists are in; CRI_E_QUERY,
/// CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Never blocks.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_pods(
    watcher: Option<&cri_watcher>,
    query: Text<'_>,
    out: Option<&mut cri_buffer>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    fill_if(out, err, || live(watcher)?.pods(optional_text(query, "query")?))
}

/// Shows one container or sandbox, in whatever state, also of the remembered dead (see the options tombstones.keep_ms
/// and tombstones.max). Of the attempts under one name the running one is meant, else the newest.
///
/// @param watcher the watcher
/// @param id_or_name an id, "namespace/pod/container" (of a sandbox "namespace/pod"), a container's name, or at least 6
/// hex digits that an id begins with: the first of these that finds anything
/// @param out receives JSON, "criwatch.container/1"; free with cri_buffer_free
/// @return CRI_OK; CRI_E_NOT_FOUND; CRI_E_AMBIGUOUS, with the candidates in the message; CRI_E_NOT_READY before the first
/// lists are in; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Never blocks.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_get(
    watcher: Option<&cri_watcher>,
    id_or_name: Text<'_>,
    out: Option<&mut cri_buffer>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    fill(out, err, || get(watcher, id_or_name))
}

fn get(watcher: Option<&cri_watcher>, id_or_name: Text<'_>) -> Result<JsonText> {
    live(watcher)?.get(text(id_or_name, "id_or_name")?)
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

/// Tells which engine this is: its name, version, id and pid, and how changes are noticed. What is not known yet, as before
/// the first connection, is absent.
///
/// @param watcher the watcher
/// @param out receives JSON, "criwatch.engine/1"; free with cri_buffer_free
/// @return CRI_OK, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Never blocks.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_engine_info(
    watcher: Option<&cri_watcher>,
    out: Option<&mut cri_buffer>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    fill(out, err, || live(watcher)?.engine_info())
}

/// Tells what the watcher did so far, in numbers: how often each RPC was called and how long that took, how late events
/// come, lists, failures, losses.
///
/// @param watcher the watcher
/// @param out receives JSON, "criwatch.stats/1"; free with cri_buffer_free
/// @return CRI_OK, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Never blocks.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_stats(
    watcher: Option<&cri_watcher>,
    out: Option<&mut cri_buffer>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    fill(out, err, || live(watcher)?.stats())
}
