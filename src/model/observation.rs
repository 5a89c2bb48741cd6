//! What one reply or one event of the engine says about one container or sandbox.

use std::sync::Arc;

use super::{Exit, Id, Image, Kind, Labels, Pod, State, Time};

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
    /// The sandbox it is in; a status does not say.
    pub pod_id: Option<Id>,
    /// The pod, where the statement is about one.
    pub pod: Option<Arc<Pod>>,
    /// Labels.
    pub labels: Arc<Labels>,
    /// Annotations.
    pub annotations: Arc<Labels>,
    /// Image.
    pub image: Image,
    /// Time of creation.
    pub created_at: Option<Time>,
    /// Time of start; lists do not say.
    pub started_at: Option<Time>,
    /// Time of exit; lists do not say.
    pub finished_at: Option<Time>,
    /// How it ended; lists do not say.
    pub exit: Option<Exit>,
    /// Whether this is a status, which tells times and exits, or only an entry of a list.
    pub is_status: bool,
    /// What only a verbose status tells.
    pub details: Option<Details>,
}

impl Observation {
    /// A statement that tells no more than that there is something with this id.
    pub fn of(id: Id, kind: Kind) -> Self {
        Observation {
            id,
            kind,
            name: "".into(),
            attempt: 0,
            state: State::Unknown,
            pod_id: None,
            pod: None,
            labels: Arc::default(),
            annotations: Arc::default(),
            image: Image::default(),
            created_at: None,
            started_at: None,
            finished_at: None,
            exit: None,
            is_status: false,
            details: None,
        }
    }

    /// The same statement, made about this pod.
    pub fn with_pod(mut self, pod: Pod) -> Self {
        self.pod_id = Some(pod.id.clone());
        self.pod = Some(pod.into());
        self
    }

    /// Whether it was created but could not be started: it exited without ever having had a start. containerd
    /// says so by leaving out the time of start; CRI-O sets created, started and finished to the same instant.
    pub fn never_started(&self) -> bool {
        self.is_status
            && self.kind == Kind::Container
            && self.state == State::Exited
            && (self.started_at.is_none()
                || (self.started_at == self.created_at && self.started_at == self.finished_at))
    }
}

/// What a verbose status tells, once checked against the host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Details {
    /// The first process, in the caller's pid namespace.
    pub pid: Option<i32>,
    /// When it began, in clock ticks since boot.
    pub pid_start_ticks: Option<u64>,
    /// The pid in the engine's words, where that differs.
    pub engine_pid: Option<i32>,
    /// The cgroup, as the file system shows it.
    pub cgroup_path: Option<Arc<str>>,
    /// Whether this engine will never tell a pid for this one, so that there is no use in asking again.
    pub no_pid: bool,
}
