//! Lookups
//!
//! Whose process is this? A lookup finds the container by what the kernel knows: a pid, the id or path of a cgroup, or
//! the inode of a namespace. It is fast enough for a program that traces system calls. docs/lookups.md has an example,
//! and says which key to use when.
//!
//! Each lookup returns one of these:
//!
//! - CRI_OK: `*out` is the container. It is the pod's sandbox if the key belongs to a pod but to none of its containers
//!   (the pod's own cgroup, or a namespace that the pod's containers share).
//! - CRI_NONE: the key belongs to the host, and not to a container of this engine. The library has proof of that;
//!   without proof, a lookup never returns CRI_NONE. The cgroups of conmon and of mount units have the id of a
//!   container in their names, and belong to the host.
//! - CRI_AGAIN: the key belongs to a container or a pod that the snapshot does not have. Take a new snapshot, or use
//!   cri_watcher_lookup_pid or cri_watcher_lookup_cgroup, which wait. A container of another engine gives CRI_AGAIN,
//!   too.
//! - CRI_E_NOT_FOUND: there is no such process or cgroup, or no known running container is in the namespace.
//! - CRI_E_PERMISSION, CRI_E_OS: the kernel refused the answer.
//! - CRI_E_UNSUPPORTED: this host, or this program's own cgroup namespace, hides the answer; the message says what
//!   helps.
//! - CRI_E_INVALID_ARGUMENT: the argument is not a pid, a path or a kind of namespace.
//!
//! Lookups that wait can also return CRI_E_NOT_READY, CRI_E_STOPPED and CRI_E_FORKED.
//!
//! A lookup in a snapshot takes no lock, and makes no error object if `err` is NULL. The first lookup of each kind in a
//! snapshot builds an index, O(n).

#![forbid(unsafe_code)]

use safer_ffi::c_char;
use safer_ffi::prelude::*;

use super::arguments::{Text, given, invalid, text, timeout};
use super::guard::{entry, run};
use super::handle::{Opaque, held};
use super::raw::{found, snapshot as records};
use super::watcher::live;
use super::{cri_container, cri_error, cri_snapshot, cri_watcher};
use crate::error::{CRI_AGAIN, CRI_NONE, CRI_OK, Result, Status};
use crate::host::namespace::NamespaceKind;
use crate::model::*;
use crate::portfolio::{Place, Snapshot, Unproven};
use crate::watcher::Owned;

/// Finds the container to which a cgroup belongs, by the cgroup's id: what eBPF's bpf_get_current_cgroup_id returns on
/// cgroup v2. It also finds containers that have ended, as long as the watcher remembers them. After CRI_AGAIN for an
/// id, a later call can find the container even if the cgroup is gone by then: the watcher remembers the newest 1,024
/// such ids.
///
/// @param snapshot the snapshot
/// @param cgroup_id the id of a cgroup in the v2 hierarchy
/// @param out receives the record, which belongs to the snapshot; cri_container_ref keeps it for longer
/// @return CRI_OK; CRI_NONE; CRI_AGAIN; CRI_E_NOT_FOUND; CRI_E_PERMISSION without CAP_DAC_READ_SEARCH, except for a
/// container's own cgroup; CRI_E_UNSUPPORTED on a host without cgroup v2, and on a host with both versions if the
/// cgroup is not a container's; CRI_E_OS, CRI_E_INVALID_ARGUMENT
/// @note Does not wait. A container's own cgroup: a few ns. Another cgroup: some system calls, a few microseconds.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_snapshot_find_cgroup(
    snapshot: Option<&cri_snapshot>,
    cgroup_id: u64,
    mut out: Option<&mut *const cri_container>,
    mut err: Option<&mut *mut cri_error>,
) -> Status {
    let known = |snapshot: &Snapshot| snapshot.known_cgroup(cgroup_id).and_then(found::known);
    if known_at_once(snapshot, &mut out, &mut err, known) {
        return CRI_OK;
    }
    let what = || format!("cgroup {cgroup_id}");
    answer(snapshot, out, err, what, |snapshot| snapshot.place_of_cgroup(cgroup_id))
}

