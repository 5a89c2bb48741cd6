//! The host as second source, on real engines: what is known without asking, how soon, and what is lost where the host shows
//! nothing.

#[path = "../support/mod.rs"]
mod support;

mod bare;
mod exits;
mod goals;
mod hints;
mod limits;
mod pids;
mod seen;
mod storm;

use std::process::ExitCode;

use support::suite::{self, Test};

const TESTS: &[Test] = &[
    ("a_cold_sync_is_two_lists", pids::a_cold_sync_is_two_lists),
    ("a_start_costs_no_request", pids::a_start_costs_no_request),
    ("details_come_later_one_at_a_time", pids::details_come_later),
    ("without_pid_files_statuses_are_asked_for", pids::without_pid_files),
    ("short_runs_are_reported_without_events", hints::short_runs_are_reported),
    ("short_runs_wait_for_no_list", hints::short_runs_wait_for_no_list),
    ("short_runs_are_reported_by_cgroups", hints::short_runs_by_cgroups),
    ("a_pid_is_known_before_the_start_is_reported", hints::a_pid_is_known_before),
    ("exits_are_reported_while_the_engine_is_away", exits::reported_while_away),
    ("the_engine_s_report_is_waited_for_while_it_runs", exits::engine_first),
    ("without_a_witness_all_is_as_before", exits::without_witness),
    ("with_64_descriptors_all_is_as_before", limits::few_descriptors),
    ("limits::another_user_has_no_hints_and_says_so", limits::another_user),
    ("limits::without_the_engines_folders_statuses_are_asked_for", limits::no_mounts),
    ("limits::an_own_pid_namespace_shows_no_process", limits::own_pid_namespace),
    ("limits::an_own_cgroup_namespace_loses_nothing", limits::own_cgroup_namespace),
    ("limits::read_only_mounts_are_enough", limits::read_only_mounts),
    ("limits::without_an_inotify_instance_there_are_no_hints", limits::no_inotify_instance),
    ("limits::with_64_descriptors_processes_are_followed", limits::descriptors_64),
];

/// Those that take minutes.
const STORMS: &[Test] =
    &[("a_hundred_exits_while_the_engine_is_away", storm::a_hundred_exits), ("figures_of_a_c_program", goals::figures)];

fn main() -> ExitCode {
    if let Some(code) = limits::inside() {
        return code;
    }
    let long = std::env::args().any(|argument| argument == "--include-ignored");
    suite::run(&[TESTS, if long { STORMS } else { &[] }].concat());
    ExitCode::SUCCESS
}
