//! Programs with a function of the C library replaced by one of a source beside this file (LD_PRELOAD).

use std::process::Command;

use libtest_mimic::Failed;

use super::c::{self, Library};
use super::program::{self, Program};

/// Runs a program, and gives what it printed. `source` is the name of the replacement's file, without `.c`.
pub fn run(program: &Program, source: &str) -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let preload = folder.path().join(source).with_extension("so");
    let source = c::root().join("tests/guest").join(source).with_extension("c");
    let mut compiler = Command::new(c::cc());
    compiler.args(c::STRICT).args(["-std=gnu99", "-shared", "-fPIC"]).arg(source).arg("-o").arg(&preload);
    c::succeed(&mut compiler)?;
    let command = |path: &std::path::Path| {
        let mut command = Command::new(path);
        command.env("LD_PRELOAD", &preload).env("CRIWATCH_TEST_PANIC", folder.path().join("place"));
        command.env("RUST_MIN_STACK", "4194304").env("RUST_BACKTRACE", "full").env("SHORT", "1");
        command
    };
    Ok(program::run(program, &Library::of_this_build(), command)?)
}
