//! Records
//!
//! Containers, pods and events are C structs (records), so a C program needs no JSON parser. A record never
//! changes. It is valid as long as the event or the snapshot that shows it. cri_container_ref keeps a container,
//! and with it its pod, for longer; cri_pod_ref keeps a pod alone. While a container does not change, all events and
//! snapshots show the same record.
//!
//! Strings are never NULL; "" means none. A number that is unknown is 0; only an unknown exit code is -1, and an unknown
//! `oom_score_adj` is INT32_MIN. A fact that is true or false has two flags, such as CRI_POD_FLAG_HOST_NETWORK and
//! CRI_POD_FLAG_OWN_NETWORK; while it is unknown, neither is set. A pointer to a struct is NULL while nothing of the struct
//! is known. An array may be NULL if its length is 0. `missing` lists the facts that are unknown now and may become known
//! later.

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

/// A port that a container of a pod declares. A declaration opens no port: it says where the author of the pod expects
/// the container to listen.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cri_port {
    /// The name of the container.
    pub container: *const c_char,
    /// The name of the port; often "".
    pub name: *const c_char,
    /// "TCP", "UDP" or "SCTP".
    pub protocol: *const c_char,
    /// The port inside the pod.
    pub container_port: u32,
    /// The port on the node; 0: none.
    pub host_port: u32,
}

/// A mount that the author of the pod or the kubelet asked for.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cri_mount {
    /// Where it is inside the container.
    pub container_path: *const c_char,
    /// What is mounted: a path on the host; "" for an image volume.
    pub host_path: *const c_char,
    /// Bits of CRI_MOUNT_FLAG_READ_ONLY.
    pub flags: u32,
}

/// The user of the first process of a container.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cri_user {
    /// The size of this struct in the loaded library, in bytes.
    pub struct_size: usize,
    /// The user id, inside the user namespace of the container.
    pub uid: i64,
    /// The group id.
    pub gid: i64,
    /// The number of supplementary groups.
    pub groups_len: usize,
    /// The supplementary groups.
    pub groups: *const i64,
}

/// The limits of a container. A number is 0 if the engine gave no limit.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cri_resources {
    /// The size of this struct in the loaded library, in bytes.
    pub struct_size: usize,
    /// The CPU weight, in shares of cgroup v1 (1024 for one CPU); 0: none.
    pub cpu_shares: i64,
    /// The CPU time that the container may use in each period, in microseconds; 0: none.
    pub cpu_quota: i64,
    /// The period, in microseconds; 0: none.
    pub cpu_period: i64,
    /// The CPUs that the container may use, e.g. "0-3,7"; "" for all.
    pub cpuset_cpus: *const c_char,
    /// The memory (NUMA) nodes that the container may use, e.g. "0-1"; "" for all.
    pub cpuset_mems: *const c_char,
    /// The limit of memory, in bytes; 0: none.
    pub memory_limit: i64,
    /// The limit of memory and swap together, in bytes; 0: none.
    pub swap_limit: i64,
    /// How readily the kernel kills the container when memory is short: -1000 to 1000; INT32_MIN: unknown.
    pub oom_score_adj: i32,
}

/// How the previous run ended: the run of the last attempt with the same name in the same pod.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cri_previous {
    /// The size of this struct in the loaded library, in bytes.
    pub struct_size: usize,
    /// The exit time, in nanoseconds since 1970; 0: unknown.
    pub finished_unix_nano: i64,
    /// Why it ended, in one word, e.g. "OOMKilled".
    pub reason: *const c_char,
    /// The exit code; -1: unknown.
    pub exit_code: i32,
}

/// The namespaces of the first process of a container: the inode numbers of /proc/PID/ns. The kernel may reuse a number
/// as soon as the namespace is gone.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cri_namespaces {
    /// The size of this struct in the loaded library, in bytes.
    pub struct_size: usize,
    /// The network namespace; 0: unknown.
    pub net: u64,
    /// The mount namespace; 0: unknown.
    pub mnt: u64,
    /// The pid namespace; 0: unknown.
    pub pid: u64,
    /// The IPC namespace; 0: unknown.
    pub ipc: u64,
    /// The namespace of the host name; 0: unknown.
    pub uts: u64,
    /// The user namespace; 0: unknown.
    pub user: u64,
    /// The cgroup namespace; 0: unknown.
    pub cgroup: u64,
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
    /// Bits of CRI_POD_FLAG_HOST_NETWORK and so on.
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
    /// The pod's cgroup, as a path below the mount of the cgroup file system. It contains the cgroups of the pod's
    /// containers. "" until the watcher has seen a process of the pod, and if no cgroup has the uid of the pod in its
    /// name.
    pub cgroup_path: *const c_char,
    /// When the sandbox was created, in nanoseconds since 1970; 0: unknown.
    pub created_unix_nano: i64,
    /// The handler of the pod's runtime class; "" for the default one.
    pub runtime_handler: *const c_char,
    /// The inode number of the network namespace; 0: unknown.
    pub net_namespace: u64,
    /// The number of ports.
    pub ports_len: usize,
    /// The ports that the containers of the pod declare.
    pub ports: *const cri_port,
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
    /// Bits of CRI_CONTAINER_FLAG_TEXT_REPAIRED and so on: what had to be repaired or cut, and whether it is privileged.
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
    /// The repository with the digest of the manifest.
    pub image_ref: *const c_char,
    /// The id of the image: the digest of its configuration.
    pub image_id: *const c_char,
    /// Why the run ended, in one word, e.g. "Completed", "Error", "OOMKilled"; "gone" if the container vanished
    /// without an exit. For a sandbox: "" or "gone", because engines give no reason.
    pub reason: *const c_char,
    /// A longer text about the exit; often "".
    pub message: *const c_char,
    /// The cgroup, as a path below the mount of the cgroup file system.
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
    /// The pid that the engine reports, if it differs from `pid`; otherwise 0.
    pub engine_pid: i32,
    /// The id of the cgroup in cgroup v2, as bpf_get_current_cgroup_id gives it; 0: unknown.
    pub cgroup_id: u64,
    /// The namespaces of the first process; NULL if none is known.
    pub namespaces: *const cri_namespaces,
    /// The name of the image without tag and digest.
    pub image_repository: *const c_char,
    /// The tag of the image; "" if its name has none.
    pub image_tag: *const c_char,
    /// The digest of the image's manifest.
    pub image_digest: *const c_char,
    /// The file that the engine writes the output of the container to, as the engine sees the file system.
    pub log_path: *const c_char,
    /// The number of words of `command`.
    pub command_len: usize,
    /// The entry point: what the author of the pod set, otherwise the first word of the command line that the engine
    /// starts.
    pub command: *const *const c_char,
    /// The number of arguments.
    pub args_len: usize,
    /// The arguments: what the author of the pod set, otherwise the rest of the command line.
    pub args: *const *const c_char,
    /// The working directory inside the container.
    pub working_dir: *const c_char,
    /// The user of the first process; NULL if it is not known.
    pub user: *const cri_user,
    /// The number of mounts.
    pub mounts_len: usize,
    /// The mounts that the author of the pod and the kubelet asked for.
    pub mounts: *const cri_mount,
    /// The limits; NULL if they are not known.
    pub resources: *const cri_resources,
    /// How the previous run ended; NULL if there was none, or if nothing is known about it.
    pub previous: *const cri_previous,
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
