//! Lookups
//!
//! Whose process is this? A lookup goes from what the kernel knows (a pid, the id or path of a cgroup, the inode of
//! a namespace) to the container, at the rate of system calls. docs/lookups.md has an agent's loop, and says which
//! key to use when.
//!
//! Each lookup returns one of these:
//!
//! - CRI_OK: `*out` is the container. For what belongs to a pod and to no container of it (a pod's own cgroup, a
//!   namespace that the pod's containers share), it is the pod's sandbox.
//! - CRI_NONE: it is proven to belong to the host: to no container of this engine. Where that cannot be proven, the
//!   answer is one of the errors below, never CRI_NONE. conmon and mount units carry the id of a container, and belong
//!   to the host.
//! - CRI_AGAIN: it is in a container or a pod that the snapshot does not have. Take a new snapshot, or use
//!   cri_watcher_lookup_pid or cri_watcher_lookup_cgroup, which wait. A container of another engine looks the same.
//! - CRI_E_NOT_FOUND: there is no such process or cgroup any more; no running container is known to be in the namespace.
//! - CRI_E_PERMISSION, CRI_E_OS: the kernel refused to tell.
//! - CRI_E_UNSUPPORTED: this host, or this program's own cgroup namespace, hides it; the message says what helps.
//! - CRI_E_INVALID_ARGUMENT: it is no pid, no path, or no kind of namespace.
//!
//! Those that wait return CRI_E_NOT_READY, CRI_E_STOPPED and CRI_E_FORKED, too.
//!
//! A lookup in a snapshot takes no lock, and makes no error object if `err` is NULL. The first lookup of each kind in a
//! snapshot builds an index, O(n).

#![forbid(unsafe_code)]

use safer_ffi::c_char;
use safer_ffi::prelude::*;

use super::arguments::{Text, given, invalid, text, timeout};
use super::guard::{entry, run};
use super::handle::held;
use super::raw::{found, snapshot as records};
use super::watcher::live;
use super::{cri_container, cri_error, cri_snapshot, cri_watcher};
use crate::error::{CRI_AGAIN, CRI_NONE, CRI_OK, Result, Status};
use crate::host::namespace::NamespaceKind;
use crate::model::*;
use crate::portfolio::{Place, Snapshot, Unproven};
use crate::watcher::Owned;

/// Finds the container to which a cgroup belongs, by the cgroup's id: what eBPF's bpf_get_current_cgroup_id returns on
/// cgroup v2. It also finds containers that have ended, as long as the watcher remembers them; and, by an id for which it
/// returned CRI_AGAIN, containers that become known when the cgroup is gone (the newest 1,024 such ids).
///
/// @param snapshot the snapshot
/// @param cgroup_id the id of a cgroup in the v2 hierarchy
/// @param out receives the record, which belongs to the snapshot; cri_container_ref keeps it for longer
/// @return CRI_OK; CRI_NONE; CRI_AGAIN; CRI_E_NOT_FOUND; CRI_E_PERMISSION without CAP_DAC_READ_SEARCH, for other cgroups
/// than a container's own; CRI_E_UNSUPPORTED on a host without cgroup v2, and on one with both versions for cgroups that
/// are no container's; CRI_E_OS, CRI_E_INVALID_ARGUMENT
/// @note Does not wait. A container's own cgroup: a few ns. Another cgroup: some system calls, a few microseconds.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_snapshot_find_cgroup(
    snapshot: Option<&cri_snapshot>,
    cgroup_id: u64,
    out: Option<&mut *const cri_container>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    let what = || format!("cgroup {cgroup_id}");
    answer(snapshot, out, err, what, |snapshot| snapshot.place_of_cgroup(cgroup_id))
}

