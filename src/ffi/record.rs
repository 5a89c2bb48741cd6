//! Records
//!
//! Containers, pods and events as structs, so that a C program needs no JSON parser. Records never change. They are
//! borrowed from the event or the snapshot that shows them, and live as long as it does; cri_container_ref keeps a
//! container, and with it its pod, for longer, and cri_pod_ref a pod alone. While a container does not change, everybody is shown the same record.
//!
//! Strings are never NULL; "" means none. What is unknown is 0 (an exit code: -1); what this engine may yet tell
//! stands in `missing`.

#![forbid(unsafe_code)]

use std::ffi::c_void;

use safer_ffi::c_char;
use safer_ffi::prelude::*;

use super::guard::{Text, infallible};
use super::raw::view;

/// A label or an annotation.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cri_label {
    /// The key.
    pub key: *const c_char,
    /// The value.
    pub value: *const c_char,
}

/// A pod, as its sandbox shows it.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cri_pod {
    /// The size of this struct in the loaded library.
    pub struct_size: usize,
    /// The sandbox's id.
    pub id: *const c_char,
    /// The pod's name.
    pub name: *const c_char,
    /// The pod's namespace.
    pub pod_namespace: *const c_char,
    /// The pod's uid, as Kubernetes gives it.
    pub uid: *const c_char,
    /// How often the sandbox was made anew.
    pub attempt: u32,
    /// One of CRI_POD_UNKNOWN, CRI_POD_READY, CRI_POD_NOT_READY.
    pub state: u32,
    /// Bits of CRI_POD_FLAG_HOST_NETWORK.
    pub flags: u32,
    /// How many addresses there are.
    pub ips_len: usize,
    /// The pod's addresses, the primary one first.
    pub ips: *const *const c_char,
    /// How many labels there are.
    pub labels_len: usize,
    /// How many annotations there are.
    pub annotations_len: usize,
    /// The pod's labels, sorted by key.
    pub labels: *const cri_label,
    /// The pod's annotations, sorted by key.
    pub annotations: *const cri_label,
    /// The pod's cgroup, as the file system shows it; "" where the engine does not tell: no engine does at present.
    pub cgroup_path: *const c_char,
}

/// A container or sandbox, as it was at one moment.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cri_container {
    /// The size of this struct in the loaded library.
    pub struct_size: usize,
    /// CRI_KIND_CONTAINER or CRI_KIND_SANDBOX.
    pub kind: u32,
    /// One of CRI_STATE_UNKNOWN, CRI_STATE_CREATED, CRI_STATE_RUNNING, CRI_STATE_EXITED.
    pub state: u32,
    /// No flags are defined yet: 0.
    pub flags: u32,
    /// How often it was made anew under this name.
    pub attempt: u32,
    /// The engine's id.
    pub id: *const c_char,
    /// The name inside the pod; of a sandbox, the pod's name.
    pub name: *const c_char,
    /// The pod; NULL while it is unknown.
    pub pod: *const cri_pod,
    /// The first process, in the caller's pid namespace; 0: none, or unknown. After the exit it is still the pid that the
    /// process had.
    pub pid: i32,
    /// The exit code; -1: none, or unknown.
    pub exit_code: i32,
    /// When the first process began, in clock ticks since boot: with it, a pid is unique. 0: unknown.
    pub pid_start_ticks: u64,
    /// What this engine may yet tell: bits of CRI_MISSING_PID and so on.
    pub missing: u64,
    /// The image, as the pod's author wrote it.
    pub image: *const c_char,
    /// What the engine resolved that to.
    pub image_ref: *const c_char,
    /// The engine's id of the image.
    pub image_id: *const c_char,
    /// How it ended, in one word: "Completed", "Error", "OOMKilled"; "gone" when it merely vanished. Of
    /// a sandbox, whose end engines do not explain, "" or "gone".
    pub reason: *const c_char,
    /// How it ended, in more words; often "".
    pub message: *const c_char,
    /// The cgroup, as the file system shows it.
    pub cgroup_path: *const c_char,
    /// When it was created, in nanoseconds since 1970; 0: unknown.
    pub created_unix_nano: i64,
    /// When it was started; 0: not yet, or unknown.
    pub started_unix_nano: i64,
    /// When it ended; 0: not yet, or unknown.
    pub finished_unix_nano: i64,
    /// How many labels there are.
    pub labels_len: usize,
    /// How many annotations there are.
    pub annotations_len: usize,
    /// The container's own labels, sorted by key. Those of the pod stand at the pod.
    pub labels: *const cri_label,
    /// The container's own annotations, sorted by key.
    pub annotations: *const cri_label,
    /// What the program itself has added (cri_watcher_set_packer, cri_watcher_attach): JSON.
    pub rucksack: *const c_char,
}

