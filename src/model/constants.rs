//! Constants
//!
//! These numbers and keys are the same in every language.

use crate::table::constants;

constants! {
    EVENT_TYPES: u32, words without "CRI_EVENT_";
    /// A run has begun: a container was started, or a sandbox is ready. Reported once for each run; replays repeat
    /// it with CRI_EVENT_FLAG_INITIAL.
    pub const CRI_EVENT_STARTED: u32 = 1;
    /// A run has ended. Reported exactly once for each run, after its STARTED. An EXITED comes without a STARTED
    /// only with CRI_EVENT_FLAG_NEVER_STARTED, or for a consumer with CRI_SUBSCRIBE_LIVE_ONLY.
    pub const CRI_EVENT_EXITED: u32 = 2;
    /// Something about a container has become known or has changed; `changed` says what. An UPDATED may follow the
    /// EXITED, too: the reason of an exit may become known, or final, about a second later.
    pub const CRI_EVENT_UPDATED: u32 = 3;
    /// The state of the watcher has changed. `watcher_state` is the new one.
    pub const CRI_EVENT_STATE: u32 = 4;
    /// A replay begins: one STARTED with CRI_EVENT_FLAG_INITIAL follows for each run. Sent whatever the mask is.
    pub const CRI_EVENT_REPLAY_BEGIN: u32 = 5;
    /// The replay is complete: a container that it did not show does not run. Sent whatever the mask is.
    pub const CRI_EVENT_REPLAY_END: u32 = 6;
    /// This consumer was too slow and lost events; `lost` says how many. A replay follows, except with
    /// CRI_SUBSCRIBE_LIVE_ONLY. Sent whatever the mask is.
    pub const CRI_EVENT_OVERFLOW: u32 = 7;
    /// A container was created and is not started yet. Sent only if the mask asks for it. Containers that the
    /// watcher first sees after their start get no CREATED.
    pub const CRI_EVENT_CREATED: u32 = 8;
    /// The engine no longer has the container or sandbox. Sent only if the mask asks for it.
    pub const CRI_EVENT_REMOVED: u32 = 9;
    /// The watcher reports about its own work; `log_level` gives the level. Sent only if the mask asks for it.
    pub const CRI_EVENT_LOG: u32 = 10;
}

constants! {
    EVENT_FLAGS: u32, words without "CRI_EVENT_FLAG_";
    /// The watcher concluded the event from a list or a status; the event stream of the engine did not report it.
    pub const CRI_EVENT_FLAG_SYNTHETIC: u32 = 1;
    /// The event is part of a replay: the run began before the replay.
    pub const CRI_EVENT_FLAG_INITIAL: u32 = 2;
    /// The container was reported as exited before, and the engine shows it running again.
    pub const CRI_EVENT_FLAG_REAPPEARED: u32 = 4;
    /// The container was created but could not be started: this EXITED has no STARTED.
    pub const CRI_EVENT_FLAG_NEVER_STARTED: u32 = 8;
    /// The reason of the exit may still change, because engines notice an OOM kill late. One UPDATED follows when
    /// it is final.
    pub const CRI_EVENT_FLAG_PROVISIONAL: u32 = 16;
    /// The watcher saw the process end on the host while the engine was away. The time and the exit code come from the
    /// host. An UPDATED follows if the engine corrects them when it is back.
    pub const CRI_EVENT_FLAG_WITNESSED: u32 = 32;
    /// This UPDATED makes a provisional exit final. To count exits by reason, count each run once: at its EXITED
    /// without CRI_EVENT_FLAG_PROVISIONAL, or at the UPDATED with this flag. A later correction of a final exit comes
    /// without this flag.
    pub const CRI_EVENT_FLAG_CONFIRMED: u32 = 64;
}

constants! {
    SUBSCRIBE_FLAGS: u32, words without "CRI_SUBSCRIBE_";
    /// Send no replays: none at the beginning, and none after an overflow. An EXITED may then come without its
    /// STARTED.
    pub const CRI_SUBSCRIBE_LIVE_ONLY: u32 = 1;
}

constants! {
    INSPECT_FLAGS: u32, words without "CRI_INSPECT_";
    /// Fail with CRI_E_PROCESSLESS if the container has no process.
    pub const CRI_INSPECT_REQUIRE_PROCESS: u32 = 1;
    /// Show the values of environment variables, which may be secrets. Without this flag they are redacted.
    pub const CRI_INSPECT_SHOW_ENV: u32 = 2;
    /// Show labels and annotations apart, as records do, whatever the option labels.annotations says.
    pub const CRI_INSPECT_SEPARATE_ANNOTATIONS: u32 = 4;
}

