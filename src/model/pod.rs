//! A pod, as its sandbox shows it.

use std::sync::Arc;

use super::constants::*;
use super::{Id, Labels, Memo, Port, Time};
use crate::table::word_of;

/// Whether a pod's sandbox is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum PodState {
    /// The engine has not reported the state.
    #[default]
    Unknown,
    /// Ready.
    Ready,
    /// Not ready (any more).
    NotReady,
}

impl PodState {
    /// The number in the C ABI: one of `CRI_POD_*`.
    pub fn number(self) -> u32 {
        match self {
            PodState::Unknown => CRI_POD_UNKNOWN,
            PodState::Ready => CRI_POD_READY,
            PodState::NotReady => CRI_POD_NOT_READY,
        }
    }

    /// Its name in JSON.
    pub fn word(self) -> &'static str {
        word_of(POD_STATES, self.number())
    }
}

/// One version of a pod. Its labels and annotations are those of the sandbox: containers do not repeat them.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Pod {
    /// The sandbox's id.
    pub id: Id,
    /// The pod's name.
    pub name: Arc<str>,
    /// The pod's namespace.
    pub namespace: Arc<str>,
    /// The pod's uid, as Kubernetes gives it.
    pub uid: Arc<str>,
    /// The attempt number; 0 for the first sandbox of the pod.
    pub attempt: u32,
    /// Whether the sandbox is ready.
    pub state: PodState,
    /// The pod's labels.
    pub labels: Arc<Labels>,
    /// The pod's annotations.
    pub annotations: Arc<Labels>,
    /// The pod's addresses, the primary one first; none where the pod uses the node's, or while unknown.
    pub ips: Arc<[Arc<str>]>,
    /// Whether it uses the node's network; `None` while unknown.
    pub host_network: Option<bool>,
    /// Whether it uses the node's process ids.
    pub host_pid: Option<bool>,
    /// Whether it uses the node's IPC.
    pub host_ipc: Option<bool>,
    /// The ports that its containers declare, as the kubelet writes them into the containers' annotations.
    pub ports: Arc<[Port]>,
    /// Whether the kubelet made it from a file or a URL, without the API server; `None` where nothing says so.
    pub static_pod: Option<bool>,
    /// The pod's cgroup, the parent of its containers' cgroups: a path below the mount of the cgroup file system.
    pub cgroup_path: Option<Arc<str>>,
    /// The network namespace's inode number; 0 where unknown.
    pub net_namespace: u64,
    /// The runtime class's handler, "" for the default one.
    pub runtime_handler: Arc<str>,
    /// When the sandbox was created.
    pub created_at: Option<Time>,
    /// The C view, made when it is first used.
    pub(crate) view: Memo,
}

impl Pod {
    /// A pod of which only the sandbox's id is known.
    pub fn new(id: Id) -> Self {
        Pod {
            id,
            name: Arc::default(),
            namespace: Arc::default(),
            uid: Arc::default(),
            attempt: 0,
            state: PodState::Unknown,
            labels: Labels::none(),
            annotations: Labels::none(),
            ips: Arc::default(),
            host_network: None,
            host_pid: None,
            host_ipc: None,
            ports: Arc::default(),
            static_pod: None,
            cgroup_path: None,
            net_namespace: 0,
            runtime_handler: Arc::default(),
            created_at: None,
            view: Memo::default(),
        }
    }

    /// The pod's own cgroup, from the path of a member, a container or the sandbox: the part up to the name that the
    /// kubelet makes of the pod's uid (`pod<uid>`, or `kubepods-burstable-pod<uid, with underscores>.slice`).
    pub(crate) fn cgroup_above<'a>(&self, member: &'a str) -> Option<&'a str> {
        // A path that leads out of our own cgroup namespace is not one of the file system.
        if self.uid.is_empty() || member.split('/').any(|part| part == "..") {
            return None;
        }
        let is_pods = |name: &str| name.strip_prefix("pod") == Some(&*self.uid) || self.is_slice(name);
        let ends = member.match_indices('/').map(|(at, _)| at).filter(|at| *at > 0);
        ends.map(|end| &member[..end]).find(|path| path.rsplit('/').next().is_some_and(is_pods))
    }

    /// Whether this is the name of the pod's slice. In names of slices, systemd keeps `-` for the levels above.
    fn is_slice(&self, name: &str) -> bool {
        let escaped = self.uid.bytes().map(|byte| if byte == b'-' { b'_' } else { byte });
        let parts = name.strip_suffix(".slice").and_then(|name| name.rsplit_once("-pod"));
        parts.is_some_and(|(_, uid)| uid.bytes().eq(escaped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pods_cgroup_is_the_one_that_its_uid_names() {
        let mut pod = Pod::new("p".into());
        assert_eq!(pod.cgroup_above("/kubepods/pod/c"), None, "without a uid nothing is certain");
        pod.uid = "5b0c-2f1e".into();
        for (member, above) in [
            ("/kubepods/besteffort/pod5b0c-2f1e/c1", Some("/kubepods/besteffort/pod5b0c-2f1e")),
            ("/kubepods/pod5b0c-2f1e/crio-c1/container", Some("/kubepods/pod5b0c-2f1e")),
            (
                "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod5b0c_2f1e.slice/cri-containerd-c1.scope",
                Some("/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod5b0c_2f1e.slice"),
            ),
            ("/kubepods-pod5b0c-2f1e.slice/c1", None),
            ("/kubepods-pod5b0c_2f1.slice/c1", None),
            ("/pod5b0c_2f1e.slice/c1", None),
            ("/kubepods/pod5b0c-2f1", None),
            ("/kubepods/pod5b0c-2f1e", None),
            ("/kubepods/pod5b0c-2f1e0/c1", None),
            ("/../kubepods/pod5b0c-2f1e/c1", None),
            ("/k8s.io/c1", None),
            ("", None),
        ] {
            assert_eq!(pod.cgroup_above(member), above, "{member}");
        }
    }
}