/// Finds the container to which a process belongs: any process or thread, not only the first one.
///
/// @param snapshot the snapshot
/// @param pid the pid, as the /proc below the option host.root shows it; 0 (the kernel's idle task) gives CRI_NONE
/// @param start_ticks the start time of the process, in clock ticks since boot (field 22 of /proc/PID/stat): a pid that
/// another process has got meanwhile is not found; 0: the process that has the pid now
/// @param out receives the record, which belongs to the snapshot; cri_container_ref keeps it for longer
/// @return CRI_OK; CRI_NONE; CRI_AGAIN; CRI_E_NOT_FOUND if there is no such process; CRI_E_UNSUPPORTED for processes in this
/// program's own cgroup namespace; CRI_E_PERMISSION, CRI_E_OS, CRI_E_INVALID_ARGUMENT
/// @note Does not wait. The first process of a container, with start_ticks: a few ns. Any other: a few system calls, 1
/// to 8 microseconds. The library caches nothing by pid.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_snapshot_find_pid(
    snapshot: Option<&cri_snapshot>,
    pid: i32,
    start_ticks: u64,
    mut out: Option<&mut *const cri_container>,
    mut err: Option<&mut *mut cri_error>,
) -> Status {
    let known = |snapshot: &Snapshot| snapshot.known_process(pid, start_ticks).and_then(found::known);
    if pid > 0 && start_ticks != 0 && known_at_once(snapshot, &mut out, &mut err, known) {
        return CRI_OK;
    }
    answer(snapshot, out, err, || format!("pid {pid}"), |snapshot| snapshot.place_of_pid(pid, start_ticks))
}

/// Finds the container to which a cgroup belongs, by its path, as /proc/PID/cgroup or the cgroup file system shows it.
///
/// The deepest component that names a known container decides. So a container that systemd or Docker runs inside a
/// container belongs to the outer one.
///
/// @param snapshot the snapshot
/// @param path the path; it need not end with NUL
/// @param len its length, in bytes
/// @param out receives the record, which belongs to the snapshot; cri_container_ref keeps it for longer
/// @return CRI_OK; CRI_NONE; CRI_AGAIN; CRI_E_INVALID_ARGUMENT
/// @note Does not wait, and reads no file. O(length of the path).
#[ffi_export]
#[must_use]
pub extern "C" fn cri_snapshot_find_cgroup_path(
    snapshot: Option<&cri_snapshot>,
    path: *const c_char,
    len: usize,
    out: Option<&mut *const cri_container>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    entry(err, || {
        let (snapshot, out) = (held(snapshot, "snapshot")?, given(out, "out")?);
        let path = found::bytes(path, len).ok_or_else(|| invalid("path is NULL"))?;
        Ok(put(snapshot, snapshot.place_of_path(&String::from_utf8_lossy(path)), out))
    })
}

/// Finds the container, or the pod, to which a namespace belongs. It finds only what runs: the kernel may reuse the
/// number of a namespace as soon as the last process has left it.
///
/// @param snapshot the snapshot
/// @param kind CRI_NAMESPACE_NET and so on
/// @param inode the number in the link /proc/PID/ns/KIND
/// @param out receives the record, which belongs to the snapshot: the sandbox, if containers of its pod share the
/// namespace
/// @param sharing receives on CRI_OK how many running containers and sandboxes are in the namespace; may be NULL
/// @return CRI_OK; CRI_NONE: it is the host's own; CRI_E_NOT_FOUND if no known running container is in it;
/// CRI_E_UNSUPPORTED for a network namespace, if the engine has not reported whether the pod uses the host's, and this
/// program may read the network namespace of neither process 1 nor the engine; CRI_E_INVALID_ARGUMENT
/// @note Does not wait. A few ns.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_snapshot_find_namespace(
    snapshot: Option<&cri_snapshot>,
    kind: u32,
    inode: u64,
    out: Option<&mut *const cri_container>,
    sharing: Option<&mut usize>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    let what = || match namespace_kind(kind) {
        Ok(kind) => format!("{}:[{inode}]", kind.file()),
        Err(_) => format!("namespace of kind {kind}"),
    };
    answer(snapshot, out, err, what, |snapshot| {
        let (place, how_many) = snapshot.place_of_namespace(namespace_kind(kind)?, inode)?;
        if let (Place::At(_), Some(sharing)) = (place, sharing) {
            *sharing = how_many;
        }
        Ok(place)
    })
}

