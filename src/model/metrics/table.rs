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
        "Connections to the engine that were made.";
    CONNECT_FAILURES: "connectFailures", "attempts", Counter,
        "Attempts to connect that failed.";
    LISTS: "lists", "lists", Counter,
        "Full lists of containers and sandboxes that were applied.";
    LIST_FAILURES: "listFailures", "lists", Counter,
        "Full lists that failed.";
    STATUSES: "statuses", "requests", Counter,
        "Status requests that the engine answered with a status.";
    STATUS_NOT_FOUND: "statusNotFound", "requests", Counter,
        "Status requests that the engine answered with \"not found\". It is an answer: the container was removed meanwhile.";
    STATUS_FAILURES: "statusFailures", "requests", Counter,
        "Status requests that failed or got no answer in time.";
    SUBSCRIPTIONS: "subscriptions", "requests", Counter,
        "Event streams of the engine that were asked for.";
    ENGINE_EVENTS: "engineEvents", "events", Counter,
        "Events that the engine sent.";
    ENGINE_EVENTS_LOST: "engineEventsLost", "events", Counter,
        "Those of `engineEvents` that were dropped because they came faster than they could be applied. A full list follows.";
    BLIND_WINDOWS: "blindWindows", "times", Counter,
        "Periods in which changes could not be seen as they happened: the event stream broke or fell silent, the engine was away, or it has to be polled.";
    RESYNCS: "resyncs", "calls", Counter,
        "Resyncs that succeeded.";
    READY_UNANSWERED: "readyUnanswered", "requests", Counter,
        "Status requests that were still unanswered when the watcher became ready, because `ready.pid_wait_ms` had passed. Their containers were shown without a pid at first; UPDATED events bring it.";
    EVENTS_PUBLISHED: "eventsPublished", "events", Counter,
        "Events that were published to consumers, each counted once, however many consumers there are; LOG events are not counted.";
    EVENTS_LOST: "eventsLost", "events", Counter,
        "Events that consumers lost because their queues were full, counted for each consumer.";
    OVERFLOWS: "overflows", "times", Counter,
        "How often the queue of a consumer overflowed.";
    CONSUMERS: "consumers", "queues", Gauge,
        "Open event queues, callback subscriptions included.";
    UNRESOLVED: "unresolved", "containers", Counter,
        "Containers that were first seen after their end and were removed before it could be asked whether they had run. They are not reported.";
    CONTRADICTIONS: "contradictions", "containers", Counter,
        "Containers about which the engine contradicted itself: between its lists, its statuses and its events. Each is settled once.";
    VANISHED_PROCESSES: "vanishedProcesses", "processes", Counter,
        "Processes that were gone while the engine reported their containers as running. Their pids were withdrawn.";
    REPAIRED_TEXTS: "repairedTexts", "containers", Counter,
        "Containers and pods with a text of the engine that was not UTF-8. Each bad byte was replaced with U+FFFD.";
    CUT_LABELS: "cutLabels", "containers", Counter,
        "Containers and pods whose labels or annotations were longer than `labels.max_bytes`, and were cut.";
    UNREADABLE_ENTRIES: "unreadableEntries", "entries", Counter,
        "Entries of lists and events that could not be decoded. The others of the same message were used.";
    FIELDS_NOT_TOLD: "fieldsNotTold", "fields", Counter,
        "Fields of containers that were given up, because the engine gave the same answer several times without them.";
    PIDS_FROM_FILES: "pidsFromFiles", "pids", Counter,
        "Pids that came from the engine's pid files, each proven by the process's cgroup. None of them cost a request.";
    PIDS_FROM_ENGINE: "pidsFromEngine", "pids", Counter,
        "Pids that came from the engine's statuses.";
    PROOFS_REFUSED: "proofsRefused", "pids", Counter,
        "Pid files whose process was not the container's: it had ended, its pid was another's by now, or its cgroup does not name the container (virtual machines). The engine was asked instead.";
    WITNESSED_EXITS: "witnessedExits", "runs", Counter,
        "Ends that the host showed while the engine was away (CRI_EVENT_FLAG_WITNESSED).";
    STATUS_REQUESTS_FOR_START: "statusRequestsForStart", "requests", Counter,
        "Status requests made because a run began and its pid was in no pid file.";
    STATUS_REQUESTS_FOR_END: "statusRequestsForEnd", "requests", Counter,
        "Status requests made because a list showed an end: only the status has the exit code.";
    STATUS_REQUESTS_FOR_EVENT: "statusRequestsForEvent", "requests", Counter,
        "Status requests made because an event came without a status, or was made before the first list.";
    STATUS_REQUESTS_FOR_CONTRADICTION: "statusRequestsForContradiction", "requests", Counter,
        "Status requests made because the engine contradicted itself.";
    STATUS_REQUESTS_FOR_MISSING: "statusRequestsForMissing", "requests", Counter,
        "Status requests made because a field was still missing.";
    STATUS_REQUESTS_FOR_PROVISIONAL: "statusRequestsForProvisional", "requests", Counter,
        "Status requests made to confirm an exit that was reported as provisional.";
    STATUS_REQUESTS_FOR_PROCESS_GONE: "statusRequestsForProcessGone", "requests", Counter,
        "Status requests made because the process of a running container was gone.";
    STATUS_REQUESTS_FOR_HINT: "statusRequestsForHint", "requests", Counter,
        "Status requests made because the host hinted at a start or an end.";
    STATUS_REQUESTS_FOR_DETAILS: "statusRequestsForDetails", "requests", Counter,
        "Status requests for what only a verbose status has, such as the command, of runs whose pids are known (option `details`).";
    OPEN_STATUS_REQUESTS: "openStatusRequests", "requests", Gauge,
        "Status requests that are planned or under way, repeated ones for what is still missing and those for details included.";
    REMEMBERED_RUNS: "rememberedRuns", "runs", Gauge,
        "Runs that are remembered so that they are not reported again.";
}

metrics! {
    /// What `cri_watcher_metrics` shows beside `COUNTERS`. In `criwatch.stats/1` it has other places.
    MEASURES:
    REQUESTS: "requests", "requests", Counter ["rpc", "outcome"],
        "Requests to the engine that came to an end: `ok`, `not_found` (an answer: the container was removed meanwhile) or `failed`.";
    REQUEST_DURATION: "requestDuration", "seconds", Histogram ["rpc"],
        "How long requests to the engine took, whatever their outcome.";
    EVENT_LAG: "eventLag", "seconds", Histogram,
        "How late the engine's events came: from the time in the event, by the engine's clock, until it was noticed here. Events from before the subscription are left out.";
    WATCHER_STATE: "watcherState", "state", Gauge ["state"],
        "What the watcher is doing: 1 for the state that it is in, 0 for all others.";
    GENERATION: "generation", "changes", Gauge,
        "The generation of the cache. It grows with every change.";
    LAST_LIST_TIMESTAMP: "lastListTimestamp", "seconds", Gauge,
        "When the newest full list began, in seconds since 1970. Absent before the first.";
    ENGINE_INFO: "engineInfo", "engines", Gauge ["runtime", "version", "api_version", "endpoint", "events"],
        "The engine: always 1. Absent before it is known.";
}
