//! One container (or sandbox) as it was at one moment. Never changed in place: a change makes a new version.

use std::sync::{Arc, LazyLock};

use super::constants::*;
use super::{Id, Image, JsonText, Labels, Memo, Namespaces, Pod, Previous, Spec, Time};
use crate::table::word_of;

/// The kind of a record: a container, or the sandbox of a pod (which is a container, too).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A container of a pod.
    Container,
    /// A pod's sandbox.
    Sandbox,
}

impl Kind {
    /// The number in the C ABI: one of `CRI_KIND_*`.
    pub fn number(self) -> u32 {
        match self {
            Kind::Container => CRI_KIND_CONTAINER,
            Kind::Sandbox => CRI_KIND_SANDBOX,
        }
    }

    /// Its name in JSON.
    pub fn word(self) -> &'static str {
        word_of(KINDS, self.number())
    }
}

/// The state of a container. A sandbox is `Running` while it is ready, and `Exited` when it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum State {
    /// The engine does not know the state, or has not reported it. This is not an exit.
    #[default]
    Unknown,
    /// Created, not yet started.
    Created,
    /// Running.
    Running,
    /// Exited.
    Exited,
}

impl State {
    /// The number in the C ABI: one of `CRI_STATE_*`.
    pub fn number(self) -> u32 {
        match self {
            State::Unknown => CRI_STATE_UNKNOWN,
            State::Created => CRI_STATE_CREATED,
            State::Running => CRI_STATE_RUNNING,
            State::Exited => CRI_STATE_EXITED,
        }
    }

    /// Its name in JSON.
    pub fn word(self) -> &'static str {
        word_of(STATES, self.number())
    }
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Exit {
    /// The exit code; `None` if it is unknown.
    pub code: Option<i32>,
    /// A short reason: `Completed`, `Error`, `OOMKilled` ...; `gone` when the container vanished.
    pub reason: Arc<str>,
    /// A longer explanation, often "".
    pub message: Arc<str>,
}

impl Exit {
    /// The exit of a container that vanished from the engine: nothing else is known.
    pub fn gone() -> Self {
        Exit { code: None, reason: "gone".into(), message: "".into() }
    }
}

/// One version of a container or sandbox.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Container {
    /// The engine's id.
    pub id: Id,
    /// Container or sandbox.
    pub kind: Kind,
    /// The name inside the pod. For a sandbox: the name of the pod.
    pub name: Arc<str>,
    /// The state that the engine last reported.
    pub state: State,
    /// The attempt number; 0 for the first container of this name in the pod.
    pub attempt: u32,
    /// The pod; `None` while it is unknown.
    pub pod: Option<Arc<Pod>>,
    /// The pid of the first process, in the pid namespace of this process. After the exit, it is still the pid that the
    /// process had.
    pub pid: Option<i32>,
    /// The start time of that process, in clock ticks since boot. A later process with the same pid has another value.
    pub pid_start_ticks: Option<u64>,
    /// The pid that the engine reports, if it differs from `pid`.
    pub engine_pid: Option<i32>,
    /// The engine's labels.
    pub labels: Arc<Labels>,
    /// The engine's annotations.
    pub annotations: Arc<Labels>,
    /// The image.
    pub image: Image,
    /// When it was created.
    pub created_at: Option<Time>,
    /// When it was started.
    pub started_at: Option<Time>,
    /// When it ended.
    pub finished_at: Option<Time>,
    /// How it ended.
    pub exit: Option<Exit>,
    /// Its cgroup: a path below the mount of the cgroup file system.
    pub cgroup_path: Option<Arc<str>>,
    /// The id of that cgroup in cgroup v2, as eBPF's `bpf_get_current_cgroup_id` gives it.
    pub cgroup_id: Option<u64>,
    /// The namespaces of the first process.
    pub namespaces: Namespaces,
    /// How it was made.
    pub spec: Arc<Spec>,
    /// How the previous run ended: the run of the last attempt with the same name in the same pod.
    pub previous: Option<Arc<Previous>>,
    /// What had to be repaired or cut: bits of `CRI_CONTAINER_FLAG_*`, without those of `spec.privileged`.
    pub flags: u32,
    /// The rucksack: JSON that the program itself has added.
    pub rucksack: Option<JsonText>,
    /// Facts that are unknown now and may become known later: bits of `CRI_MISSING_*`.
    pub missing: u64,
    /// Its C view, made when it is first used.
    pub(crate) view: Memo,
}

