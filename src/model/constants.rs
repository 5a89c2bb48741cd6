//! The numbers and keys that Rust, C and the other bindings share.

use crate::table::constants;

constants! {
    EVENT_TYPES: u32;
    /// A container or sandbox lives. Told exactly once for each life.
    pub const CRI_EVENT_STARTED: u32 = 1;
    /// A life has ended. Told exactly once for each life, after its STARTED (but see CRI_SUBSCRIBE_LIVE_ONLY and
    /// CRI_EVENT_FLAG_NEVER_STARTED).
    pub const CRI_EVENT_EXITED: u32 = 2;
    /// More, or something else, is known of a container than was told before. It may come after the EXITED, too: how a
    /// container ended can become known, or final, about a second later.
    pub const CRI_EVENT_UPDATED: u32 = 3;
    /// The watcher's own state has changed.
    pub const CRI_EVENT_STATE: u32 = 4;
    /// A replay begins: a STARTED with flag INITIAL for each life follows. Cannot be masked.
    pub const CRI_EVENT_REPLAY_BEGIN: u32 = 5;
    /// The replay is over: what it did not show does not live. Cannot be masked.
    pub const CRI_EVENT_REPLAY_END: u32 = 6;
    /// This consumer was too slow and lost events; a replay follows. Cannot be masked.
    pub const CRI_EVENT_OVERFLOW: u32 = 7;
    /// A container was created, and has not been started yet. Only for those who ask for it; where a list or an event
    /// shows it only later, there is none.
    pub const CRI_EVENT_CREATED: u32 = 8;
    /// The engine no longer has the container or sandbox. Only for those who ask for it.
    pub const CRI_EVENT_REMOVED: u32 = 9;
    /// The watcher says something about its work; `log_level` tells how much it matters. Only for those who ask for it.
    pub const CRI_EVENT_LOG: u32 = 10;
}

constants! {
    EVENT_FLAGS: u32;
    /// Concluded from a list, not told by the engine's event stream.
    pub const CRI_EVENT_FLAG_SYNTHETIC: u32 = 1;
    /// Part of a replay: it lived before the replay began.
    pub const CRI_EVENT_FLAG_INITIAL: u32 = 2;
    /// It had been told as exited, and the engine shows it running again.
    pub const CRI_EVENT_FLAG_REAPPEARED: u32 = 4;
    /// It was created but could not be started: an EXITED without a STARTED.
    pub const CRI_EVENT_FLAG_NEVER_STARTED: u32 = 8;
    /// The exit's reason may still change (an OOM kill can be noticed late); then an UPDATED follows.
    pub const CRI_EVENT_FLAG_PROVISIONAL: u32 = 16;
}

constants! {
    SUBSCRIBE_FLAGS: u32;
    /// Live events only: no replay at the beginning, none after an overflow. An EXITED without its STARTED is
    /// possible then.
    pub const CRI_SUBSCRIBE_LIVE_ONLY: u32 = 1;
}

constants! {
    INSPECT_FLAGS: u32;
    /// A container without a process is an error: CRI_E_PROCESSLESS.
    pub const CRI_INSPECT_REQUIRE_PROCESS: u32 = 1;
    /// Show the values of environment variables, which may hold secrets; they are redacted otherwise.
    pub const CRI_INSPECT_SHOW_ENV: u32 = 2;
    /// Show labels and annotations apart, as records do, whatever the option labels.annotations says.
    pub const CRI_INSPECT_SEPARATE_ANNOTATIONS: u32 = 4;
}

constants! {
    KINDS: u32;
    /// A container.
    pub const CRI_KIND_CONTAINER: u32 = 1;
    /// A pod's sandbox ("pause" container), which is a container, too.
    pub const CRI_KIND_SANDBOX: u32 = 2;
}

constants! {
    STATES: u32;
    /// The engine does not know, or has not said. Not an exit.
    pub const CRI_STATE_UNKNOWN: u32 = 0;
    /// Created, not yet started.
    pub const CRI_STATE_CREATED: u32 = 1;
    /// Running (a sandbox: ready).
    pub const CRI_STATE_RUNNING: u32 = 2;
    /// Exited (a sandbox: not ready).
    pub const CRI_STATE_EXITED: u32 = 3;
}

constants! {
    POD_STATES: u32;
    /// The engine has not said.
    pub const CRI_POD_UNKNOWN: u32 = 0;
    /// The pod's sandbox is ready.
    pub const CRI_POD_READY: u32 = 1;
    /// The pod's sandbox is not ready (any more).
    pub const CRI_POD_NOT_READY: u32 = 2;
}

