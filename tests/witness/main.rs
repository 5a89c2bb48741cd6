//! The host as second source, on real engines: what is known without asking, how soon, and what is lost where the host tells
//! nothing.

#[path = "../support/mod.rs"]
mod support;

mod pids;
mod seen;

use support::suite::{self, Test};

const TESTS: &[Test] = &[
    ("a_cold_sync_is_two_lists", pids::a_cold_sync_is_two_lists),
    ("a_start_costs_no_request", pids::a_start_costs_no_request),
    ("details_come_later_one_at_a_time", pids::details_come_later),
    ("without_pid_files_statuses_are_asked_for", pids::without_pid_files),
];

fn main() {
    suite::run(TESTS);
}
