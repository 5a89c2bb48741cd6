//! How a container was made: what its status and its verbose information say beyond its state.

use std::sync::Arc;

/// How a container was made. A field that the engine did not give is `None` or empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Spec {
    /// The file that the engine writes the container's output to, as a path in the engine's own mount namespace.
    pub log_path: Arc<str>,
    /// The entry point: what the pod's author set, else the first word of the command line that the engine starts.
    pub command: Arc<[Arc<str>]>,
    /// The arguments: what the pod's author set, else the rest of the command line.
    pub args: Arc<[Arc<str>]>,
    /// The working directory inside the container.
    pub working_dir: Arc<str>,
    /// The user of the first process.
    pub user: Option<User>,
    /// Whether the container is privileged.
    pub privileged: Option<bool>,
    /// The mounts that the author of the pod and the kubelet asked for.
    pub mounts: Arc<[Mount]>,
    /// Its limits.
    pub resources: Option<Resources>,
}

/// The user of a container's first process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct User {
    /// The user id, inside the container's user namespace.
    pub uid: i64,
    /// The group id.
    pub gid: i64,
    /// The supplementary groups.
    pub groups: Arc<[i64]>,
}

/// One mount of a container.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Mount {
    /// The path inside the container.
    pub container_path: Arc<str>,
    /// The path on the host; "" for an image volume.
    pub host_path: Arc<str>,
    /// Whether it is read-only.
    pub read_only: bool,
}

/// A container's limits. `None` if the engine gave none, or 0, which means the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Resources {
    /// The CPU weight, in cgroup v1 shares (1,024 for one CPU).
    pub cpu_shares: Option<i64>,
    /// The CPU time that the container may use in each period, in microseconds.
    pub cpu_quota: Option<i64>,
    /// The period, in microseconds.
    pub cpu_period: Option<i64>,
    /// The CPUs it may use, e.g. `0-3,7`; "" for all.
    pub cpuset_cpus: Arc<str>,
    /// The memory (NUMA) nodes that the container may use; "" for all.
    pub cpuset_mems: Arc<str>,
    /// The memory limit, in bytes.
    pub memory_limit: Option<i64>,
    /// The limit of memory and swap together, in bytes.
    pub swap_limit: Option<i64>,
    /// How readily the kernel kills it when memory is short: -1000 to 1000. Here, 0 is a value.
    pub oom_score_adj: Option<i64>,
}

/// How the previous run ended: the run of the last attempt with the same name in the same pod.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Previous {
    /// The exit code; `None` if it is unknown.
    pub exit_code: Option<i32>,
    /// Its reason, e.g. `OOMKilled`.
    pub reason: Arc<str>,
    /// When it ended.
    pub finished_at: Option<super::Time>,
}

/// A port that a container declares. A declaration opens no port: it says where the author of the pod expects the container
/// to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Port {
    /// The container's name.
    pub container: Arc<str>,
    /// The port's name, often "".
    pub name: Arc<str>,
    /// The port inside the pod.
    pub container_port: u16,
    /// The port on the node; 0 for none.
    pub host_port: u16,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: Arc<str>,
}

/// The namespaces of a container's first process: inode numbers of `/proc/PID/ns/*`, 0 if unknown. The kernel reuses a
/// number as soon as its namespace is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Namespaces {
    /// Network.
    pub net: u64,
    /// Mounts.
    pub mnt: u64,
    /// Process ids.
    pub pid: u64,
    /// IPC.
    pub ipc: u64,
    /// Host name.
    pub uts: u64,
    /// Users.
    pub user: u64,
    /// Cgroups.
    pub cgroup: u64,
}

impl Namespaces {
    /// These namespaces; for unknown ones, those of `other`.
    pub(crate) fn or(self, other: Namespaces) -> Namespaces {
        let known = |these: u64, others: u64| if these == 0 { others } else { these };
        Namespaces {
            net: known(self.net, other.net),
            mnt: known(self.mnt, other.mnt),
            pid: known(self.pid, other.pid),
            ipc: known(self.ipc, other.ipc),
            uts: known(self.uts, other.uts),
            user: known(self.user, other.user),
            cgroup: known(self.cgroup, other.cgroup),
        }
    }
}