constants! {
    POD_FLAGS: u32;
    /// The pod shares the node's network namespace.
    pub const CRI_POD_FLAG_HOST_NETWORK: u32 = 1;
    /// The pod has a network namespace of its own. Neither of the two: the engine has not told yet.
    pub const CRI_POD_FLAG_OWN_NETWORK: u32 = 2;
}

constants! {
    MISSING: u64;
    /// The pid (and what comes with it: the process's start time and cgroup).
    pub const CRI_MISSING_PID: u64 = 1;
    /// The pod that the container is in.
    pub const CRI_MISSING_POD: u64 = 2;
    /// When it was started.
    pub const CRI_MISSING_STARTED_AT: u64 = 4;
    /// How it ended: exit code, reason, message and time.
    pub const CRI_MISSING_EXIT: u64 = 8;
}

constants! {
    CHANGED: u64;
    /// The pid has become known or has changed.
    pub const CRI_CHANGED_PID: u64 = 1;
    /// The pod, or something of the pod, has become known or has changed.
    pub const CRI_CHANGED_POD: u64 = 2;
    /// The time of start has become known.
    pub const CRI_CHANGED_STARTED_AT: u64 = 4;
    /// How it ended has become known or has changed.
    pub const CRI_CHANGED_EXIT: u64 = 8;
    /// The engine's word on the state changed without a start or an exit (running, unknown).
    pub const CRI_CHANGED_STATE: u64 = 16;
    /// Labels or annotations.
    pub const CRI_CHANGED_LABELS: u64 = 32;
    /// The rucksack: the packer was late with it, or the program has attached one.
    pub const CRI_CHANGED_RUCKSACK: u64 = 64;
}

constants! {
    WATCHER_STATES: u32;
    /// Not started.
    pub const CRI_WATCHER_NEW: u32 = 0;
    /// Trying to reach the engine.
    pub const CRI_WATCHER_CONNECTING: u32 = 1;
    /// Reached; the first lists are under way.
    pub const CRI_WATCHER_SYNCING: u32 = 2;
    /// In sync, and following the engine's event stream.
    pub const CRI_WATCHER_WATCHING: u32 = 3;
    /// In sync by lists alone, again and again: this engine tells no events, or its event stream has just broken and is
    /// being opened again.
    pub const CRI_WATCHER_POLLING: u32 = 4;
    /// The engine cannot be reached; the picture is the last one that was seen. Retried for ever.
    pub const CRI_WATCHER_BACKOFF: u32 = 5;
    /// Stopped.
    pub const CRI_WATCHER_STOPPED: u32 = 6;
}

constants! {
    LOG_LEVELS: u32;
    /// The watcher cannot do its work.
    pub const CRI_LOG_ERROR: u32 = 1;
    /// Something is wrong, and somebody may have to do something.
    pub const CRI_LOG_WARN: u32 = 2;
    /// Something to know: connections, and how changes are noticed.
    pub const CRI_LOG_INFO: u32 = 3;
    /// Of use only when something is looked for.
    pub const CRI_LOG_DEBUG: u32 = 4;
}

constants! {
    TEXTS: &'static str;
    /// This kind of engine, as the reference (whalewatcher) names it.
    pub const CRI_ENGINE_TYPE: &str = "k8s.io/cri-api";
    /// Label: the pod's name.
    pub const CRI_LABEL_POD_NAME: &str = "io.kubernetes.pod.name";
    /// Label: the pod's namespace.
    pub const CRI_LABEL_POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";
    /// Label: the pod's uid.
    pub const CRI_LABEL_POD_UID: &str = "io.kubernetes.pod.uid";
    /// Label: the container's name inside its pod.
    pub const CRI_LABEL_CONTAINER_NAME: &str = "io.kubernetes.container.name";
    /// Label: only sandboxes have it; its value is "".
    pub const CRI_LABEL_SANDBOX: &str = "io.kubernetes.sandbox";
    /// In the merged view of labels, the key of every annotation begins with this.
    pub const CRI_ANNOTATION_KEY_PREFIX: &str = "io.kubernetes.annotation/";
}

/// How a constant of this table is spelled in JSON: its name without the given prefix, in lower case.
pub(crate) fn json_word<T: PartialEq>(table: &[crate::table::Constant<T>], value: T, prefix: &str) -> String {
    word_of(table.iter().find(|c| c.value == value).map_or("", |c| c.name), prefix)
}

/// A constant's name without the given prefix, in lower case.
pub(crate) fn word_of(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_ascii_lowercase()
}
