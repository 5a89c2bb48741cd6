//! The library reads no environment variable: `getenv` is another one here, which does not bear it.

use std::process::Command;

use libtest_mimic::{Completion, Failed};

use super::c::{self, Library};
use super::program::{self, Argument, Program};

/// Start, events, log, packer, queue, stop; then queries, inspections and calls; then panics in all of it.
const WATCHES: Program = Program::new("tests/guest/threads.c", Some(Argument::Simulated(&[])));
const CALLS: Program = Program::new("tests/guest/strings.c", Some(Argument::Simulated(&[])));
const PANICS: Program = Program::new("tests/guest/panics.c", Some(Argument::Simulated(&[])));

/// While all is well.
pub fn is_not_read() -> Result<(), Failed> {
    let printed = run(&WATCHES)?;
    // Otherwise it was the C library's own getenv that was called.
    if !printed.contains("environment: looked at ") || printed.contains("looked at 0 times") {
        return Err(format!("getenv was not replaced: {printed}").into());
    }
    run(&CALLS).map(drop)
}

/// Rust's standard library reads `RUST_BACKTRACE` to print a panic, unless another hook prints it.
pub fn is_not_read_by_panics() -> Result<Completion, Failed> {
    if !cfg!(feature = "test-hooks") {
        return Ok(Completion::ignored_with("built without the feature test-hooks"));
    }
    let printed = run(&PANICS)?;
    if !printed.contains("on purpose: ") {
        return Err(format!("nothing panicked: {printed}").into());
    }
    Ok(Completion::Completed)
}

fn run(program: &Program) -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let preload = folder.path().join("getenv.so");
    let source = c::root().join("tests/guest/getenv.c");
    c::succeed(
        Command::new(c::cc())
            .args(c::STRICT)
            .args(["-std=gnu99", "-shared", "-fPIC"])
            .arg(source)
            .arg("-o")
            .arg(&preload),
    )?;
    let command = |path: &std::path::Path| {
        let mut command = Command::new(path);
        command.env("LD_PRELOAD", &preload).env("CRIWATCH_TEST_PANIC", folder.path().join("place"));
        command.env("RUST_MIN_STACK", "4194304").env("RUST_BACKTRACE", "full").env("SHORT", "1");
        command
    };
    Ok(program::run(program, &Library::of_this_build(), command)?)
}
