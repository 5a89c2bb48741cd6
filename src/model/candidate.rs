//! An engine that was searched for: where, why there, and the result.

use std::sync::Arc;

use crate::error::Error;

/// Why a socket may be an engine's; the strongest reason first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Evidence {
    /// The node's kubelet uses it.
    Kubelet,
    /// crictl's configuration names it.
    Crictl,
    /// Engines usually listen there.
    WellKnown,
    /// A user's own engine usually listens there.
    Rootless,
    /// A kubelet inside a container uses it.
    NestedKubelet,
    /// Engines usually listen there, and this is in another mount namespace.
    Nested,
}

impl Evidence {
    /// All, the strongest first.
    pub const ALL: [Evidence; 6] = [
        Evidence::Kubelet,
        Evidence::Crictl,
        Evidence::WellKnown,
        Evidence::Rootless,
        Evidence::NestedKubelet,
        Evidence::Nested,
    ];

    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Evidence::Kubelet => "kubelet",
            Evidence::Crictl => "crictl",
            Evidence::WellKnown => "wellKnown",
            Evidence::Rootless => "rootless",
            Evidence::NestedKubelet => "nestedKubelet",
            Evidence::Nested => "nested",
        }
    }

    /// Whether it is evidence from a kubelet.
    pub fn is_kubelets(self) -> bool {
        matches!(self, Evidence::Kubelet | Evidence::NestedKubelet)
    }
}

/// One reason to look at a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The kind of evidence.
    pub evidence: Evidence,
    /// The reason as text, e.g. which file or process names the socket.
    pub text: Arc<str>,
}

/// A socket that was asked, and the engine there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Candidate {
    /// The endpoint, e.g. `unix:///run/containerd/containerd.sock`.
    pub api: Arc<str>,
    /// Why it was looked at, the strongest reason first.
    pub reasons: Vec<Reason>,
    /// Why it has this place among the others, as text.
    pub rank: Arc<str>,
    /// The engine's name, e.g. `containerd`; empty if it did not answer.
    pub runtime_name: Arc<str>,
    /// Its version.
    pub runtime_version: Arc<str>,
    /// The version of CRI that it speaks.
    pub runtime_api_version: Arc<str>,
    /// The engine's id: the option `engine.id`, or the name of its host.
    pub id: Arc<str>,
    /// The pid of the engine, in the pid namespace of this process.
    pub pid: Option<i32>,
    /// How many sandboxes it has; `None` if it did not say.
    pub sandboxes: Option<u64>,
    /// Why the socket cannot be used; `None` if it can.
    pub error: Option<Error>,
}

impl Candidate {
    /// Whether an engine answers there.
    pub fn answers(&self) -> bool {
        self.error.is_none()
    }
}

/// The result of a search for engines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Engines {
    /// The engines and sockets that were found, the best one first. Those that do not answer come last.
    pub candidates: Vec<Candidate>,
    /// Well-known sockets that do not exist on this node.
    pub absent: Vec<Arc<str>>,
    /// What the search could not read, and what it left out, as text.
    pub notes: Vec<Arc<str>>,
}
