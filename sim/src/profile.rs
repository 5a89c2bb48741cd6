//! How the engines differ. Each quirk is one field, so a new engine is a new value of `Profile`.
//! Sections (§) are those of engine-facts.

use std::time::Duration;

/// The family of an engine: it decides the formats of verbose info, cgroup paths and pid files.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Family {
    Containerd,
    Crio,
    Dockerd,
}

/// How GetContainerEvents delivers events (§2, §3).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Delivery {
    Unimplemented,
    /// The stream ends at once with OK and without a message.
    Disabled,
    /// A channel for each subscriber; a full one blocks everybody. Without a subscriber, events wait for the next one.
    Blocking {
        capacity: usize,
        replay_for: Duration,
    },
    /// One channel for all subscribers, so each event reaches one of them. When it is full, new events are dropped.
    Shared {
        capacity: usize,
    },
    /// One channel and one broadcaster, which serves the subscribers one after the other. When it is full, new events are dropped.
    Serial {
        capacity: usize,
    },
}

/// When RemovePodSandbox sends DELETED for the sandbox itself (§1.1, §1.2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SandboxDeleted {
    /// While the sandbox is still listed, with its status.
    BeforeRemoval,
    /// After the removal, without a status.
    AfterRemoval,
    Never,
}

/// StreamContainers and StreamPodSandboxes (§7).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StreamedLists {
    UnknownMethod,
    NotImplemented,
    Batches(usize),
}

/// The behaviour of one engine.
#[derive(Clone, Debug)]
pub struct Profile {
    pub name: &'static str,
    /// How it differs, for docs/simulator.md.
    pub about: &'static str,
    pub family: Family,
    pub runtime_name: &'static str,
    pub runtime_version: &'static str,
    pub delivery: Delivery,
    pub sends_sandbox_created: bool,
    pub sandbox_deleted: SandboxDeleted,
    /// Whether RemovePodSandbox sends DELETED for the containers it removes (§1.2).
    pub sends_containers_of_removed_pod: bool,
    /// Whether an event has the statuses of the containers with the pod's uid as label, not those of the sandbox (§1.2).
    pub statuses_by_uid_label: bool,
    /// How long after a process's exit STOPPED is sent; it is lost if the container is removed meanwhile.
    pub sends_exit_after: Duration,
    /// Whether a pod has a process of its own; without one it has no pid (§5).
    pub infra_process: bool,
    /// Whether the process exists from CreateContainer on, with its pid shown in every state (§5).
    pub pid_in_every_state: bool,
    /// Whether CreateContainer requires what the kubelet always gives: the image as the pod's author wrote it, and the
    /// container's own namespace options; and whether programs are found only by their absolute paths.
    pub demanding: bool,
    /// Whether the engine gives sandboxes the label `io.kubernetes.container.name: POD`.
    pub labels_sandboxes: bool,
    /// Whether a sandbox's status that is not verbose has an info, with pid 0 (§5).
    pub info_unasked: bool,
    /// Whether PodSandboxStatus has a timestamp (§3).
    pub status_timestamp: bool,
    /// Whether a label filter with an empty value matches what does not have the key (§6).
    pub empty_value_selects_missing: bool,
    pub streamed_lists: StreamedLists,
    /// Whether containerd's OCI specifications have the image's name as the pod's author wrote it, rather than the
    /// image's first name.
    pub specs_name_images: bool,
    /// The value of started_at and finished_at while they are unset (§11).
    pub unset_time: i64,
    /// The resolution of created_at, in ns (§6).
    pub created_resolution: i64,
    /// created_at of a sandbox that the sandbox controller has already forgotten (§1.1).
    pub forgotten_created_at: i64,
    /// The largest message in both directions (§7).
    pub max_message: usize,
    /// The exit code of a container that ended while the engine was down; `None`: the real one (§8).
    pub exit_code_while_down: Option<i32>,
}

/// The result of Go's `time.Time{}.UnixNano()`, which is out of range.
pub const GO_ZERO_TIME: i64 = -6_795_364_578_871_345_152;

pub const CONTAINERD_2: Profile = Profile {
    name: "containerd-2",
    about: "Events: a channel of 100 for each subscriber; a full one blocks everything that sends an event; without a subscriber, events are kept for five minutes and sent to the next one",
    family: Family::Containerd,
    runtime_name: "containerd",
    runtime_version: "v2.1.9",
    delivery: Delivery::Blocking { capacity: 100, replay_for: Duration::from_secs(300) },
    sends_sandbox_created: true,
    sandbox_deleted: SandboxDeleted::BeforeRemoval,
    sends_containers_of_removed_pod: true,
    statuses_by_uid_label: false,
    sends_exit_after: Duration::ZERO,
    infra_process: true,
    pid_in_every_state: false,
    demanding: false,
    labels_sandboxes: false,
    info_unasked: false,
    status_timestamp: false,
    empty_value_selects_missing: false,
    streamed_lists: StreamedLists::UnknownMethod,
    specs_name_images: true,
    unset_time: 0,
    created_resolution: 1,
    forgotten_created_at: GO_ZERO_TIME,
    max_message: 16 << 20,
    exit_code_while_down: Some(255),
};

