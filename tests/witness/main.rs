//! The host as second source, on real engines: what is known without asking, how soon, and what is lost where the host tells
//! nothing.

#[path = "../support/mod.rs"]
mod support;

mod exits;
mod hints;
mod limits;
mod pids;
mod seen;

use support::suite::{self, Test};

const TESTS: &[Test] = &[
    ("a_cold_sync_is_two_lists", pids::a_cold_sync_is_two_lists),
    ("a_start_costs_no_request", pids::a_start_costs_no_request),
    ("details_come_later_one_at_a_time", pids::details_come_later),
    ("without_pid_files_statuses_are_asked_for", pids::without_pid_files),
    ("short_lives_are_reported_without_events", hints::short_lives_are_reported),
    ("a_pid_is_known_before_the_start_is_told", hints::a_pid_is_known_before),
    ("exits_are_told_while_the_engine_is_away", exits::told_while_away),
    ("the_engine_s_word_is_waited_for_while_it_lives", exits::engine_first),
    ("without_a_witness_all_is_as_before", exits::without_witness),
    ("with_64_descriptors_all_is_as_before", limits::few_descriptors),
];

/// Those that take minutes.
const STORMS: &[Test] = &[("a_hundred_exits_while_the_engine_is_away", exits::a_hundred_while_away)];

fn main() {
    let long = std::env::args().any(|argument| argument == "--include-ignored");
    suite::run(&[TESTS, if long { STORMS } else { &[] }].concat());
}
