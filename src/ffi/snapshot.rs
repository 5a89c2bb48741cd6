//! Snapshots
//!
//! A snapshot is the cache at one moment, as records. It never changes, and it shares its records with events and
//! other snapshots. While the cache does not change, all snapshots share the same memory. A record is built once
//! for each version of a container.

#![forbid(unsafe_code)]

use std::sync::Arc;

use safer_ffi::prelude::*;

use super::arguments::{Text, given, optional_text, text};
use super::guard::{make, make_if, run};
use super::handle::{Handle, Opaque, held, opaque, taken};
use super::panics::infallible;
use super::raw::snapshot;
use super::watcher::live;
use super::{cri_container, cri_error, cri_pod, cri_watcher};
use crate::error::{Result, Status};
use crate::portfolio::{Query, Snapshot};

/// The cache at one moment. It never changes.
#[derive_ReprC]
#[repr(opaque)]
pub struct cri_snapshot {
    handle: Handle<Arc<Snapshot>>,
}

opaque!(cri_snapshot: Arc<Snapshot>);

/// Takes a snapshot.
///
/// @param watcher the watcher
/// @param out receives the snapshot; free with cri_snapshot_free. It may outlive the watcher.
/// @return CRI_OK; CRI_E_NOT_READY, never an empty snapshot, before the first lists are in the cache; CRI_E_FORKED,
/// CRI_E_INVALID_ARGUMENT
/// @note Does not wait. O(1): the snapshot shares its memory with the cache, and with other snapshots.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_snapshot(
    watcher: Option<&cri_watcher>,
    out: Option<&mut *mut cri_snapshot>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    make(out, err, || live(watcher)?.snapshot())
}

/// Selects from a snapshot. The selection is a snapshot of its own: it has the containers that the query selects, in any
/// state, in the same order, and their pods.
///
/// @param snapshot the snapshot
/// @param query what to select, as JSON (see "Cache"); NULL: everything that runs. The key "fields" has no effect:
/// records are whole
/// @param out receives the selection; free it with cri_snapshot_free. It may outlive the snapshot and the watcher
/// @return CRI_OK; CRI_NONE if the query's "ifGeneration" still holds; CRI_E_QUERY, CRI_E_INVALID_ARGUMENT
/// @note Does not wait. O(n).
#[ffi_export]
#[must_use]
pub extern "C" fn cri_snapshot_select(
    snapshot: Option<&cri_snapshot>,
    query: Text<'_>,
    out: Option<&mut *mut cri_snapshot>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    make_if(out, err, || select(held(snapshot, "snapshot")?, query))
}

fn select(snapshot: &Snapshot, query: Text<'_>) -> Result<Option<Arc<Snapshot>>> {
    let query = Query::parse(optional_text(query, "query")?)?;
    Ok((!query.is_satisfied_by(snapshot.generation())).then(|| Arc::new(snapshot.selection(&query))))
}

/// Returns the generation of a snapshot. While cri_watcher_generation returns the same number, the snapshot is up
/// to date.
///
/// @param snapshot the snapshot; NULL: 0
/// @return the generation
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_snapshot_generation(snapshot: Option<&cri_snapshot>) -> u64 {
    snapshot.and_then(Opaque::get).map_or(0, |s| s.generation())
}

/// Returns all running containers and ready sandboxes, sorted by namespace, pod and name. In a pod, the sandbox
/// comes first. Containers whose pod is not known yet come before all others.
///
/// @param snapshot the snapshot
/// @param out receives an array of records, which belongs to the snapshot; cri_container_ref keeps a record for
/// longer
/// @param len receives the length of the array
/// @return CRI_OK, CRI_E_INVALID_ARGUMENT
/// @note Does not wait for the engine. The first call for a snapshot builds the records of changed containers, and
/// copies one pointer for each container: O(n), a few nanoseconds each. Calls from other threads may wait for it.
/// Further calls cost O(1). A program that follows events does not need this call for each event: the event has the
/// record of its container, and cri_snapshot_find finds any other record in O(1).
#[ffi_export]
#[must_use]
pub extern "C" fn cri_snapshot_containers(
    snapshot: Option<&cri_snapshot>,
    out: Option<&mut *const *const cri_container>,
    len: Option<&mut usize>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    run(err, || {
        let (snapshot, out, len) = (held(snapshot, "snapshot")?, given(out, "out")?, given(len, "len")?);
        (*out, *len) = snapshot::containers(snapshot);
        Ok(())
    })
}

/// Returns the pods in which a container or the sandbox runs, sorted by namespace and name.
///
/// @param snapshot the snapshot
/// @param out receives an array of records, which belongs to the snapshot
/// @param len receives the length of the array
/// @return CRI_OK, CRI_E_INVALID_ARGUMENT
/// @note Does not wait for the engine. The first call for a generation builds the records of changed pods, and the
/// array: O(n). Calls from other threads may wait for it. Further calls cost O(1).
#[ffi_export]
#[must_use]
pub extern "C" fn cri_snapshot_pods(
    snapshot: Option<&cri_snapshot>,
    out: Option<&mut *const *const cri_pod>,
    len: Option<&mut usize>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    run(err, || {
        let (snapshot, out, len) = (held(snapshot, "snapshot")?, given(out, "out")?, given(len, "len")?);
        (*out, *len) = snapshot::pods(snapshot);
        Ok(())
    })
}

/// Finds one container or sandbox, in any state. It finds the same ones as cri_watcher_get.
///
/// @param snapshot the snapshot
/// @param id_or_name as for cri_watcher_get
/// @param out receives the record, which belongs to the snapshot; cri_container_ref keeps it for longer
/// @return CRI_OK; CRI_E_NOT_FOUND; CRI_E_AMBIGUOUS, with the candidates in the message; CRI_E_INVALID_ARGUMENT
/// @note Does not wait for the engine. O(1) by id; by name, O(number of containers with that name); O(n) by an id
/// prefix. The first lookup in a snapshot adds the changes since the last one to an index, or sometimes builds the
/// index anew: O(n).
#[ffi_export]
#[must_use]
pub extern "C" fn cri_snapshot_find(
    snapshot: Option<&cri_snapshot>,
    id_or_name: Text<'_>,
    out: Option<&mut *const cri_container>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    run(err, || find(snapshot, id_or_name, out))
}

fn find(snapshot: Option<&cri_snapshot>, id_or_name: Text<'_>, out: Option<&mut *const cri_container>) -> Result<()> {
    let (snapshot, out) = (held(snapshot, "snapshot")?, given(out, "out")?);
    *out = snapshot::record(snapshot.find(text(id_or_name, "id_or_name")?)?);
    Ok(())
}

/// Frees a snapshot, and with it the records that nothing else uses.
///
/// @param snapshot the snapshot; NULL: does nothing
/// @note Never blocks. O(1), or O(n) if no other snapshot shares its memory.
#[ffi_export]
pub extern "C" fn cri_snapshot_free(snapshot: Option<repr_c::Box<cri_snapshot>>) {
    infallible((), || drop(taken::<cri_snapshot>(snapshot)))
}
