//! The guarantees of docs/events.md on real engines, when much happens at once and something breaks: each run is reported
//! exactly once, the engine is never held up, and afterwards the cache is right.

#[path = "../support/mod.rs"]
mod support;

mod barrier;
mod blocked_callback;
mod churn;
mod frozen_engine;
mod restart;
mod stopped_host;

use support::suite::{self, Test};

const TESTS: &[Test] = &[
    ("reports_every_run_of_a_churn", churn::reports_every_run_of_a_churn),
    ("reports_every_pod_of_a_churn", churn::reports_every_pod_of_a_churn),
    ("survives_sigterm_of_the_engine_under_churn", restart::survives_sigterm),
    ("survives_sigkill_of_the_engine_under_churn", restart::survives_sigkill),
    ("survives_a_frozen_engine", frozen_engine::survives_a_frozen_engine),
    ("a_blocked_callback_delays_no_start", blocked_callback::delays_no_start),
    ("a_blocked_callback_that_overflows_ends_with_the_right_set", blocked_callback::overflows_into_the_right_set),
    ("a_stopped_host_delays_no_start", stopped_host::delays_no_start),
    ("a_stopped_host_that_polls_delays_no_start", stopped_host::delays_no_start_when_it_polls),
    ("resync_is_a_barrier", barrier::resync_is_a_barrier),
];

fn main() {
    suite::run(TESTS);
}
