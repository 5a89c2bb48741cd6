//! Panics at every entry and in every thread of the library, by its test hooks.

use std::process::Command;

use libtest_mimic::{Completion, Failed};

use super::c::Library;
use super::program::{self, Argument, Program};

const PANICS: Program = Program::new("tests/guest/panics.c", Some(Argument::Simulated(&[])));

/// Nothing is printed but two lines on each panic.
pub fn become_errors() -> Result<Completion, Failed> {
    if !cfg!(feature = "test-hooks") {
        return Ok(Completion::ignored_with("built without the feature test-hooks"));
    }
    let folder = tempfile::tempdir()?;
    let printed = program::run(&PANICS, &Library::of_this_build(), |path| {
        let mut command = Command::new(path);
        command.env("CRIWATCH_TEST_PANIC", folder.path().join("place")).env_remove("RUST_BACKTRACE");
        command
    })?;
    let is_report = |line: &str| {
        line.starts_with("thread '") && line.contains("panicked at src/test_hooks.rs:")
            || line.starts_with("on purpose: ")
    };
    let panics = printed.lines().filter(|line| line.starts_with("on purpose: ")).count();
    let others: Vec<&str> = printed.lines().filter(|line| !is_report(line)).collect();
    if panics < 30 || !others.is_empty() {
        return Err(format!("{panics} panics; beside them, this was printed: {others:?}").into());
    }
    Ok(Completion::Completed)
}
