//! The JSON of how a container was made, and of what a pod declares.

use std::sync::Arc;

use serde::Serialize;

use super::super::*;
#[cfg(test)]
use super::schema;
use super::text;

/// The user of the first process.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "User"))]
pub(super) struct UserJson<'a> {
    /// The user id, inside the container's user namespace.
    uid: i64,
    /// The group id.
    gid: i64,
    /// The supplementary groups.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[cfg_attr(test, schemars(with = "Vec<i64>"))]
    groups: &'a [i64],
}

impl<'a> UserJson<'a> {
    pub fn new(user: &'a User) -> Self {
        UserJson { uid: user.uid, gid: user.gid, groups: &user.groups }
    }
}

/// One mount.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Mount"))]
#[serde(rename_all = "camelCase")]
pub(super) struct MountJson<'a> {
    /// The path inside the container.
    container_path: &'a str,
    /// The path on the host; absent for an image volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    host_path: Option<&'a str>,
    /// Whether it is read-only.
    readonly: bool,
}

impl<'a> MountJson<'a> {
    pub fn new(mount: &'a Mount) -> Self {
        MountJson {
            container_path: &mount.container_path,
            host_path: text(&mount.host_path),
            readonly: mount.read_only,
        }
    }
}

/// The limits of a container. A key is absent if the engine gave no limit.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Resources"))]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourcesJson<'a> {
    /// The CPU weight, in cgroup v1 shares: 1024 for one CPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_shares: Option<i64>,
    /// The CPU time that the container may use in each period, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_quota: Option<i64>,
    /// The period, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_period: Option<i64>,
    /// The CPUs that the container may use, e.g. `0-3,7`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpuset_cpus: Option<&'a str>,
    /// The memory (NUMA) nodes that the container may use, e.g. `0-1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpuset_mems: Option<&'a str>,
    /// The memory limit, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_limit: Option<i64>,
    /// The limit of memory and swap together, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    swap_limit: Option<i64>,
    /// How readily the kernel kills the container when memory is short: -1000 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    oom_score_adj: Option<i64>,
}

impl<'a> ResourcesJson<'a> {
    pub fn new(limits: &'a Resources) -> Self {
        ResourcesJson {
            cpu_shares: limits.cpu_shares,
            cpu_quota: limits.cpu_quota,
            cpu_period: limits.cpu_period,
            cpuset_cpus: text(&limits.cpuset_cpus),
            cpuset_mems: text(&limits.cpuset_mems),
            memory_limit: limits.memory_limit,
            swap_limit: limits.swap_limit,
            oom_score_adj: limits.oom_score_adj,
        }
    }
}

/// How the previous run ended: the run of the last attempt with the same name in the same pod.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Previous"))]
#[serde(rename_all = "camelCase")]
pub(super) struct PreviousJson<'a> {
    /// The exit code; absent if it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    /// Why it ended, in one word, e.g. `OOMKilled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// When it ended.
    #[cfg_attr(test, schemars(schema_with = "schema::time"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
}

impl<'a> PreviousJson<'a> {
    pub fn new(previous: &'a Previous) -> Self {
        PreviousJson {
            exit_code: previous.exit_code,
            reason: text(&previous.reason),
            finished_at: previous.finished_at.map(rfc3339),
        }
    }
}

/// The namespaces of a container's first process: the inode numbers of `/proc/PID/ns`. The kernel may reuse a number as
/// soon as the namespace is gone.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Namespaces"))]
pub(super) struct NamespacesJson {
    /// The network namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    net: Option<u64>,
    /// The mount namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    mnt: Option<u64>,
    /// The pid namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u64>,
    /// The IPC namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    ipc: Option<u64>,
    /// The namespace of the host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    uts: Option<u64>,
    /// The user namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<u64>,
    /// The cgroup namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    cgroup: Option<u64>,
}

impl NamespacesJson {
    /// The namespaces as JSON; `None` while none is known.
    pub fn new(all: Namespaces) -> Option<Self> {
        let known = |inode: u64| (inode != 0).then_some(inode);
        (all != Namespaces::default()).then(|| NamespacesJson {
            net: known(all.net),
            mnt: known(all.mnt),
            pid: known(all.pid),
            ipc: known(all.ipc),
            uts: known(all.uts),
            user: known(all.user),
            cgroup: known(all.cgroup),
        })
    }
}

/// A port that a container declares.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Port"))]
#[serde(rename_all = "camelCase")]
pub(super) struct PortJson<'a> {
    /// The container's name.
    container: &'a str,
    /// The port's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    /// The port inside the pod.
    container_port: u16,
    /// The port on the node.
    #[serde(skip_serializing_if = "Option::is_none")]
    host_port: Option<u16>,
    /// `TCP`, `UDP` or `SCTP`.
    protocol: &'a str,
}

impl<'a> PortJson<'a> {
    pub fn new(port: &'a Port) -> Self {
        PortJson {
            container: &port.container,
            name: text(&port.name),
            container_port: port.container_port,
            host_port: (port.host_port != 0).then_some(port.host_port),
            protocol: &port.protocol,
        }
    }
}

/// The words of a command line.
pub(super) fn words(words: &[Arc<str>]) -> Vec<&str> {
    words.iter().map(|word| &**word).collect()
}