/// Does what cri_snapshot_find_cgroup does, for many ids in one call.
///
/// @param snapshot the snapshot
/// @param cgroup_ids an array of n ids
/// @param n how many
/// @param out an array for n records: receives the records, and NULL where the status is not CRI_OK
/// @param statuses an array for n statuses, each as cri_snapshot_find_cgroup returns it; NULL: none are wanted
/// @return CRI_OK, whatever the single statuses are; CRI_E_INVALID_ARGUMENT
/// @note Does not wait. Costs as much as n lookups.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_snapshot_find_cgroups(
    snapshot: Option<&cri_snapshot>,
    cgroup_ids: *const u64,
    n: usize,
    out: *mut *const cri_container,
    statuses: *mut Status,
    err: Option<&mut *mut cri_error>,
) -> Status {
    run(err, || {
        let snapshot = held(snapshot, "snapshot")?;
        let ids = found::slice(cgroup_ids, n).ok_or_else(|| invalid("cgroup_ids is NULL"))?;
        many(snapshot, ids, out, statuses, |_, id| snapshot.place_of_cgroup(*id))
    })
}

/// Does what cri_snapshot_find_pid does, for many pids in one call.
///
/// @param snapshot the snapshot
/// @param pids an array of n pids
/// @param start_ticks an array of n start times, as for cri_snapshot_find_pid; NULL: 0 for all
/// @param n how many
/// @param out as for cri_snapshot_find_cgroups
/// @param statuses as for cri_snapshot_find_cgroups
/// @return as cri_snapshot_find_cgroups
/// @note Does not wait. Costs as much as n lookups.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_snapshot_find_pids(
    snapshot: Option<&cri_snapshot>,
    pids: *const i32,
    start_ticks: *const u64,
    n: usize,
    out: *mut *const cri_container,
    statuses: *mut Status,
    err: Option<&mut *mut cri_error>,
) -> Status {
    run(err, || {
        let snapshot = held(snapshot, "snapshot")?;
        let pids = found::slice(pids, n).ok_or_else(|| invalid("pids is NULL"))?;
        let starts = found::slice(start_ticks, n).unwrap_or_default();
        let start = |i: usize| starts.get(i).copied().unwrap_or_default();
        many(snapshot, pids, out, statuses, |i, pid| snapshot.place_of_pid(*pid, start(i)))
    })
}

fn many<K>(
    snapshot: &Snapshot,
    keys: &[K],
    out: *mut *const cri_container,
    statuses: *mut Status,
    find: impl Fn(usize, &K) -> Result<Place, Unproven>,
) -> Result<()> {
    let out = found::slice_mut(out, keys.len()).ok_or_else(|| invalid("out is NULL"))?;
    let statuses = found::slice_mut(statuses, keys.len()).unwrap_or_default();
    for (i, (key, out)) in keys.iter().zip(out).enumerate() {
        *out = std::ptr::null();
        let status = find(i, key).map_or_else(Unproven::status, |place| put(snapshot, place, out));
        if let Some(place) = statuses.get_mut(i) {
            *place = status;
        }
    }
    Ok(())
}

/// Finds one container or sandbox, in any state: the same one as cri_watcher_get, as a record.
///
/// @param watcher the watcher
/// @param id_or_name as for cri_watcher_get
/// @param out receives the record; release it with cri_container_unref
/// @return CRI_OK; CRI_E_NOT_FOUND; CRI_E_AMBIGUOUS, with the candidates in the message; CRI_E_NOT_READY before the
/// first lists are in the cache; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Does not wait. It costs as much as cri_snapshot_find in the newest snapshot.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_find(
    watcher: Option<&cri_watcher>,
    id_or_name: Text<'_>,
    out: Option<&mut *const cri_container>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    run(err, || find(watcher, id_or_name, out))
}

fn find(watcher: Option<&cri_watcher>, id_or_name: Text<'_>, out: Option<&mut *const cri_container>) -> Result<()> {
    let (watcher, id_or_name, out) = (live(watcher)?, text(id_or_name, "id_or_name")?, given(out, "out")?);
    *out = records::kept_record(&*watcher.find(id_or_name)?);
    Ok(())
}

/// Does what cri_snapshot_find_pid does, in the newest snapshot. If the process is in a container that the engine has
/// not reported yet, the call waits for that container, and finds it even if the process has ended meanwhile. If no
/// event reports the container soon, the watcher asks the engine for a list.
///
/// @param watcher the watcher
/// @param pid as for cri_snapshot_find_pid
/// @param start_ticks as for cri_snapshot_find_pid
/// @param timeout_ms how long to wait, in milliseconds; below 0: no limit; 0: no wait
/// @param out receives the record; release it with cri_container_unref
/// @return as cri_snapshot_find_pid; CRI_AGAIN after timeout_ms; CRI_E_NOT_READY, CRI_E_STOPPED, CRI_E_FORKED
/// @note Blocks up to timeout_ms, and only while the answer is CRI_AGAIN. cri_watcher_stop ends the wait. It costs as
/// much as the same lookup in the newest snapshot.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_lookup_pid(
    watcher: Option<&cri_watcher>,
    pid: i32,
    start_ticks: u64,
    timeout_ms: i64,
    out: Option<&mut *const cri_container>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    entry(err, || keep(live(watcher)?.lookup_pid(pid, start_ticks, timeout(timeout_ms)), out))
}

