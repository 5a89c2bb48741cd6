//! The numbers of the portfolio, for the statistics.

use super::Portfolio;
use super::status_queue::Reason;
use crate::model::metrics::{self, Metric};

/// How often the portfolio noticed certain things. The numbers only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Containers that were seen only after their end, and were gone before it could be learnt whether they had run.
    pub unresolved: u64,
    /// Contradictions of the engine: between its lists, its statuses and its events.
    pub contradictions: u64,
    /// Processes that were gone while the engine said that their containers run.
    pub vanished_processes: u64,
    /// Containers with a text that was not UTF-8.
    pub repaired_texts: u64,
    /// Containers whose labels or annotations were cut.
    pub cut_labels: u64,
    /// Entries of lists and events that could not be decoded.
    pub unreadable: u64,
    /// Fields that were given up, because the engine repeatedly did not give them.
    pub not_told: u64,
    /// Pids that came from pid files, proven by the host.
    pub pids_from_files: u64,
    /// Pids that came from the engine's statuses.
    pub pids_from_engine: u64,
    /// Pids from pid files that the host disproved.
    pub proofs_refused: u64,
    /// Exits that were reported from the host's evidence alone.
    pub witnessed_exits: u64,
}

impl Counts {
    /// All counts, with their metrics.
    pub fn named(self) -> [(&'static Metric, u64); 11] {
        [
            (&metrics::UNRESOLVED, self.unresolved),
            (&metrics::CONTRADICTIONS, self.contradictions),
            (&metrics::VANISHED_PROCESSES, self.vanished_processes),
            (&metrics::REPAIRED_TEXTS, self.repaired_texts),
            (&metrics::CUT_LABELS, self.cut_labels),
            (&metrics::UNREADABLE_ENTRIES, self.unreadable),
            (&metrics::FIELDS_NOT_TOLD, self.not_told),
            (&metrics::PIDS_FROM_FILES, self.pids_from_files),
            (&metrics::PIDS_FROM_ENGINE, self.pids_from_engine),
            (&metrics::PROOFS_REFUSED, self.proofs_refused),
            (&metrics::WITNESSED_EXITS, self.witnessed_exits),
        ]
    }
}

/// All of the portfolio's numbers, as of one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    counts: Counts,
    open_status_requests: u64,
    remembered_runs: u64,
    /// The number of status requests by reason, in the order of `Reason::ALL`.
    status_requests: [u64; Reason::ALL.len()],
}

impl Tally {
    /// All numbers, with the metrics that name them.
    pub fn named(&self) -> impl Iterator<Item = (&'static Metric, u64)> {
        let own = [
            (&metrics::OPEN_STATUS_REQUESTS, self.open_status_requests),
            (&metrics::REMEMBERED_RUNS, self.remembered_runs),
        ];
        let reasons = Reason::ALL.iter().map(|reason| reason.counter());
        own.into_iter().chain(self.counts.named()).chain(reasons.zip(self.status_requests))
    }
}

impl Portfolio {
    /// How often contradictions, repairs and the like were noticed.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The numbers as they are now.
    pub fn tally(&self) -> Tally {
        Tally {
            counts: self.counts,
            open_status_requests: self.open_status_requests() as u64,
            remembered_runs: self.run_log.len() as u64,
            status_requests: self.status_queue.made(),
        }
    }
}
