//! Whose process is this, on real engines: each answer is held against what /proc says, for every kind of process that a
//! container may have, and in a storm of short runs.

mod command;
mod kinds;
mod node;
mod storm;
#[path = "../support/mod.rs"]
mod support;

use support::suite::{self, Test};

const TESTS: &[Test] = &[
    ("every_kind_of_process_is_known", kinds::every_kind_of_process_is_known),
    ("whois_names_the_container", command::whois_names_the_container),
    ("one_that_is_born_is_found", kinds::one_that_is_born_is_found),
    ("eight_threads_in_a_storm_are_never_wrong", storm::eight_threads_are_never_wrong),
];

fn main() {
    suite::run(TESTS);
}