/// Something that happened.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cri_event {
    /// The size of this struct in the loaded library.
    pub struct_size: usize,
    /// One of CRI_EVENT_STARTED and so on. Types that a program does not know are to be ignored.
    pub r#type: u32,
    /// Bits of CRI_EVENT_FLAG_SYNTHETIC and so on.
    pub flags: u32,
    /// Grows from event to event. Each consumer may see gaps, which mean nothing.
    pub seq: u64,
    /// The generation of the picture that shows this.
    pub generation: u64,
    /// Of CRI_EVENT_OVERFLOW: how many events this consumer lost.
    pub lost: u64,
    /// Of CRI_EVENT_UPDATED: bits of CRI_CHANGED_PID and so on.
    pub changed: u64,
    /// When it happened, as far as the engine says, in nanoseconds since 1970; otherwise, when the watcher noticed.
    pub time_unix_nano: i64,
    /// When the watcher noticed.
    pub observed_unix_nano: i64,
    /// The container or sandbox; NULL where the event is not about one.
    pub container: *const cri_container,
    /// What the watcher was doing when it told this: one of CRI_WATCHER_NEW and so on.
    pub watcher_state: u32,
    /// Of CRI_EVENT_STATE: why, in words, where there is something to say. Of CRI_EVENT_LOG: what it says. Otherwise "".
    pub message: *const c_char,
    /// Of CRI_EVENT_LOG: how much it matters, CRI_LOG_ERROR and so on; otherwise 0.
    pub log_level: u32,
}

/// Takes an event. The event is borrowed: it is gone when the function returns.
pub type cri_event_fn = Option<unsafe extern "C" fn(event: *const cri_event, user_data: *mut c_void)>;

/// Releases user data, after the last use of it.
pub type cri_destroy_fn = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// Keeps a record, and with it its pod, beyond the event or the snapshot that shows it.
///
/// @param container a record that is still there: no copy of the struct; NULL: NULL
/// @return the same record; give it back with cri_container_unref
/// @note Never blocks.
#[ffi_export]
pub extern "C" fn cri_container_ref(container: *const cri_container) -> *const cri_container {
    infallible(container, || view::retain(container))
}

/// Gives back what cri_container_ref gave.
///
/// @param container the record; NULL: nothing happens
/// @note Never blocks.
#[ffi_export]
pub extern "C" fn cri_container_unref(container: *const cri_container) {
    infallible((), || view::release(container))
}

/// Keeps a pod's record beyond the container or the snapshot that shows it.
///
/// @param pod a record that is still there: no copy of the struct; NULL: NULL
/// @return the same record; give it back with cri_pod_unref
/// @note Never blocks.
#[ffi_export]
pub extern "C" fn cri_pod_ref(pod: *const cri_pod) -> *const cri_pod {
    infallible(pod, || view::retain(pod))
}

/// Gives back what cri_pod_ref gave.
///
/// @param pod the record; NULL: nothing happens
/// @note Never blocks.
#[ffi_export]
pub extern "C" fn cri_pod_unref(pod: *const cri_pod) {
    infallible((), || view::release(pod))
}

/// One of the container's own labels. Those of the pod are asked for with cri_pod_label.
///
/// @param container a record that is still there: no copy of the struct; NULL: NULL
/// @param key the label's key; NULL: NULL
/// @return the value, which lives as long as the record; NULL where there is no such label
/// @note Never blocks.
#[ffi_export]
pub extern "C" fn cri_container_label(container: *const cri_container, key: Text<'_>) -> *const c_char {
    infallible(std::ptr::null(), || label(container, key))
}

/// One of the pod's labels.
///
/// @param pod a record that is still there: no copy of the struct; NULL: NULL
/// @param key the label's key; NULL: NULL
/// @return the value, which lives as long as the record; NULL where there is no such label
/// @note Never blocks.
#[ffi_export]
pub extern "C" fn cri_pod_label(pod: *const cri_pod, key: Text<'_>) -> *const c_char {
    infallible(std::ptr::null(), || label(pod, key))
}

fn label<R: view::Record>(record: *const R, key: Text<'_>) -> *const c_char {
    key.map_or(std::ptr::null(), |key| view::label(record, key.to_bytes()))
}
