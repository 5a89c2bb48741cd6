//! Where engines usually listen.

use crate::model::Evidence;

/// A socket at which an engine usually listens.
#[derive(Debug)]
#[non_exhaustive]
pub struct WellKnown {
    /// Its path on the host; a `*` stands for any name.
    pub path: &'static str,
    /// Whose it is.
    pub whose: &'static str,
    /// Whether a user's own engine listens there.
    pub rootless: bool,
}

impl WellKnown {
    /// The kind of evidence that this entry is.
    pub fn evidence(&self) -> Evidence {
        if self.rootless { Evidence::Rootless } else { Evidence::WellKnown }
    }
}

const fn system(path: &'static str, whose: &'static str) -> WellKnown {
    WellKnown { path, whose, rootless: false }
}

const fn rootless(path: &'static str, whose: &'static str) -> WellKnown {
    WellKnown { path, whose, rootless: true }
}

/// The one table. Its order decides between engines that are otherwise equal.
pub static WELL_KNOWN: &[WellKnown] = &[
    system("/run/containerd/containerd.sock", "containerd"),
    system("/run/crio/crio.sock", "CRI-O"),
    system("/run/cri-dockerd.sock", "cri-dockerd"),
    // For hosts where /var/run is not a link to /run.
    system("/var/run/cri-dockerd.sock", "cri-dockerd"),
    system("/run/k3s/containerd/containerd.sock", "k3s, RKE2"),
    system("/run/k3s/cri-dockerd/cri-dockerd.sock", "k3s --docker"),
    system("/run/k0s/containerd.sock", "k0s"),
    system("/var/snap/microk8s/common/run/containerd.sock", "MicroK8s"),
    rootless("/run/user/*/k3s/containerd/containerd.sock", "rootless k3s"),
    rootless("/run/user/*/containerd/containerd.sock", "rootless containerd"),
    rootless("/run/user/*/crio/crio.sock", "rootless CRI-O"),
    rootless("/run/user/*/usernetes/containerd/containerd.sock", "Usernetes"),
    rootless("/run/user/*/usernetes/crio/crio.sock", "Usernetes"),
];
