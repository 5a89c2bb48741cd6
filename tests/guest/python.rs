//! A Python interpreter as the host.

use std::process::Command;

use libtest_mimic::{Completion, Failed};

use super::{c, sim};

const TIMES: usize = 100;

/// Before 3.14, Python ends foreign threads by force when it is gone: that must not become an abort.
pub fn exits() -> Result<Completion, Failed> {
    if !c::is_there("python3") {
        return Ok(Completion::ignored_with("python3 is not installed"));
    }
    let sim = sim::Sim::start(&["--workload", "--pods", "6", "--pace", "5ms"])?;
    let library = c::Library::of_this_build().path();
    for _ in 0..TIMES {
        let script = c::root().join("tests/guest/exits.py");
        let printed = c::succeed(Command::new("python3").arg(script).arg(&library).arg(sim.endpoint()))?;
        if !printed.is_empty() {
            return Err(printed.into());
        }
    }
    Ok(Completion::Completed)
}
