//! The watcher's counters: one table, from which their JSON, its schema and docs/json.md are made.

/// Whether a counter only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CounterKind {
    /// How many there were since the watcher was made. It only grows.
    Total,
    /// How many there are now. It rises and falls.
    Current,
}

impl CounterKind {
    /// Its name in the documents.
    pub fn word(self) -> &'static str {
        match self {
            CounterKind::Total => "total",
            CounterKind::Current => "current",
        }
    }
}

/// One counter of `criwatch.stats/1`.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counter {
    /// Its key in JSON.
    pub name: &'static str,
    /// The unit: the things that are counted.
    pub unit: &'static str,
    /// Whether it only grows.
    pub kind: CounterKind,
    /// Its meaning, in whole sentences.
    pub help: &'static str,
}

macro_rules! counters {
    ($($name:ident: $key:literal, $unit:literal, $kind:ident, $help:literal;)+) => {
        $(#[doc = $help] pub static $name: Counter =
            Counter { name: $key, unit: $unit, kind: CounterKind::$kind, help: $help };)+

        /// Every counter, in the order of the JSON.
        pub static COUNTERS: &[&Counter] = &[$(&$name),+];
    };
}

counters! {
    CONNECTS: "connects", "connections", Total,
        "Connections to the engine that were made.";
    CONNECT_FAILURES: "connectFailures", "attempts", Total,
        "Attempts to connect that failed.";
    LISTS: "lists", "lists", Total,
        "Full lists of containers and sandboxes that were applied.";
    LIST_FAILURES: "listFailures", "lists", Total,
        "Full lists that failed.";
    STATUSES: "statuses", "requests", Total,
        "Status requests that the engine answered with a status.";
    STATUS_NOT_FOUND: "statusNotFound", "requests", Total,
        "Status requests that the engine answered with \"not found\". It is an answer: the container was removed meanwhile.";
    STATUS_FAILURES: "statusFailures", "requests", Total,
        "Status requests that failed or got no answer in time.";
    SUBSCRIPTIONS: "subscriptions", "requests", Total,
        "Event streams of the engine that were asked for.";
    ENGINE_EVENTS: "engineEvents", "events", Total,
        "Events that the engine sent.";
    ENGINE_EVENTS_LOST: "engineEventsLost", "events", Total,
        "Those of `engineEvents` that were dropped because they came faster than they could be applied. A full list follows.";
    BLIND_WINDOWS: "blindWindows", "times", Total,
        "Periods in which changes could not be seen as they happened: the event stream broke or fell silent, the engine was away, or it has to be polled.";
    RESYNCS: "resyncs", "calls", Total,
        "Calls of `cri_watcher_resync` that succeeded.";
    READY_UNANSWERED: "readyUnanswered", "requests", Total,
        "Status requests that were still unanswered when the watcher became ready, because `ready.pid_wait_ms` had passed. Their containers were shown without a pid at first; UPDATED events bring it.";
    EVENTS_PUBLISHED: "eventsPublished", "events", Total,
        "Events that were published to consumers, each counted once, however many consumers there are; LOG events are not counted.";
    EVENTS_LOST: "eventsLost", "events", Total,
        "Events that consumers lost because their queues were full, counted for each consumer.";
    OVERFLOWS: "overflows", "times", Total,
        "How often the queue of a consumer overflowed.";
    CONSUMERS: "consumers", "queues", Current,
        "Open event queues, callback subscriptions included.";
    UNRESOLVED: "unresolved", "containers", Total,
        "Containers that were first seen after their end and were removed before it could be asked whether they had run. They are not reported.";
    CONTRADICTIONS: "contradictions", "containers", Total,
        "Containers about which the engine contradicted itself: between its lists, its statuses and its events. Each is settled once.";
    VANISHED_PROCESSES: "vanishedProcesses", "processes", Total,
        "Processes that were gone while the engine reported their containers as running. Their pids were withdrawn.";
    REPAIRED_TEXTS: "repairedTexts", "containers", Total,
        "Containers and pods with a text of the engine that was not UTF-8. Each bad byte was replaced with U+FFFD.";
    CUT_LABELS: "cutLabels", "containers", Total,
        "Containers and pods whose labels or annotations were longer than `labels.max_bytes`, and were cut.";
    UNREADABLE_ENTRIES: "unreadableEntries", "entries", Total,
        "Entries of lists and events that could not be decoded. The others of the same message were used.";
    FIELDS_NOT_TOLD: "fieldsNotTold", "fields", Total,
        "Fields of containers that were given up, because the engine gave the same answer several times without them.";
    PIDS_FROM_FILES: "pidsFromFiles", "pids", Total,
        "Pids that came from the engine's pid files, each proven by the process's cgroup. None of them cost a request.";
    PIDS_FROM_ENGINE: "pidsFromEngine", "pids", Total,
        "Pids that came from the engine's statuses.";
    PROOFS_REFUSED: "proofsRefused", "pids", Total,
        "Pid files whose process was not the container's: it had ended, its pid was another's by now, or its cgroup does not name the container (virtual machines). The engine was asked instead.";
    WITNESSED_EXITS: "witnessedExits", "runs", Total,
        "Exits that were reported from what the host showed, because the engine was away (CRI_EVENT_FLAG_WITNESSED).";
    STATUS_REQUESTS_FOR_START: "statusRequestsForStart", "requests", Total,
        "Status requests made because a run began and its pid was in no pid file.";
    STATUS_REQUESTS_FOR_END: "statusRequestsForEnd", "requests", Total,
        "Status requests made because a list showed an end: only the status has the exit code.";
    STATUS_REQUESTS_FOR_EVENT: "statusRequestsForEvent", "requests", Total,
        "Status requests made because an event came without a status, or was made before the first list.";
    STATUS_REQUESTS_FOR_CONTRADICTION: "statusRequestsForContradiction", "requests", Total,
        "Status requests made because the engine contradicted itself.";
    STATUS_REQUESTS_FOR_MISSING: "statusRequestsForMissing", "requests", Total,
        "Status requests made because a field was still missing.";
    STATUS_REQUESTS_FOR_PROVISIONAL: "statusRequestsForProvisional", "requests", Total,
        "Status requests made to confirm an exit that was reported as provisional.";
    STATUS_REQUESTS_FOR_PROCESS_GONE: "statusRequestsForProcessGone", "requests", Total,
        "Status requests made because the process of a running container was gone.";
    STATUS_REQUESTS_FOR_HINT: "statusRequestsForHint", "requests", Total,
        "Status requests made because the host hinted at a start or an end.";
    STATUS_REQUESTS_FOR_DETAILS: "statusRequestsForDetails", "requests", Total,
        "Status requests made for what only a verbose status tells, such as the command, of runs whose pids are known (option `details`).";
    OPEN_STATUS_REQUESTS: "openStatusRequests", "requests", Current,
        "Status requests that are planned or under way, repeated ones for what is still missing and those for details included.";
    REMEMBERED_RUNS: "rememberedRuns", "runs", Current,
        "Runs that are remembered so that they are not reported again.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_counter_has_one_name_and_a_sentence() {
        for (i, counter) in COUNTERS.iter().enumerate() {
            let Counter { name, unit, help, .. } = counter;
            assert!(COUNTERS[..i].iter().all(|other| other.name != *name), "{name} is there twice");
            assert!(name.chars().all(char::is_alphanumeric) && name.starts_with(char::is_lowercase), "{name}");
            assert!(!unit.is_empty() && !unit.contains(' '), "{name}: {unit}");
            assert!(help.starts_with(char::is_uppercase) && help.ends_with('.') && help.len() > 20, "{name}: {help}");
        }
    }
}
