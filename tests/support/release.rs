//! The library of the release profile, built beside the tests by `make`, as users build it.

#![allow(dead_code)] // Each test binary uses its part.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::c;

/// The folder of libcriwatch.so, which is built once.
pub fn library() -> Result<&'static Path, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        c::succeed(make().arg("build"))?;
        Ok(target().join("release"))
    });
    built.as_deref().map_err(Clone::clone)
}

/// The folder in which cargo builds.
pub fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the folder above that for temporary files")
}

/// `make` in the repository, without the variables that a make above this test may have set.
pub fn make() -> Command {
    let mut command = Command::new("make");
    command.args(["--silent", "--directory"]).arg(c::root()).env("CARGO_TARGET_DIR", target());
    for variable in
        ["MAKEFLAGS", "MAKELEVEL", "PREFIX", "LIBDIR", "INCLUDEDIR", "DESTDIR", "COMMAND", "SIMULATOR", "TARGETS"]
    {
        command.env_remove(variable);
    }
    command
}
