//! The Debian packages, in a Debian of their own.

use std::process::Command;

use libtest_mimic::{Completion, Failed};

use super::prefix::libraries;
use super::release::{make, target};
use super::{c, sim};

pub fn in_a_fresh_root(is_long: bool) -> Result<Completion, Failed> {
    if !is_long {
        return Ok(Completion::ignored_with("a long test: make test-long"));
    }
    // What the script packs and runs, if no other test has built it yet.
    libraries()?;
    sim::program()?;
    // Without link-time optimisation, which takes minutes.
    let mut programs = make();
    programs.args(["command", "simulator"]);
    c::succeed(programs.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"))?;
    let mut command = Command::new(c::root().join("scripts/try-debian-packages"));
    let output = command.env("CARGO_TARGET_DIR", target()).output()?;
    let printed = c::text(&output);
    // Its last line says so.
    match output.status.code() {
        Some(0) => Ok(Completion::Completed),
        Some(77) => Ok(Completion::ignored_with(printed.lines().last().unwrap_or("no reason was given").to_owned())),
        _ => Err(printed.into()),
    }
}
