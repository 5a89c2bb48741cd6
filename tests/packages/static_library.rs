//! The static library: it may be linked beside another library in Rust, though both have a standard library inside.

use std::path::Path;
use std::process::Command;

use libtest_mimic::{Completion, Failed};

use super::c::{self, succeed};
use super::prefix::Prefix;
use super::release::target;
use super::sim::lists;

pub fn shows_only_the_c_abi() -> Result<Completion, Failed> {
    if !c::is_there("nm") {
        return Ok(Completion::ignored_with("nm is not installed"));
    }
    let archive = Prefix::moved()?.lib().join("libcriwatch.a");
    let symbols = succeed(Command::new("nm").args(["--extern-only", "--defined-only", "--format=posix"]).arg(archive))?;
    let symbols = symbols.lines().filter_map(|line| line.split_once(' ')).map(|(name, _)| name).collect::<Vec<_>>();
    // The first line names the member.
    let mut symbols = symbols.into_iter().filter(|name| !name.contains("[criwatch.o]:")).collect::<Vec<_>>();
    symbols.sort_unstable();
    let promised = std::fs::read_to_string(c::root().join("tests/abi/exports.txt"))?;
    if symbols.iter().copied().eq(promised.lines()) {
        Ok(Completion::Completed)
    } else {
        Err(format!("visible: {symbols:?}").into())
    }
}

pub fn goes_with_another() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let another = folder.path().join("libanother.a");
    let source = c::root().join("tests/packages/two/another.rs");
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "--crate-type=staticlib", "-Copt-level=1", "-o"]).arg(&another).arg(source);
    succeed(&mut rustc)?;

    let ours = Prefix::moved()?.lib().join("libcriwatch.a");
    let program = folder.path().join("both");
    succeed(&mut both(&program, &[&ours, &another]))?;
    lists(Command::new(&program))?;
    succeed(&mut both(&program, &[&another, &ours]))?;
    lists(Command::new(&program))?;

    // Cargo's own archive has to clash with another library: otherwise the test above would prove nothing.
    let raw = target().join("release/libcriwatch.a");
    match succeed(&mut both(&program, &[&raw, &another])) {
        Err(text) if text.contains("multiple definition") => Ok(()),
        other => Err(format!("libraries that do not keep to themselves: {other:?}").into()),
    }
}

/// The command that links the program on both libraries.
fn both(program: &Path, archives: &[&Path]) -> Command {
    let mut command = Command::new(c::cc());
    command.args(["-std=c99", "-pthread", "-I"]).arg(c::root().join("include"));
    command.arg(c::root().join("tests/packages/two/both.c")).args(archives);
    command.args(["-ldl", "-lm", "-o"]).arg(program);
    command
}
