//! Records
//!
//! Containers, pods and events are C structs (records), so a C program needs no JSON parser. A record never
//! changes. It is valid as long as the event or the snapshot that shows it. cri_container_ref keeps a container,
//! and with it its pod, for longer; cri_pod_ref keeps a pod alone. While a container does not change, all events and
//! snapshots show the same record.
//!
//! Strings are never NULL; "" means none. A number that is unknown is 0; only an unknown exit code is -1. `missing`
//! lists the facts that are unknown now and may become known later.

#![forbid(unsafe_code)]

use std::ffi::c_void;

use safer_ffi::c_char;
use safer_ffi::prelude::*;

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
    /// The size of this struct in the loaded library, in bytes.
    pub struct_size: usize,
    /// The id of the sandbox.
    pub id: *const c_char,
    /// The name of the pod.
    pub name: *const c_char,
    /// The namespace of the pod.
    pub pod_namespace: *const c_char,
    /// The uid of the pod, as Kubernetes gives it.
    pub uid: *const c_char,
    /// The attempt number; 0 for the first sandbox of the pod.
    pub attempt: u32,
    /// One of CRI_POD_UNKNOWN, CRI_POD_READY, CRI_POD_NOT_READY.
    pub state: u32,
    /// Bits of CRI_POD_FLAG_HOST_NETWORK and CRI_POD_FLAG_OWN_NETWORK; neither while it is unknown.
    pub flags: u32,
    /// The number of addresses.
    pub ips_len: usize,
    /// The addresses of the pod, the primary one first.
    pub ips: *const *const c_char,
    /// The number of labels.
    pub labels_len: usize,
    /// The number of annotations.
    pub annotations_len: usize,
    /// The labels of the pod, sorted by key.
    pub labels: *const cri_label,
    /// The annotations of the pod, sorted by key.
    pub annotations: *const cri_label,
    /// The pod's cgroup: above those of its containers, and named by the pod's uid; a path below the mount of the cgroup
    /// file system. "" until a process in it was seen, and if no cgroup has that name.
    pub cgroup_path: *const c_char,
    /// When the sandbox was created, in nanoseconds since 1970; 0: unknown.
    pub created_unix_nano: i64,
    /// The runtime class's handler; "" for the default one.
    pub runtime_handler: *const c_char,
}

/// A container or sandbox, as it was at one moment.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cri_container {
    /// The size of this struct in the loaded library, in bytes.
    pub struct_size: usize,
    /// CRI_KIND_CONTAINER or CRI_KIND_SANDBOX.
    pub kind: u32,
    /// One of CRI_STATE_UNKNOWN, CRI_STATE_CREATED, CRI_STATE_RUNNING, CRI_STATE_EXITED.
    pub state: u32,
    /// What of it had to be repaired or cut: bits of CRI_CONTAINER_FLAG_*.
    pub flags: u32,
    /// The attempt number; 0 for the first container of this name in the pod.
    pub attempt: u32,
    /// The engine's id of the container.
    pub id: *const c_char,
    /// The name inside the pod. For a sandbox: the name of the pod.
    pub name: *const c_char,
    /// The pod; NULL if it is not known yet.
    pub pod: *const cri_pod,
    /// The pid of the first process, in the pid namespace of this program; 0: none, or unknown. After the exit, it
    /// is still the pid that the process had.
    pub pid: i32,
    /// The exit code; -1: none, or unknown.
    pub exit_code: i32,
    /// The start time of the first process, in clock ticks since boot; 0: unknown. Together with this time, a pid
    /// is unique.
    pub pid_start_ticks: u64,
    /// Facts that are unknown now and may become known later: bits of CRI_MISSING_PID and so on.
    pub missing: u64,
    /// The image, as the author of the pod wrote it.
    pub image: *const c_char,
    /// What the engine resolved the image to: a digest, or a reference with a digest.
    pub image_ref: *const c_char,
    /// The engine's id of the image.
    pub image_id: *const c_char,
    /// Why the run ended, in one word, e.g. "Completed", "Error", "OOMKilled"; "gone" if the container vanished
    /// without an exit. For a sandbox: "" or "gone", because engines give no reason.
    pub reason: *const c_char,
    /// A longer text about the exit; often "".
    pub message: *const c_char,
    /// The cgroup, as a path in the cgroup file system.
    pub cgroup_path: *const c_char,
    /// The creation time, in nanoseconds since 1970; 0: unknown.
    pub created_unix_nano: i64,
    /// The start time, in nanoseconds since 1970; 0: not started, or unknown.
    pub started_unix_nano: i64,
    /// The exit time, in nanoseconds since 1970; 0: not exited, or unknown.
    pub finished_unix_nano: i64,
    /// The number of labels.
    pub labels_len: usize,
    /// The number of annotations.
    pub annotations_len: usize,
    /// The container's own labels, sorted by key. The labels of the pod are in `pod`.
    pub labels: *const cri_label,
    /// The container's own annotations, sorted by key.
    pub annotations: *const cri_label,
    /// The rucksack: JSON that the program added (cri_watcher_set_packer, cri_watcher_attach); "" if there is none.
    pub rucksack: *const c_char,
    /// The pid in the engine's words, where that differs from `pid`; otherwise 0.
    pub engine_pid: i32,
}

/// Something that happened.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cri_event {
    /// The size of this struct in the loaded library, in bytes.
    pub struct_size: usize,
    /// The type: CRI_EVENT_STARTED and so on. Ignore types that you do not know.
    pub r#type: u32,
    /// Bits of CRI_EVENT_FLAG_SYNTHETIC and so on.
    pub flags: u32,
    /// A number that grows from event to event. A consumer may see gaps, which have no meaning.
    pub seq: u64,
    /// The cache includes this event from this generation on.
    pub generation: u64,
    /// For CRI_EVENT_OVERFLOW: how many events this consumer lost. Otherwise 0.
    pub lost: u64,
    /// For CRI_EVENT_UPDATED: bits of CRI_CHANGED_PID and so on. Otherwise 0.
    pub changed: u64,
    /// When it happened according to the engine, in nanoseconds since 1970. If the engine gives no time: when the
    /// watcher noticed it.
    pub time_unix_nano: i64,
    /// When the watcher noticed it, in nanoseconds since 1970.
    pub observed_unix_nano: i64,
    /// The container or sandbox; NULL if the event is about the watcher or the consumer.
    pub container: *const cri_container,
    /// The state of the watcher at the time of the report: CRI_WATCHER_NEW and so on.
    pub watcher_state: u32,
    /// For CRI_EVENT_STATE: the cause, if there is one. For CRI_EVENT_LOG: the message. Otherwise "".
    pub message: *const c_char,
    /// For CRI_EVENT_LOG: the level, CRI_LOG_ERROR and so on. Otherwise 0.
    pub log_level: u32,
}

/// A function that takes an event. The event is valid until the function returns.
pub type cri_event_fn = Option<unsafe extern "C" fn(event: *const cri_event, user_data: *mut c_void)>;

/// A function that releases user data. It is called after the last use of the data.
pub type cri_destroy_fn = Option<unsafe extern "C" fn(user_data: *mut c_void)>;
