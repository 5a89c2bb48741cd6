//! Cache
//!
//! These functions answer from the cache and never wait for the engine. Each answer says how fresh it is: "asOf" is
//! the time of the newest full list, and "state" the state of the watcher. docs/json.md describes each kind of
//! JSON.
//!
//! A query is a JSON object that selects what to show. All keys are optional. If several are given, all of them
//! apply:
//!
//! - "states": an array of "created", "running", "exited", "unknown". Without it, only running containers are
//!   shown.
//! - "all": true shows containers in every state. It replaces "states".
//! - "gone": true also shows containers that the engine no longer has, as long as the watcher remembers them.
//! - "kind": "container" or "sandbox".
//! - "namespace", "uid", "name": the exact value. A sandbox has the name of its pod.
//! - "pod": a name, "namespace/name", an id, or an id prefix of at least 6 hex digits.
//! - "selector": a Kubernetes label selector. It has one or more of these terms, separated by commas: app=web,
//!   tier!=db, env in (a, b), env notin (a), app, !app, weight>5. It reads the labels that JSON shows for the
//!   container, with CRI_LABEL_POD_NAME and the other label constants. For other keys it reads the labels of the
//!   pod.
//! - "fields": an array of keys. Each container is shown with these keys and "id" only.
//! - "attributes": "otel", "falco" or "ecs". Each container is shown with an object "attributes", which has the keys
//!   and values of cri_container_attributes. "none": without this object. This key overrides the option attributes,
//!   which applies to all JSON.
//! - "ifGeneration": a generation. If the cache still has this generation, the call returns CRI_NONE and no text.
//!
//! Anything else is CRI_E_QUERY. The message names the key, the value and what is allowed.

#![forbid(unsafe_code)]

use safer_ffi::prelude::*;

use super::arguments::{Text, optional_text, text};
use super::guard::{fill, fill_if};
use super::panics::infallible;
use super::watcher::{live, unheld};
use super::{cri_buffer, cri_error, cri_watcher};
use crate::error::{Result, Status};
use crate::model::JsonText;
use crate::watcher::Watcher;

/// Lists the running containers and ready sandboxes, or what the query selects.
///
/// @param watcher the watcher
/// @param query the query, as JSON; NULL: everything that runs
/// @param out receives JSON, "criwatch.containers/1"; free with cri_buffer_free
/// @return CRI_OK; CRI_NONE if the query's "ifGeneration" still holds; CRI_E_NOT_READY, never an empty list, before
/// the first lists are in the cache; CRI_E_QUERY, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Does not wait for the engine. O(n), to write the text. Without a query, calls share one text as long as somebody
/// holds it and neither the cache nor "asOf" changes. The first call writes it, and calls from other threads may wait
/// for that.
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

/// Lists pods, each with those of its containers and sandboxes that the query selects. It leaves out a pod without
/// any of them, and a container whose pod is not known yet.
///
/// @param watcher the watcher
/// @param query which containers to show, as JSON; NULL: everything that runs
/// @param out receives JSON, "criwatch.pods/1"; free with cri_buffer_free
/// @return CRI_OK; CRI_NONE if the query's "ifGeneration" still holds; CRI_E_NOT_READY before the first lists are
/// in the cache; CRI_E_QUERY, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Does not wait for the engine. Costs as much as cri_watcher_list.
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

/// Returns one container or sandbox as JSON, in any state. It also finds containers that the engine no longer has,
/// as long as the watcher remembers them (options tombstones.keep_ms and tombstones.max). If several attempts have
/// the same name, it returns the running one, otherwise the newest one.
///
/// @param watcher the watcher
/// @param id_or_name an id, "namespace/pod/container" (for a sandbox "namespace/pod"), a container name, a pod name, or
/// an id prefix of at least 6 hex digits; the library tries these in this order and takes the first that finds anything
/// @param out receives JSON, "criwatch.container/1"; free with cri_buffer_free
/// @return CRI_OK; CRI_E_NOT_FOUND; CRI_E_AMBIGUOUS, with the candidates in the message; CRI_E_NOT_READY before the
/// first lists are in the cache; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Does not wait for the engine. It costs as much as cri_snapshot_find, and writes one container.
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

/// Returns the generation, a number that grows with every change of the cache. While it stays the same, lists stay
/// the same.
///
/// @param watcher the watcher; NULL, or in a forked child: 0
/// @return the generation; 0 before the first lists are in the cache
/// @note Does not wait for the engine. O(1).
#[ffi_export]
pub extern "C" fn cri_watcher_generation(watcher: Option<&cri_watcher>) -> u64 {
    infallible(0, || unheld(watcher).map_or(0, Watcher::generation))
}

/// Describes the engine: its name, version, id and pid, and how the watcher notices changes. Facts that are not
/// known yet, such as before the first connection, are left out.
///
/// @param watcher the watcher
/// @param out receives JSON, "criwatch.engine/1"; free with cri_buffer_free
/// @return CRI_OK, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Does not wait for the engine. O(1).
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_engine_info(
    watcher: Option<&cri_watcher>,
    out: Option<&mut cri_buffer>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    fill(out, err, || live(watcher)?.engine_info())
}

/// Reports statistics of the watcher: the number and duration of requests for each RPC, the delay of events, and
/// the numbers of lists, failures and lost events.
///
/// @param watcher the watcher
/// @param out receives JSON, "criwatch.stats/1"; free with cri_buffer_free
/// @return CRI_OK, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Does not wait for the engine. O(1).
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_stats(
    watcher: Option<&cri_watcher>,
    out: Option<&mut cri_buffer>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    fill(out, err, || live(watcher)?.stats())
}

/// Returns the statistics in the text format of OpenMetrics 1.0, which Prometheus reads. Serve it with the content type
/// "application/openmetrics-text; version=1.0.0; charset=utf-8". All names begin with "criwatch_"; docs/metrics.md
/// lists them. Later versions only add names and labels.
///
/// @param watcher the watcher, started or not
/// @param out receives the text, which ends with "# EOF" and a line feed; free with cri_buffer_free
/// @return CRI_OK, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Does not wait for the engine. O(1).
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_metrics(
    watcher: Option<&cri_watcher>,
    out: Option<&mut cri_buffer>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    fill(out, err, || live(watcher)?.metrics())
}
