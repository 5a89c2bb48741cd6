//! The library reads no environment variable: `getenv` is another one here, which does not bear it.

use libtest_mimic::{Completion, Failed};

use super::preloaded::run;
use super::program::{Argument, Program};

/// Start, events, log, packer, queue, stop; then queries, inspections and calls; then panics in all of it.
const WATCHES: Program = Program::new("tests/guest/threads.c", Some(Argument::Simulated(&[])));
const CALLS: Program = Program::new("tests/guest/strings.c", Some(Argument::Simulated(&[])));
const PANICS: Program = Program::new("tests/guest/panics.c", Some(Argument::Simulated(&[])));

/// While all is well.
pub fn is_not_read() -> Result<(), Failed> {
    let printed = run(&WATCHES, "getenv")?;
    // Otherwise it was the C library's own getenv that was called.
    if !printed.contains("environment: looked at ") || printed.contains("looked at 0 times") {
        return Err(format!("getenv was not replaced: {printed}").into());
    }
    run(&CALLS, "getenv").map(drop)
}

/// Rust's standard library reads `RUST_BACKTRACE` to print a panic, unless another hook prints it.
pub fn is_not_read_by_panics() -> Result<Completion, Failed> {
    if !cfg!(feature = "test-hooks") {
        return Ok(Completion::ignored_with("built without the feature test-hooks"));
    }
    let printed = run(&PANICS, "getenv")?;
    if !printed.contains("on purpose: ") {
        return Err(format!("nothing panicked: {printed}").into());
    }
    Ok(Completion::Completed)
}