constants! {
    KINDS: u32, words without "CRI_KIND_";
    /// A container.
    pub const CRI_KIND_CONTAINER: u32 = 1;
    /// The sandbox of a pod ("pause" container).
    pub const CRI_KIND_SANDBOX: u32 = 2;
}

constants! {
    STATES: u32, words without "CRI_STATE_";
    /// The engine does not know the state, or has not reported it. This is not an exit.
    pub const CRI_STATE_UNKNOWN: u32 = 0;
    /// Created, and not started yet.
    pub const CRI_STATE_CREATED: u32 = 1;
    /// Running. For a sandbox: ready.
    pub const CRI_STATE_RUNNING: u32 = 2;
    /// Exited. For a sandbox: not ready.
    pub const CRI_STATE_EXITED: u32 = 3;
}

constants! {
    POD_STATES: u32, words without "CRI_POD_";
    /// The engine has not reported the state.
    pub const CRI_POD_UNKNOWN: u32 = 0;
    /// The pod's sandbox is ready.
    pub const CRI_POD_READY: u32 = 1;
    /// The pod's sandbox is not ready, or no longer ready.
    pub const CRI_POD_NOT_READY: u32 = 2;
}

constants! {
    POD_FLAGS: u32, words without "CRI_POD_FLAG_";
    /// The pod shares the network namespace of the node.
    pub const CRI_POD_FLAG_HOST_NETWORK: u32 = 1;
    /// The pod has a network namespace of its own. If neither bit is set, the engine has not reported it yet.
    pub const CRI_POD_FLAG_OWN_NETWORK: u32 = 2;
    /// The pod shares the process ids of the node.
    pub const CRI_POD_FLAG_HOST_PID: u32 = 4;
    /// The pod does not share the process ids of the node.
    pub const CRI_POD_FLAG_OWN_PID: u32 = 8;
    /// The pod shares the IPC namespace of the node.
    pub const CRI_POD_FLAG_HOST_IPC: u32 = 16;
    /// The pod does not share the IPC namespace of the node.
    pub const CRI_POD_FLAG_OWN_IPC: u32 = 32;
    /// The kubelet made the pod from a file or a URL, without the API server.
    pub const CRI_POD_FLAG_STATIC: u32 = 64;
    /// The pod came from the API server.
    pub const CRI_POD_FLAG_NOT_STATIC: u32 = 128;
}

constants! {
    MISSING: u64, words without "CRI_MISSING_";
    /// The pid, and with it the start time and the cgroup of the process.
    pub const CRI_MISSING_PID: u64 = 1;
    /// The pod of the container.
    pub const CRI_MISSING_POD: u64 = 2;
    /// The start time.
    pub const CRI_MISSING_STARTED_AT: u64 = 4;
    /// The exit: code, reason, message and time.
    #[word = c"exitCode"]
    pub const CRI_MISSING_EXIT: u64 = 8;
}

constants! {
    CHANGED: u64, words without "CRI_CHANGED_";
    /// The pid has become known or has changed.
    pub const CRI_CHANGED_PID: u64 = 1;
    /// The pod, or a field of the pod, has become known or has changed.
    pub const CRI_CHANGED_POD: u64 = 2;
    /// The start time has become known.
    pub const CRI_CHANGED_STARTED_AT: u64 = 4;
    /// The exit has become known, has changed, or has become final.
    pub const CRI_CHANGED_EXIT: u64 = 8;
    /// The state has changed without a start or an exit (between running and unknown).
    pub const CRI_CHANGED_STATE: u64 = 16;
    /// Labels or annotations have changed.
    pub const CRI_CHANGED_LABELS: u64 = 32;
    /// The rucksack has changed: the packer delivered it late, or the program attached one.
    pub const CRI_CHANGED_RUCKSACK: u64 = 64;
    /// A better name, reference or id of the image has become known.
    pub const CRI_CHANGED_IMAGE: u64 = 128;
    /// How the container was made has become known or has changed: command, user, mounts, limits, log path; or how its
    /// previous run ended.
    pub const CRI_CHANGED_DETAILS: u64 = 256;
}

