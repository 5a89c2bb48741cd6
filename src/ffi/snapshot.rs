//! Snapshots
//!
//! The picture at one moment, as records: it does not change while it is read, and shares its records with everybody
//! else. A snapshot costs no more than a pointer while the picture has not changed; what a record shows is built once
//! for each version of a container.

#![forbid(unsafe_code)]

use safer_ffi::prelude::*;

use super::guard::{Text, given, infallible, make, run, text};
use super::handle::{Handle, Opaque, held, taken};
use super::raw::snapshot;
use super::watcher::live;
use super::{cri_container, cri_error, cri_pod, cri_watcher};
use crate::error::{Result, Status};

/// A picture at one moment. Immutable.
#[derive_ReprC]
#[repr(opaque)]
pub struct cri_snapshot {
    pub(super) handle: Handle,
}

/// Takes a snapshot.
///
/// @param watcher the watcher
/// @param out receives it; free with cri_snapshot_free. It outlives the watcher
/// @return CRI_OK; CRI_E_NOT_READY before the first lists are in, never an empty snapshot; CRI_E_FORKED,
/// CRI_E_INVALID_ARGUMENT
/// @note Never blocks.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_snapshot(
    watcher: Option<&cri_watcher>,
    out: Option<&mut *mut cri_snapshot>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    make(out, err, || live(watcher)?.snapshot())
}

/// The generation that it shows: while cri_watcher_generation answers the same, there is nothing newer.
///
/// @param snapshot the snapshot; NULL: 0
/// @return the generation
/// @note Never blocks.
#[ffi_export]
pub extern "C" fn cri_snapshot_generation(snapshot: Option<&cri_snapshot>) -> u64 {
    snapshot.and_then(Opaque::get).map_or(0, |s| s.generation())
}

/// Everything that runs: containers and ready sandboxes, sorted by namespace, pod and name; in a pod the sandbox comes
/// first. Containers whose pod is not known yet come before all others.
///
/// @param snapshot the snapshot
/// @param out receives an array of records, which is the snapshot's; cri_container_ref keeps one for longer
/// @param len receives how many there are
/// @return CRI_OK, CRI_E_INVALID_ARGUMENT
/// @note Never blocks.
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

/// The pods in which something runs, if only the sandbox, sorted by namespace and name.
///
/// @param snapshot the snapshot
/// @param out receives an array of records, which is the snapshot's
/// @param len receives how many there are
/// @return CRI_OK, CRI_E_INVALID_ARGUMENT
/// @note Never blocks.
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

/// Finds one container or sandbox, in whatever state, also among the remembered dead.
///
/// @param snapshot the snapshot
/// @param id_or_name as for cri_watcher_get
/// @param out receives the record, which is the snapshot's; cri_container_ref keeps it for longer
/// @return CRI_OK; CRI_E_NOT_FOUND; CRI_E_AMBIGUOUS, with the candidates in the message; CRI_E_INVALID_ARGUMENT
/// @note Never blocks.
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

/// Frees a snapshot, and with it the records that nobody else holds.
///
/// @param snapshot the snapshot; NULL: nothing happens
/// @note Never blocks.
#[ffi_export]
pub extern "C" fn cri_snapshot_free(snapshot: Option<repr_c::Box<cri_snapshot>>) {
    infallible((), || drop(taken::<cri_snapshot>(snapshot)))
}