/// Does what cri_snapshot_find_cgroup does, in the newest snapshot, and waits like cri_watcher_lookup_pid.
///
/// @param watcher the watcher
/// @param cgroup_id as for cri_snapshot_find_cgroup
/// @param timeout_ms how long to wait, in milliseconds; below 0: no limit; 0: no wait
/// @param out receives the record; release it with cri_container_unref
/// @return as cri_snapshot_find_cgroup; CRI_AGAIN after timeout_ms; CRI_E_NOT_READY, CRI_E_STOPPED, CRI_E_FORKED
/// @note Blocks up to timeout_ms, and only while the answer is CRI_AGAIN. cri_watcher_stop ends the wait. It costs as
/// much as the same lookup in the newest snapshot.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_lookup_cgroup(
    watcher: Option<&cri_watcher>,
    cgroup_id: u64,
    timeout_ms: i64,
    out: Option<&mut *const cri_container>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    entry(err, || keep(live(watcher)?.lookup_cgroup(cgroup_id, timeout(timeout_ms)), out))
}

fn keep(found: Result<Owned>, out: Option<&mut *const cri_container>) -> Result<Status> {
    let out = given(out, "out")?;
    Ok(match found? {
        Owned::Container(container) => {
            *out = records::kept_record(&container);
            CRI_OK
        }
        Owned::Host => CRI_NONE,
        Owned::NotYet => CRI_AGAIN,
    })
}

/// Most lookups end here: the record is there already, nothing is made, and nothing can fail or panic.
#[inline]
fn known_at_once<'a>(
    snapshot: Option<&'a cri_snapshot>,
    out: &mut Option<&mut *const cri_container>,
    err: &mut Option<&mut *mut cri_error>,
    known: impl FnOnce(&'a Snapshot) -> Option<*const cri_container>,
) -> bool {
    let Some((out, record)) = out.as_mut().zip(snapshot.and_then(Opaque::get).and_then(|it| known(it))) else {
        return false;
    };
    **out = record;
    if let Some(err) = err {
        **err = std::ptr::null_mut();
    }
    true
}

/// Apart, so that those that end at once need no frame.
#[inline(never)]
fn answer(
    snapshot: Option<&cri_snapshot>,
    out: Option<&mut *const cri_container>,
    err: Option<&mut *mut cri_error>,
    what: impl FnOnce() -> String,
    find: impl FnOnce(&Snapshot) -> Result<Place, Unproven>,
) -> Status {
    let is_error_wanted = err.is_some();
    entry(err, || {
        let (snapshot, out) = (held(snapshot, "snapshot")?, given(out, "out")?);
        match find(snapshot) {
            Ok(place) => Ok(put(snapshot, place, out)),
            Err(why) if is_error_wanted => Err(why.about(&what())),
            Err(why) => Ok(why.status()),
        }
    })
}

fn put(snapshot: &Snapshot, place: Place, out: &mut *const cri_container) -> Status {
    match place {
        Place::At(at) => {
            *out = found::record(snapshot, at);
            CRI_OK
        }
        Place::Host => CRI_NONE,
        Place::NotYet(_) => CRI_AGAIN,
    }
}

fn namespace_kind(kind: u32) -> Result<NamespaceKind, Unproven> {
    Ok(match kind {
        CRI_NAMESPACE_CGROUP => NamespaceKind::Cgroup,
        CRI_NAMESPACE_IPC => NamespaceKind::Ipc,
        CRI_NAMESPACE_MNT => NamespaceKind::Mount,
        CRI_NAMESPACE_NET => NamespaceKind::Net,
        CRI_NAMESPACE_PID => NamespaceKind::Pid,
        CRI_NAMESPACE_USER => NamespaceKind::User,
        CRI_NAMESPACE_UTS => NamespaceKind::Uts,
        _ => return Err(Unproven::NoSuch("kind is none of CRI_NAMESPACE_*")),
    })
}