/// The spec of a container about which nothing is known yet. Most containers share it until their details are asked
/// for.
static NO_SPEC: LazyLock<Arc<Spec>> = LazyLock::new(Arc::default);

impl Container {
    /// A container of which only the id is known.
    pub fn new(id: Id, kind: Kind) -> Self {
        Container {
            id,
            kind,
            name: Arc::default(),
            state: State::Unknown,
            attempt: 0,
            pod: None,
            pid: None,
            pid_start_ticks: None,
            engine_pid: None,
            labels: Labels::none(),
            annotations: Labels::none(),
            image: Image::default(),
            created_at: None,
            started_at: None,
            finished_at: None,
            exit: None,
            cgroup_path: None,
            cgroup_id: None,
            namespaces: Namespaces::default(),
            spec: NO_SPEC.clone(),
            previous: None,
            flags: 0,
            rucksack: None,
            missing: 0,
            view: Memo::default(),
        }
    }

    /// Whether the container runs, or the sandbox is ready.
    pub fn is_running(&self) -> bool {
        self.state == State::Running
    }

    /// The pod's namespace, or "" while the pod is unknown.
    pub fn namespace(&self) -> &str {
        self.pod.as_ref().map_or("", |p| &p.namespace)
    }

    /// The pod's name, or "" while the pod is unknown.
    pub fn pod_name(&self) -> &str {
        self.pod.as_ref().map_or("", |p| &p.name)
    }

    /// The path `namespace/pod/container`; for a sandbox `namespace/pod`.
    pub fn path(&self) -> String {
        match self.kind {
            Kind::Container => format!("{}/{}/{}", self.namespace(), self.pod_name(), self.name),
            Kind::Sandbox => format!("{}/{}", self.namespace(), self.pod_name()),
        }
    }

    /// The bits of `CRI_CHANGED_*` in which `self` differs from `before`.
    pub fn changed_since(&self, before: &Container) -> u64 {
        let mut bits = 0;
        let mut note = |changed: bool, bit: u64| bits |= if changed { bit } else { 0 };
        let process = |c: &Container| (c.pid, c.cgroup_path.clone(), c.cgroup_id, c.namespaces);
        note(process(self) != process(before), CRI_CHANGED_PID);
        // A change of the pod does not concern a container that has exited; a first pod does.
        let follows_pod = before.pod.is_none() || self.state != State::Exited;
        note(follows_pod && !same_pod(self.pod.as_deref(), before.pod.as_deref()), CRI_CHANGED_POD);
        note(self.started_at != before.started_at, CRI_CHANGED_STARTED_AT);
        note((&self.exit, self.finished_at) != (&before.exit, before.finished_at), CRI_CHANGED_EXIT);
        note(self.state != before.state, CRI_CHANGED_STATE);
        note(self.rucksack != before.rucksack, CRI_CHANGED_RUCKSACK);
        note((&self.labels, &self.annotations) != (&before.labels, &before.annotations), CRI_CHANGED_LABELS);
        note(self.image != before.image, CRI_CHANGED_IMAGE);
        note((&self.spec, &self.previous) != (&before.spec, &before.previous), CRI_CHANGED_DETAILS);
        bits
    }
}

/// Whether both are the same version of the pod, except for its state, which the sandbox's own events report.
fn same_pod(a: Option<&Pod>, b: Option<&Pod>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => std::ptr::eq(a, b) || *a == Pod { state: a.state, ..b.clone() },
        (None, None) => true,
        _ => false,
    }
}
