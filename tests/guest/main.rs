//! A polite guest: the library in hostile host programs, and with hostile engines. Most tests are C programs beside this file.

#[path = "../support/c.rs"]
mod c;
mod engines;
mod environment;
mod panics;
mod preloaded;
#[path = "../support/program.rs"]
mod program;
mod python;
mod seccomp;
#[path = "../support/sim.rs"]
mod sim;
mod stacks;

use libtest_mimic::{Arguments, Trial};
use program::{Argument, Program};

const QUIET: Option<Argument> = Some(Argument::Simulated(&[]));
const BUSY: Option<Argument> = Some(Argument::Simulated(&["--workload", "--pods", "6", "--pace", "20ms"]));
const IDLE: Option<Argument> = Some(Argument::Simulated(&["--containers", "200"]));

const STREAMS_LISTS: Option<Argument> = Some(Argument::Simulated(&["--profile", "crio"]));

/// Under valgrind, a node where little happens is busy enough.
static HAMMER_SLOWLY: Program =
    Program::new("tests/guest/hammer.c", Some(Argument::Simulated(&["--workload", "--pods", "2", "--pace", "1s"])));

static THREADS: Program = Program::new("tests/guest/threads.c", QUIET);

const STACKS: Program = Program::new("tests/guest/stacks.c", QUIET);

/// Under ThreadSanitizer: what its threads share, how they end, and much of its own thread-local data.
static WITH_TSAN: &[Program] = &[STACKS, Program::new("tests/guest/restarts.c", QUIET)];

const PROGRAMS: &[Program] = &[
    Program::new("tests/guest/threads.c", QUIET),
    Program::new("tests/guest/restarts.c", QUIET),
    Program::new("tests/guest/daemonizes.c", QUIET),
    // A forked child leaks on purpose, and ends with what it has.
    Program::new("tests/guest/forks.c", BUSY).that_leaves_things(),
    Program::new("tests/guest/leaves.c", BUSY).with(&["main"]).that_leaves_things(),
    Program::new("tests/guest/leaves.c", BUSY).with(&["thread"]).that_leaves_things(),
    Program::new("tests/guest/leaves.c", BUSY).with(&["callback"]).that_leaves_things(),
    Program::new("tests/guest/leaves.c", BUSY).with(&["log"]).that_leaves_things(),
    STACKS,
    // valgrind and the sanitizers have no use for a process without address space.
    Program::new("tests/guest/nomemory.c", None).that_leaves_things(),
    Program::new("tests/guest/idle.c", IDLE),
    Program::new("tests/guest/strings.c", QUIET),
    Program::new("tests/guest/hammer.c", BUSY).too_slow_for_valgrind(),
    // Their memory is measured: a sanitizer has its own.
    Program::new("tests/guest/hostile.c", QUIET).with(&["garbage"]).that_leaves_things(),
    Program::new("tests/guest/hostile.c", QUIET).with(&["wrong-types"]).that_leaves_things(),
    Program::new("tests/guest/hostile.c", QUIET).with(&["huge"]).that_leaves_things(),
    Program::new("tests/guest/hostile.c", QUIET).with(&["flood"]).that_leaves_things(),
    Program::new("tests/guest/hostile.c", STREAMS_LISTS).with(&["endless-lists"]).that_leaves_things(),
    Program::new("tests/guest/hostile.c", QUIET).with(&["deep"]).that_leaves_things(),
    Program::new("tests/guest/hostile.c", QUIET).with(&["wide"]).that_leaves_things(),
    Program::new("tests/guest/hostile.c", QUIET).with(&["empty-entries"]).that_leaves_things(),
    Program::new("tests/guest/hostile.c", QUIET).with(&["small-entries"]).that_leaves_things(),
    Program::new("tests/guest/hostile.c", QUIET).with(&["ids"]).that_leaves_things(),
    Program::new("tests/guest/hostile.c", QUIET).with(&["labels"]).that_leaves_things(),
];

fn main() {
    let mut trials = vec![
        Trial::test("the_page_names_tests_that_exist", the_page_names_tests_that_exist),
        Trial::test("engines_are_only_read", engines::are_only_read),
        Trial::test("engines_calls_only_read", engines::calls_only_read),
        Trial::test("environment_is_not_read", environment::is_not_read),
        Trial::ignorable_test("environment_is_not_read_by_panics", environment::is_not_read_by_panics),
        Trial::test("stacks_are_not_small", stacks::are_not_small),
        Trial::ignorable_test("seccomp_profile_is_enough", seccomp::the_profile_is_enough),
        Trial::ignorable_test("seccomp_profile_is_enough_in_a_pod", seccomp::it_is_enough_in_a_pod),
        Trial::test("the_page_names_the_system_calls", seccomp::the_page_names_the_calls),
        Trial::ignorable_test("panics_become_errors", panics::become_errors),
        Trial::ignorable_test("python_exits", python::exits),
    ];
    for program in PROGRAMS {
        trials.push(program.plain());
        if program.is_clean {
            if !program.is_slow {
                trials.push(program.under_valgrind());
            }
            trials.push(program.under_asan());
        }
    }
    trials.push(THREADS.under_valgrind_with_suppressions());
    trials.extend(WITH_TSAN.iter().map(Program::under_tsan));
    trials.push(HAMMER_SLOWLY.under_valgrind());
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// docs/guest.md says of each statement which test holds it: all of them are there, and all programs here are named.
fn the_page_names_tests_that_exist() -> Result<(), libtest_mimic::Failed> {
    let page = std::fs::read_to_string(c::root().join("docs/guest.md"))?;
    let is_path = |c: char| c.is_ascii_alphanumeric() || "/_.".contains(c);
    let named =
        page.split(|c| !is_path(c)).filter(|word| word.starts_with("tests/")).map(|word| word.trim_end_matches('.'));
    let missing: Vec<&str> = named.filter(|path| !c::root().join(path).exists()).collect();
    let unnamed: Vec<&str> = PROGRAMS.iter().map(|p| p.source).filter(|source| !page.contains(source)).collect();
    match (&missing[..], &unnamed[..]) {
        ([], []) => Ok(()),
        _ => Err(format!("docs/guest.md names {missing:?}, which do not exist, and does not name {unnamed:?}").into()),
    }
}
