//! The C programs in tests/c, each run as it is, under valgrind and with AddressSanitizer; the examples in C are built as strictly.

#[path = "support/c.rs"]
mod c;
#[path = "support/program.rs"]
mod program;
#[path = "support/sim.rs"]
mod sim;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use program::{Argument, Program};

const LOOKUPS_STORM: Program = Program::new(
    "tests/c/lookups_storm.c",
    Some(Argument::Simulated(&["--workload", "--pods", "6", "--pace", "20ms"])),
);

/// Also under ThreadSanitizer: what its threads share.
static WITH_TSAN: Program = LOOKUPS_STORM;

const PROGRAMS: &[Program] = &[
    Program::new("tests/c/nulls.c", None),
    Program::new("tests/c/options.c", None),
    Program::new("tests/c/bounds.c", None),
    Program::new("tests/c/badinput.c", Some(Argument::Folder)),
    Program::new("tests/c/callbacks.c", Some(Argument::DeadEndpoint)),
    Program::new("tests/c/stopped.c", Some(Argument::DeadEndpoint)),
    Program::new("tests/c/queues.c", Some(Argument::DeadEndpoint)),
    Program::new("tests/c/crowd.c", Some(Argument::Simulated(&[]))),
    Program::new("tests/c/overflow.c", Some(Argument::Simulated(&[]))),
    Program::new("tests/c/replays.c", Some(Argument::Simulated(&[]))),
    Program::new("tests/c/queries.c", Some(Argument::Simulated(&[]))),
    Program::new("tests/c/mistaken.c", Some(Argument::Simulated(&[]))),
    Program::new("tests/c/snapshots.c", Some(Argument::Simulated(&[]))),
    Program::new("tests/c/lookups.c", Some(Argument::Simulated(&[]))),
    Program::new("tests/c/logs.c", Some(Argument::Simulated(&[]))),
    Program::new("tests/c/packer.c", Some(Argument::Simulated(&[]))),
    Program::new("tests/c/kept_table.c", Some(Argument::Simulated(&[]))),
    LOOKUPS_STORM,
    // A process that just ends frees nothing; neither does one that forgets a watcher.
    Program::new("tests/c/exits.c", Some(Argument::DeadEndpoint)).that_leaves_things(),
    Program::new("tests/c/unloads.c", Some(Argument::Library)).that_leaves_things(),
    // A thread ended by force leaves behind what it held.
    Program::new("tests/c/forced_exit.c", Some(Argument::DeadEndpoint)).that_leaves_things(),
];

fn main() {
    let mut trials = vec![
        Trial::test("examples_build", examples_build),
        Trial::test("the_shortest_example_lists", the_shortest_example_lists),
        Trial::test("the_callback_example_follows", the_callback_example_follows),
        Trial::test("the_epoll_example_follows", the_epoll_example_follows),
        Trial::test("the_lookup_example_names_containers", the_lookup_example_names_containers),
        Trial::test("the_bench_of_lookups_finds_all", the_bench_of_lookups_finds_all),
    ];
    for program in PROGRAMS {
        trials.push(program.plain());
        if program.is_clean {
            trials.push(program.under_valgrind());
            trials.push(program.under_asan());
        }
    }
    trials.push(WITH_TSAN.under_tsan());
    trials.push(Trial::ignorable_test("asan_sees_a_use_after_free", asan_sees_a_use_after_free));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// The proof that the sanitizer would see what the others do not do.
fn asan_sees_a_use_after_free() -> Result<Completion, Failed> {
    if let Err(reason) = c::asan() {
        return Ok(Completion::ignored_with(reason));
    }
    let program = c::Library::of_this_build().with_asan().build("tests/c/use_after_free.c")?;
    let output = Command::new(program).output()?;
    let text = c::text(&output);
    let seen = !output.status.success() && text.contains("AddressSanitizer: heap-use-after-free");
    if seen { Ok(Completion::Completed) } else { Err(format!("{}: {text}", output.status).into()) }
}

fn examples_build() -> Result<(), Failed> {
    let library = c::Library::of_this_build();
    for entry in std::fs::read_dir(c::root().join("examples/c"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "c") {
            library.build(&path.to_string_lossy())?;
        }
    }
    Ok(())
}

/// What it measures are right answers.
fn the_bench_of_lookups_finds_all() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let (root, arguments) = (folder.path().join("root"), ["--containers", "10", "--fake-tree"]);
    let sim = sim::Sim::start(&[&arguments[..], &[&root.to_string_lossy()]].concat())?;
    let program = c::Library::of_this_build().build("benches/lookups/costs.c")?;
    let mut command = Command::new(program);
    let lines = c::succeed(command.arg(sim.endpoint()).arg(&root).env("SHORT", "1"))?;
    let said: Vec<serde_json::Value> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    for (key, answer) in [
        ("cgroup id", "CRI_OK"),
        ("cgroup id of the host", "CRI_NONE"),
        ("no such cgroup id", "CRI_E_NOT_FOUND"),
        ("first process and its start", "CRI_OK"),
        ("id", "CRI_OK"),
        ("cgroup path", "CRI_OK"),
        ("cgroup path of the host", "CRI_NONE"),
        ("any process", "CRI_OK"),
        ("process of the host", "CRI_NONE"),
        ("no such process", "CRI_E_NOT_FOUND"),
    ] {
        let its = said.iter().filter(|line| line["key"] == key && line["answer"] == answer);
        // Ids of cgroups take root's rights.
        let expected = if said.iter().any(|line| line["key"] == key) || !key.contains("cgroup id") { 3 } else { 0 };
        if its.clone().count() != expected || !its.into_iter().all(|line| line["ns_loop"].as_f64() > Some(0.0)) {
            return Err(format!("{key}: {lines}").into());
        }
    }
    if said.last().is_some_and(|line| line["bench"] == "generations") { Ok(()) } else { Err(lines.into()) }
}