constants! {
    CONTAINER_FLAGS: u32, words without "CRI_CONTAINER_FLAG_";
    /// A text of the engine was not UTF-8: each bad byte was replaced with U+FFFD.
    pub const CRI_CONTAINER_FLAG_TEXT_REPAIRED: u32 = 1;
    /// Labels or annotations are longer than the option `labels.max_bytes` allows, and were cut.
    pub const CRI_CONTAINER_FLAG_LABELS_CUT: u32 = 2;
    /// An entry of a list could not be decoded: only the id is sure to be right.
    pub const CRI_CONTAINER_FLAG_UNREADABLE: u32 = 4;
    /// The container is privileged.
    pub const CRI_CONTAINER_FLAG_PRIVILEGED: u32 = 8;
    /// The container is not privileged. If neither bit is set, the engine has not reported it yet.
    pub const CRI_CONTAINER_FLAG_UNPRIVILEGED: u32 = 16;
}

constants! {
    MOUNT_FLAGS: u32, words without "CRI_MOUNT_FLAG_";
    /// The container cannot write to the mount.
    pub const CRI_MOUNT_FLAG_READ_ONLY: u32 = 1;
}

constants! {
    WATCHER_STATES: u32, words without "CRI_WATCHER_";
    /// The watcher is not started.
    pub const CRI_WATCHER_NEW: u32 = 0;
    /// The watcher is trying to reach the engine.
    pub const CRI_WATCHER_CONNECTING: u32 = 1;
    /// The watcher has reached the engine and is making the first lists.
    pub const CRI_WATCHER_SYNCING: u32 = 2;
    /// The cache is in sync, and the watcher follows the event stream of the engine.
    pub const CRI_WATCHER_WATCHING: u32 = 3;
    /// The cache is kept in sync by repeated lists. This engine has no usable event stream, or the stream has just
    /// broken and is being opened again.
    pub const CRI_WATCHER_POLLING: u32 = 4;
    /// The watcher cannot reach the engine, and tries again without end. The cache shows the last known state.
    pub const CRI_WATCHER_BACKOFF: u32 = 5;
    /// The watcher is stopped.
    pub const CRI_WATCHER_STOPPED: u32 = 6;
}

constants! {
    ENGINE_NEWS: u32, words without "CRI_ENGINE_";
    /// A finder has found an engine.
    pub const CRI_ENGINE_FOUND: u32 = 1;
    /// Something about an engine has become known or has changed: its version, its process, the evidence for it, or
    /// whether it has sandboxes.
    pub const CRI_ENGINE_CHANGED: u32 = 2;
    /// An engine has failed to answer several times. The finder may find it again.
    pub const CRI_ENGINE_LOST: u32 = 3;
}

constants! {
    LOG_LEVELS: u32, words without "CRI_LOG_";
    /// The watcher cannot do its work.
    pub const CRI_LOG_ERROR: u32 = 1;
    /// Something is wrong, and may need the attention of an operator.
    pub const CRI_LOG_WARN: u32 = 2;
    /// Useful to know: connections, and how the watcher notices changes.
    pub const CRI_LOG_INFO: u32 = 3;
    /// Useful for finding a fault.
    pub const CRI_LOG_DEBUG: u32 = 4;
}

constants! {
    NAMESPACE_KINDS: u32, words without "CRI_NAMESPACE_";
    /// Cgroups.
    pub const CRI_NAMESPACE_CGROUP: u32 = 1;
    /// System V IPC and POSIX message queues.
    pub const CRI_NAMESPACE_IPC: u32 = 2;
    /// Mounts.
    pub const CRI_NAMESPACE_MNT: u32 = 3;
    /// Network.
    pub const CRI_NAMESPACE_NET: u32 = 4;
    /// Process ids.
    pub const CRI_NAMESPACE_PID: u32 = 5;
    /// Users.
    pub const CRI_NAMESPACE_USER: u32 = 6;
    /// Host name.
    pub const CRI_NAMESPACE_UTS: u32 = 7;
}

constants! {
    TEXTS: &'static str;
    /// The engine type that whalewatcher uses for CRI engines.
    pub const CRI_ENGINE_TYPE: &str = "k8s.io/cri-api";
    /// Label: the name of the pod.
    pub const CRI_LABEL_POD_NAME: &str = "io.kubernetes.pod.name";
    /// Label: the namespace of the pod.
    pub const CRI_LABEL_POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";
    /// Label: the uid of the pod.
    pub const CRI_LABEL_POD_UID: &str = "io.kubernetes.pod.uid";
    /// Label: the name of the container inside its pod.
    pub const CRI_LABEL_CONTAINER_NAME: &str = "io.kubernetes.container.name";
    /// Label: only sandboxes have it. Its value is "".
    pub const CRI_LABEL_SANDBOX: &str = "io.kubernetes.sandbox";
    /// Prefix: if JSON shows annotations among the labels, their keys begin with this.
    pub const CRI_ANNOTATION_KEY_PREFIX: &str = "io.kubernetes.annotation/";
}
