//! The C programs in tests/c, each run as it is and under valgrind; the examples in C are built as strictly.

#[path = "support/c.rs"]
mod c;
#[path = "support/sim.rs"]
mod sim;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// A program, and what it is given.
struct Program {
    name: &'static str,
    argument: Option<Argument>,
    /// Whether it gives everything back; otherwise valgrind is not asked.
    is_clean: bool,
}

#[derive(Clone, Copy)]
enum Argument {
    /// An empty folder.
    Folder,
    /// An endpoint where nobody is.
    DeadEndpoint,
    /// The shared library.
    Library,
    /// A simulated engine's endpoint. What the program writes to stdout are lines of the engine's script; the answers
    /// come in on stdin.
    Simulated,
}

const PROGRAMS: &[Program] = &[
    Program { name: "nulls", argument: None, is_clean: true },
    Program { name: "options", argument: None, is_clean: true },
    Program { name: "badinput", argument: Some(Argument::Folder), is_clean: true },
    Program { name: "callbacks", argument: Some(Argument::DeadEndpoint), is_clean: true },
    Program { name: "stopped", argument: Some(Argument::DeadEndpoint), is_clean: true },
    Program { name: "queues", argument: Some(Argument::DeadEndpoint), is_clean: true },
    Program { name: "queries", argument: Some(Argument::Simulated), is_clean: true },
    Program { name: "snapshots", argument: Some(Argument::Simulated), is_clean: true },
    Program { name: "logs", argument: Some(Argument::Simulated), is_clean: true },
    Program { name: "packer", argument: Some(Argument::Simulated), is_clean: true },
    // A process that just ends frees nothing; neither does one that forgets a watcher.
    Program { name: "exits", argument: Some(Argument::DeadEndpoint), is_clean: false },
    Program { name: "unloads", argument: Some(Argument::Library), is_clean: false },
    // A thread ended by force leaves behind what it held.
    Program { name: "forced_exit", argument: Some(Argument::DeadEndpoint), is_clean: false },
];

fn main() {
    let mut trials = vec![
        Trial::test("examples_build", examples_build),
        Trial::test("the_shortest_example_lists", the_shortest_example_lists),
        Trial::test("the_epoll_example_follows", the_epoll_example_follows),
        Trial::test("the_epoll_example_is_short", the_epoll_example_is_short),
    ];
    for program in PROGRAMS {
        trials.push(Trial::test(program.name, || Ok(run(program, |path| Command::new(path))?)));
        if program.is_clean {
            trials.push(Trial::ignorable_test(format!("{}_under_valgrind", program.name), || under_valgrind(program)));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn run(program: &Program, command: impl Fn(&Path) -> Command) -> Result<(), String> {
    let library = c::Library::of_this_build();
    let path = library.build(&format!("tests/c/{}.c", program.name))?;
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let mut command = command(&path);
    match program.argument {
        Some(Argument::Folder) => command.arg(folder.path()),
        Some(Argument::DeadEndpoint) => command.arg(format!("unix://{}/nobody.sock", folder.path().display())),
        Some(Argument::Library) => command.arg(library.path()),
        Some(Argument::Simulated) => return run_simulated(command),
        None => &mut command,
    };
    c::succeed(&mut command).map(drop)
}

fn run_simulated(mut command: Command) -> Result<(), String> {
    let mut sim = sim::Sim::start(&[])?;
    command.arg(sim.endpoint()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| format!("{command:?}: {e}"))?;
    let (Some(mut answers), Some(lines), Some(mut stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err("a child without pipes".into());
    };
    let complaints = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).map(|_| text)
    });
    for line in BufReader::new(lines).lines() {
        let line = line.map_err(|e| format!("{command:?} writes no text: {e}"))?;
        let answer = sim.tell(&line).unwrap_or_else(|e| e);
        // A program that does not wait for its answer has ended: its status tells the rest.
        let _ = writeln!(answers, "{answer}");
    }
    let status = child.wait().map_err(|e| format!("{command:?}: {e}"))?;
    let complaints = complaints.join().map_err(|_| "the reader of stderr panicked")?.map_err(|e| e.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}\n{complaints}")) }
}

fn under_valgrind(program: &Program) -> Result<Completion, Failed> {
    if !c::is_there("valgrind") {
        return Ok(Completion::ignored_with("valgrind is not installed"));
    }
    run(program, c::valgrind)?;
    Ok(Completion::Completed)
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

fn the_shortest_example_lists() -> Result<(), Failed> {
    let mut sim = sim::Sim::start(&[])?;
    let id = sim.make("pod web ns=shop nginx")?;
    let program = c::Library::of_this_build().build("examples/c/list.c")?;
    let json = c::succeed(Command::new(program).arg(sim.endpoint()))?;
    let found = json.starts_with("{\"schema\":\"criwatch.containers/1\"") && json.contains(&id);
    if found { Ok(()) } else { Err(format!("{id} is not listed: {json}").into()) }
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

fn the_epoll_example_is_short() -> Result<(), Failed> {
    let lines = std::fs::read_to_string(c::root().join("examples/c/table.c"))?.lines().count();
    if lines < 60 { Ok(()) } else { Err(format!("examples/c/table.c has {lines} lines").into()) }
}