/// Finds the container to which a process belongs: any process or thread, not only the first one.
///
/// @param snapshot the snapshot
/// @param pid the pid, as the /proc below the option host.root counts; 0 (the kernel's idle task) gives CRI_NONE
/// @param start_ticks when the process began, in clock ticks since boot, as field 22 of /proc/PID/stat has it: a pid
/// that another process has by now is then not found; 0: the process that has the pid now
/// @param out receives the record, which belongs to the snapshot; cri_container_ref keeps it for longer
/// @return CRI_OK; CRI_NONE; CRI_AGAIN; CRI_E_NOT_FOUND if there is no such process; CRI_E_UNSUPPORTED for processes in this
/// program's own cgroup namespace; CRI_E_PERMISSION, CRI_E_OS, CRI_E_INVALID_ARGUMENT
/// @note Does not wait. The first process of a container, with start_ticks: a few ns. Any other: a few system calls, 1 to
/// 8 microseconds. Nothing is remembered by pid.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_snapshot_find_pid(
    snapshot: Option<&cri_snapshot>,
    pid: i32,
    start_ticks: u64,
    out: Option<&mut *const cri_container>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    answer(snapshot, out, err, || format!("pid {pid}"), |snapshot| snapshot.place_of_pid(pid, start_ticks))
}

/// Finds the container to which a cgroup belongs, by its path, as /proc/PID/cgroup or the cgroup file system shows it.
///
/// The deepest component that names a known container wins: a container in the container (systemd, Docker) is part of it.
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

/// Finds the container, or the pod, to which a namespace belongs. Only what runs has namespaces here: the kernel uses
/// their numbers again at once, so a number is only good while a process is known to be in the namespace.
///
/// @param snapshot the snapshot
/// @param kind CRI_NAMESPACE_NET and so on
/// @param inode the number in the link /proc/PID/ns/KIND
/// @param out receives the record, which belongs to the snapshot: the sandbox, if containers of its pod share the
/// namespace
/// @param sharing receives on CRI_OK how many running containers and sandboxes are in the namespace; may be NULL
/// @return CRI_OK; CRI_NONE: it is the host's own; CRI_E_NOT_FOUND if no running container is known to be in it;
/// CRI_E_UNSUPPORTED for a network, if the engine has not told whether the pod is in the host's, and this program may look
/// at the network of neither process 1 nor the engine; CRI_E_INVALID_ARGUMENT
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

/// As cri_snapshot_find_cgroup, for many ids in one call.
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

/// As cri_snapshot_find_pid, for many pids in one call.
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

/// As cri_snapshot_find_pid in the newest snapshot; and if the process is in a container that the engine has not told
/// yet, it waits for that. Such a container is found although its process may have ended meanwhile. If no event tells of
/// it soon, the watcher makes a list.
///
/// @param watcher the watcher
/// @param pid as for cri_snapshot_find_pid
/// @param start_ticks as for cri_snapshot_find_pid
/// @param timeout_ms how long to wait, in milliseconds; below 0: no limit; 0: no wait
/// @param out receives the record; release it with cri_container_unref
/// @return as cri_snapshot_find_pid; CRI_AGAIN when the time has passed; CRI_E_NOT_READY, CRI_E_STOPPED, CRI_E_FORKED
/// @note Blocks up to timeout_ms, only for CRI_AGAIN. cri_watcher_stop ends the wait. It costs as much as the same lookup in
/// the newest snapshot.
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

/// As cri_snapshot_find_cgroup in the newest snapshot, and waits like cri_watcher_lookup_pid.
///
/// @param watcher the watcher
/// @param cgroup_id as for cri_snapshot_find_cgroup
/// @param timeout_ms how long to wait, in milliseconds; below 0: no limit; 0: no wait
/// @param out receives the record; release it with cri_container_unref
/// @return as cri_snapshot_find_cgroup; CRI_AGAIN when the time has passed; CRI_E_NOT_READY, CRI_E_STOPPED, CRI_E_FORKED
/// @note Blocks up to timeout_ms, only for CRI_AGAIN. cri_watcher_stop ends the wait. It costs as much as the same lookup in
/// the newest snapshot.
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
