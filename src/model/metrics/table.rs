//! The table of what a watcher measures. A row is a name, a unit, a kind, its labels and its meaning.

use super::{Metric, MetricKind};

macro_rules! metrics {
    ($(#[$doc:meta])+ $all:ident: $($name:ident: $key:literal, $unit:literal, $kind:ident $([$($label:literal),+])?, $help:literal;)+) => {
        $(#[doc = $help] pub static $name: Metric = Metric {
            name: $key,
            unit: $unit,
            kind: MetricKind::$kind,
            labels: &[$($($label),+)?],
            help: $help,
        };)+

        $(#[$doc])+
        pub static $all: &[&Metric] = &[$(&$name),+];
    };
}

metrics! {
    /// The keys of `stats` in `criwatch.stats/1`, in the order of the JSON.
    COUNTERS:
    CONNECTS: "connects", "connections", Counter,
        "Connections that the watcher made to the engine.";
    CONNECT_FAILURES: "connectFailures", "attempts", Counter,
        "Attempts to connect that failed.";
    LISTS: "lists", "lists", Counter,
        "Full lists of containers and sandboxes that the watcher applied to its cache.";
    LIST_FAILURES: "listFailures", "lists", Counter,
        "Full lists that failed.";
    STATUSES: "statuses", "requests", Counter,
        "Status requests that the engine answered with a status.";
    STATUS_NOT_FOUND: "statusNotFound", "requests", Counter,
        "Status requests that the engine answered with \"not found\". This is not a failure: the container was removed meanwhile.";
    STATUS_FAILURES: "statusFailures", "requests", Counter,
        "Status requests that failed or got no answer in time.";
    SUBSCRIPTIONS: "subscriptions", "requests", Counter,
        "Requests for the engine's event stream, successful or not.";
    ENGINE_EVENTS: "engineEvents", "events", Counter,
        "Events that the engine sent.";
    ENGINE_EVENTS_LOST: "engineEventsLost", "events", Counter,
        "Events of the engine that the watcher dropped, because they came faster than it could apply them. A full list follows. `engineEvents` counts them, too.";
    BLIND_WINDOWS: "blindWindows", "times", Counter,
        "Periods in which the watcher could not see changes as they happened: the event stream broke or fell silent, the engine was away, or the watcher had to poll.";
    RESYNCS: "resyncs", "calls", Counter,
        "Calls of `cri_watcher_resync` that succeeded.";
    READY_UNANSWERED: "readyUnanswered", "requests", Counter,
        "Status requests that were still unanswered when the watcher became ready, because `ready.pid_wait_ms` had passed. Their containers have no pid at first; an UPDATED event brings it.";
    EVENTS_PUBLISHED: "eventsPublished", "events", Counter,
        "Events that the watcher published. Each counts once, whatever the number of consumers. LOG events are not counted.";
    EVENTS_LOST: "eventsLost", "events", Counter,
        "Events that consumers lost because their queues were full, counted for each consumer.";
    OVERFLOWS: "overflows", "times", Counter,
        "How often the queue of a consumer overflowed.";
    CONSUMERS: "consumers", "queues", Gauge,
        "Open event queues, callback subscriptions included.";
    UNRESOLVED: "unresolved", "containers", Counter,
        "Containers that the watcher first saw after their end, and that were removed before it could ask the engine whether they had run. No event reports them.";
    CONTRADICTIONS: "contradictions", "containers", Counter,
        "Containers about which lists, statuses and events of the engine contradicted each other. Each contradiction is settled and counted once.";
    VANISHED_PROCESSES: "vanishedProcesses", "processes", Counter,
        "Processes that had ended while the engine reported their containers as running. The watcher no longer shows their pids.";
    REPAIRED_TEXTS: "repairedTexts", "containers", Counter,
        "Containers and pods with a text of the engine that was not UTF-8. Each bad byte was replaced with U+FFFD.";
    CUT_LABELS: "cutLabels", "containers", Counter,
        "Containers and pods whose labels or annotations were longer than `labels.max_bytes`, and were cut.";
    UNREADABLE_ENTRIES: "unreadableEntries", "entries", Counter,
        "Entries of lists and events that could not be decoded. The watcher used the other entries of the same message.";
    FIELDS_NOT_TOLD: "fieldsNotTold", "fields", Counter,
        "Fields of containers that the watcher no longer asks for, because the engine answered several times without them.";
    PIDS_FROM_FILES: "pidsFromFiles", "pids", Counter,
        "Pids that came from the engine's pid files, without a request to the engine. The cgroup of each process proved that it is the container's.";
    PIDS_FROM_ENGINE: "pidsFromEngine", "pids", Counter,
        "Pids that came from the engine's statuses.";
    PROOFS_REFUSED: "proofsRefused", "pids", Counter,
        "Pid files whose process could not be proved to be the container's: it had ended, another process had its pid, or its cgroup does not name the container (as with virtual machines). The watcher asked the engine instead.";
    WITNESSED_EXITS: "witnessedExits", "runs", Counter,
        "Ends of runs that the watcher saw on the host while the engine was away (CRI_EVENT_FLAG_WITNESSED).";
    STATUS_REQUESTS_FOR_START: "statusRequestsForStart", "requests", Counter,
        "Status requests made because a run began and no pid file had its pid.";
    STATUS_REQUESTS_FOR_END: "statusRequestsForEnd", "requests", Counter,
        "Status requests made because a list showed an end: only the status has the exit code.";
    STATUS_REQUESTS_FOR_EVENT: "statusRequestsForEvent", "requests", Counter,
        "Status requests made because an event came without a status, or because the engine made the event before the first list.";
    STATUS_REQUESTS_FOR_CONTRADICTION: "statusRequestsForContradiction", "requests", Counter,
        "Status requests made because the engine contradicted itself, or because an answer and a list of the same moment differ.";
    STATUS_REQUESTS_FOR_MISSING: "statusRequestsForMissing", "requests", Counter,
        "Status requests made because a field was still missing.";
    STATUS_REQUESTS_FOR_PROVISIONAL: "statusRequestsForProvisional", "requests", Counter,
        "Status requests made to confirm an exit that was reported as provisional.";
    STATUS_REQUESTS_FOR_PROCESS_GONE: "statusRequestsForProcessGone", "requests", Counter,
        "Status requests made because the process of a running container was gone.";
    STATUS_REQUESTS_FOR_HINT: "statusRequestsForHint", "requests", Counter,
        "Status requests made because the watcher noticed a start or an end on the host.";
    STATUS_REQUESTS_FOR_DETAILS: "statusRequestsForDetails", "requests", Counter,
        "Status requests made for details that only a verbose status has, such as the command, of runs whose pids were known already (option `details`).";
    OPEN_STATUS_REQUESTS: "openStatusRequests", "requests", Gauge,
        "Status requests that are planned or under way, including repeated ones for missing fields, and those for details.";
    REMEMBERED_RUNS: "rememberedRuns", "runs", Gauge,
        "Runs that the watcher remembers, so that it does not report them again.";
}

metrics! {
    /// What `cri_watcher_metrics` shows beside `COUNTERS`. In `criwatch.stats/1` it has other places.
    MEASURES:
    REQUESTS: "requests", "requests", Counter ["rpc", "outcome"],
        "Requests to the engine that came to an end, by outcome: `ok`, `failed`, or `not_found`, which is not a failure: the container was removed meanwhile.";
    REQUEST_DURATION: "requestDuration", "seconds", Histogram ["rpc"],
        "How long requests to the engine took, whatever their outcome.";
    EVENT_LAG: "eventLag", "seconds", Histogram,
        "How late the engine's events came: from the time in the event, by the engine's clock, until the watcher noticed it. Events from before the subscription are left out.";
    WATCHER_STATE: "watcherState", "state", Gauge ["state"],
        "The state of the watcher: 1 for the state that it is in, 0 for all others.";
    GENERATION: "generation", "changes", Gauge,
        "The generation of the cache. It grows with every change.";
    LAST_LIST_TIMESTAMP: "lastListTimestamp", "seconds", Gauge,
        "When the newest full list began, in seconds since 1970. Absent before the first full list.";
    ENGINE_INFO: "engineInfo", "engines", Gauge ["runtime", "version", "api_version", "endpoint", "events"],
        "Always 1. The labels describe the engine. Absent until the engine is known.";
}
