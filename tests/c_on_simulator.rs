//! C programs that need an engine, on the simulated one; each as it is and under valgrind.

#[path = "support/c.rs"]
mod c;
#[path = "support/sim.rs"]
mod sim;

use std::path::Path;
use std::process::Command;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// Programs of tests/c.
const PROGRAMS: &[&str] = &["logs", "packer"];

fn main() {
    let mut trials = Vec::new();
    for name in PROGRAMS {
        trials.push(Trial::test(*name, || Ok(run(name, |path| Command::new(path))?)));
        trials.push(Trial::ignorable_test(format!("{name}_under_valgrind"), || under_valgrind(name)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Each is given the endpoint of an engine of its own; one that ends it, its pid, too.
fn run(name: &str, command: impl Fn(&Path) -> Command) -> Result<(), String> {
    let program = c::Library::of_this_build().build(&format!("tests/c/{name}.c"))?;
    let engine = sim::Sim::start(&[])?;
    let mut command = command(&program);
    command.arg(engine.endpoint());
    if name == "logs" {
        command.arg(engine.pid().to_string());
    }
    c::succeed(&mut command).map(drop)
}

fn under_valgrind(name: &str) -> Result<Completion, Failed> {
    if !c::is_there("valgrind") {
        return Ok(Completion::ignored_with("valgrind is not installed"));
    }
    run(name, c::valgrind)?;
    Ok(Completion::Completed)
}
