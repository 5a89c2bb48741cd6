//! An observation: the statement of one reply or one event of the engine about one container or sandbox.

use std::num::NonZeroU64;
use std::sync::Arc;

use super::{Exit, Id, Kind, Labels, Namespaces, Pod, Spec, State, Time};

/// One statement of the engine about one container or sandbox.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Observation {
    /// Its id.
    pub id: Id,
    /// Container or sandbox.
    pub kind: Kind,
    /// Its name.
    pub name: Arc<str>,
    /// Its attempt.
    pub attempt: u32,
    /// Its state.
    pub state: State,
    /// The sandbox that it is in; a status does not give it.
    pub pod_id: Option<Id>,
    /// The pod, where the statement is about one.
    pub pod: Option<Arc<Pod>>,
    /// Labels.
    pub labels: Arc<Labels>,
    /// Annotations.
    pub annotations: Arc<Labels>,
    /// The names of the image.
    pub image: ImageNames,
    /// Time of creation.
    pub created_at: Option<Time>,
    /// The time of start; lists do not give it.
    pub started_at: Option<Time>,
    /// The time of exit; lists do not give it.
    pub finished_at: Option<Time>,
    /// How it ended; lists do not give it.
    pub exit: Option<Exit>,
    /// Whether this is a status, which has times and exits, or only an entry of a list.
    pub is_status: bool,
    /// How the container was made, if this statement says so.
    pub spec: Option<Arc<Spec>>,
    /// The details that only a verbose status has.
    pub details: Option<Details>,
    /// Which texts had to be repaired or cut: bits of `CRI_CONTAINER_FLAG_*`.
    pub flags: u32,
    /// The fingerprint of a list's entry. Entries with the same content have the same one.
    pub fingerprint: Option<Fingerprint>,
}

/// A number that is equal for two entries of lists with the same content. For two that differ, it is equal once in 2^64
/// comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(NonZeroU64);

impl Fingerprint {
    /// Makes a fingerprint from an entry's hash.
    pub(crate) fn new(hash: u64) -> Self {
        Fingerprint(NonZeroU64::new(hash).unwrap_or(NonZeroU64::MIN))
    }
}

/// The names of an image in one statement. Engines use one wire field for different things, so the form of a value
/// decides what it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ImageNames {
    /// The name that the pod's author wrote, if the engine has kept it.
    pub author: Arc<str>,
    /// The engine's own name of the image; it may be the first of several tags, or a digest.
    pub engine: Arc<str>,
    /// The name in the OCI spec's annotations.
    pub annotated: Arc<str>,
    /// A repository with a digest.
    pub reference: Arc<str>,
    /// The digest of the image's configuration.
    pub id: Arc<str>,
}

impl Observation {
    /// A statement that only says that something has this id.
    pub fn of(id: Id, kind: Kind) -> Self {
        Observation {
            id,
            kind,
            name: Arc::default(),
            attempt: 0,
            state: State::Unknown,
            pod_id: None,
            pod: None,
            labels: Labels::none(),
            annotations: Labels::none(),
            image: ImageNames::default(),
            created_at: None,
            started_at: None,
            finished_at: None,
            exit: None,
            is_status: false,
            spec: None,
            details: None,
            flags: 0,
            fingerprint: None,
        }
    }

    /// The same statement, about this pod.
    pub fn with_pod(mut self, pod: Pod) -> Self {
        self.pod_id = Some(pod.id.clone());
        self.pod = Some(pod.into());
        self
    }

    /// Whether it was created but could not be started, so that it exited without a start. containerd then leaves out
    /// the time of start; CRI-O sets created, started and finished to the same instant.
    pub fn never_started(&self) -> bool {
        self.is_status
            && self.kind == Kind::Container
            && self.state == State::Exited
            && (self.started_at.is_none()
                || (self.started_at == self.created_at && self.started_at == self.finished_at))
    }
}

/// The details of a verbose status, checked against the host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Details {
    /// The first process, in the caller's pid namespace.
    pub pid: Option<i32>,
    /// When it began, in clock ticks since boot.
    pub pid_start_ticks: Option<u64>,
    /// The pid as the engine reports it, where that differs from `pid`.
    pub engine_pid: Option<i32>,
    /// The cgroup: a path below the mount of the cgroup file system.
    pub cgroup_path: Option<Arc<str>>,
    /// The id of that cgroup in cgroup v2.
    pub cgroup_id: Option<u64>,
    /// The namespaces of the process.
    pub namespaces: Namespaces,
    /// The image's name in the annotations of the OCI specification, if that was read from the engine's folder.
    pub image_name: Option<Arc<str>>,
    /// How it was made, as far as only the verbose information shows it.
    pub spec: Option<Arc<Spec>>,
    /// Whether this engine will never give a pid for it, so that asking again is of no use.
    pub no_pid: bool,
}