fn the_shortest_example_lists() -> Result<(), Failed> {
    let mut sim = sim::Sim::start(&[])?;
    let id = sim.make("pod web ns=shop nginx")?;
    let program = c::Library::of_this_build().build("examples/c/list.c")?;
    let json = c::succeed(Command::new(program).arg(sim.endpoint()))?;
    let found = json.starts_with("{\"schema\":\"criwatch.containers/1\"") && json.contains(&id);
    if found { Ok(()) } else { Err(format!("{id} is not listed: {json}").into()) }
}

/// Starts and ends are printed, and the end of its input ends it.
fn the_callback_example_follows() -> Result<(), Failed> {
    let mut sim = sim::Sim::start(&[])?;
    sim.tell("pod web ns=shop nginx")?;
    let program = c::Library::of_this_build().build("examples/c/callback.c")?;
    let mut command = Command::new(program);
    let mut child = command.arg(sim.endpoint()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no stdout")?).lines();
    let mut shows = |start: &str| {
        let is = |line: &String| line.starts_with(start);
        lines.by_ref().map_while(Result::ok).find(is).map(drop).ok_or(format!("it ended without {start:?}"))
    };
    shows("started web/nginx pid ")?;
    sim.tell("stop web/nginx")?;
    shows("exited web/nginx code ")?;
    drop(child.stdin.take());
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}

/// Every change is printed, and the end of its input ends it.
fn the_epoll_example_follows() -> Result<(), Failed> {
    let mut sim = sim::Sim::start(&[])?;
    sim.tell("pod web ns=shop nginx proxy")?;
    let program = c::Library::of_this_build().build("examples/c/table.c")?;
    let mut command = Command::new(program);
    let mut child = command.arg(sim.endpoint()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no stdout")?).lines();
    let mut shows = |expected: [&str; 4]| {
        let is = |line: &String| line.split_whitespace().eq(expected);
        lines.by_ref().map_while(Result::ok).find(is).map(drop).ok_or(format!("it ended without {expected:?}"))
    };
    shows(["shop", "web", "10.88.0.2", "2"])?;
    sim.tell("stop web/proxy")?;
    shows(["shop", "web", "10.88.0.2", "1"])?;
    sim.tell("pod job ns=batch run")?;
    shows(["batch", "job", "10.88.0.3", "1"])?;
    drop(child.stdin.take());
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}

/// A pid comes in, whose it is goes out. The page about lookups shows the program's loop.
fn the_lookup_example_names_containers() -> Result<(), Failed> {
    let mut sim = sim::Sim::start(&[])?;
    sim.make("pod web ns=shop nginx")?;
    let things = sim.things()?;
    let nginx = things.iter().find(|thing| thing.path == "shop/web/nginx").ok_or("it is listed")?;
    let pid = nginx.pid;
    let (page, source) = ("docs/lookups.md", "examples/c/lookup.c");
    let read = |path: &str| std::fs::read_to_string(c::root().join(path));
    let (text, example) = (read(page)?, read(source)?.replace("\n        ", "\n"));
    let shown = text.split("```c\n").nth(1).and_then(|rest| rest.split("```").next()).ok_or("a loop in C")?;
    if !example.contains(shown.trim_end()) {
        return Err(format!("{page} shows another loop than {source} has").into());
    }
    let program = c::Library::of_this_build().build(source)?;
    let mut child = Command::new(program).arg(sim.endpoint()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let cgroup = std::fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
    writeln!(child.stdin.take().ok_or("no stdin")?, "{pid}\n{}\n0", i32::MAX)?;
    let output = child.wait_with_output()?;
    // Without the right to make cgroups, the simulated engine's processes are the host's.
    let whose = if cgroup.contains(&nginx.id) { "shop/web/nginx" } else { "host" };
    let expected = format!("{pid} {whose}\n{} unknown\n0 host\n", i32::MAX);
    let reported = c::text(&output);
    if reported == expected { Ok(()) } else { Err(format!("{reported:?}, not {expected:?}: {cgroup}").into()) }
}