pub const CONTAINERD_2_3: Profile = Profile {
    name: "containerd-2.3",
    about: "As containerd-2, but a sandbox's status that is not verbose has an `info` with pid 0",
    runtime_version: "v2.3.4",
    info_unasked: true,
    streamed_lists: StreamedLists::NotImplemented,
    ..CONTAINERD_2
};

pub const CONTAINERD_1_7: Profile = Profile {
    name: "containerd-1.7",
    about: "Events: one channel of 1000; each event goes to one subscriber only; new events are dropped when it is full. DELETED of a sandbox has no status. Otherwise as containerd-2",
    runtime_version: "1.7.24",
    delivery: Delivery::Shared { capacity: 1000 },
    sandbox_deleted: SandboxDeleted::AfterRemoval,
    specs_name_images: false,
    ..CONTAINERD_2
};

pub const CONTAINERD_1_6: Profile = Profile {
    name: "containerd-1.6",
    about: "No events: UNIMPLEMENTED. Otherwise as containerd-1.7",
    runtime_version: "1.6.20",
    delivery: Delivery::Unimplemented,
    ..CONTAINERD_1_7
};

pub const CRIO: Profile = Profile {
    name: "crio",
    about: "Events: one channel of 1000; new events are dropped when it is full; subscribers are served one after the other, so one that does not read delays the others. No CREATED and DELETED of sandboxes; no DELETED of the containers of a removed pod; an event has the statuses of the containers with the pod's uid as label; STOPPED comes 2 ms after the exit, and is lost if the container is removed before. The pid is shown in every state; pods have no process; a wrong command fails at create; streamed lists in batches of 3000; sandbox statuses have a timestamp; an empty label filter matches what does not have the key; lists and statuses show an image's first tag, or its id; sandboxes have the label `io.kubernetes.container.name: POD`; CreateContainer wants `user_specified_image`, namespace options of the container's own and whole paths of programs (of other clients; scripts need not care)",
    family: Family::Crio,
    runtime_name: "cri-o",
    runtime_version: "1.36.3",
    delivery: Delivery::Serial { capacity: 1000 },
    sends_sandbox_created: false,
    sandbox_deleted: SandboxDeleted::Never,
    sends_containers_of_removed_pod: false,
    statuses_by_uid_label: true,
    sends_exit_after: Duration::from_millis(2),
    infra_process: false,
    pid_in_every_state: true,
    demanding: true,
    labels_sandboxes: true,
    status_timestamp: true,
    empty_value_selects_missing: true,
    streamed_lists: StreamedLists::Batches(3000),
    max_message: 80 << 20,
    exit_code_while_down: None,
    ..CONTAINERD_2
};

/// CRI-O with another version: clients have to know that CRI-O 1.28 to 1.32 can crash when a subscriber leaves.
pub const CRIO_1_30: Profile = Profile {
    name: "crio-1.30",
    about: "As crio, with its version, and without streamed lists",
    runtime_version: "1.30.14",
    streamed_lists: StreamedLists::UnknownMethod,
    ..CRIO
};

pub const CRIO_EVENTS_OFF: Profile = Profile {
    name: "crio-events-off",
    about: "As crio, but the stream of events ends at once with OK; no timestamps",
    delivery: Delivery::Disabled,
    status_timestamp: false,
    ..CRIO
};

pub const CRI_DOCKERD: Profile = Profile {
    name: "cri-dockerd",
    about: "No events: UNIMPLEMENTED. The info of containers is only sandboxID and pid; sandboxes have none; created_at in whole seconds; an unset time is Go's zero time",
    family: Family::Dockerd,
    runtime_name: "docker",
    runtime_version: "28.5.2",
    delivery: Delivery::Unimplemented,
    unset_time: GO_ZERO_TIME,
    created_resolution: 1_000_000_000,
    exit_code_while_down: None,
    ..CONTAINERD_2
};

const ALL: &[Profile] =
    &[CONTAINERD_1_6, CONTAINERD_1_7, CONTAINERD_2, CONTAINERD_2_3, CRIO, CRIO_1_30, CRIO_EVENTS_OFF, CRI_DOCKERD];

impl Profile {
    /// created_at as the engine shows it.
    pub fn created_at(&self, nanos: i64) -> i64 {
        nanos - nanos.rem_euclid(self.created_resolution)
    }

    pub fn all() -> impl Iterator<Item = &'static Profile> {
        ALL.iter()
    }

    pub fn named(name: &str) -> Option<Profile> {
        ALL.iter().find(|p| p.name == name).cloned()
    }

    pub fn names() -> String {
        ALL.iter().map(|p| p.name).collect::<Vec<_>>().join(", ")
    }
}
