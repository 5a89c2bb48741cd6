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

/// The functions that a library for glibc asks for without a version: the glibc that it was linked against does not have them, and
/// such a system does not load it.
pub fn functions_without_version(library: &Path) -> Result<Vec<String>, String> {
    let listed = c::succeed(Command::new("readelf").args(["--dyn-syms", "--wide"]).arg(library))?;
    let symbols = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    // Num: Value Size Type Bind Vis Ndx Name. A weak one may be absent.
    let wanted = symbols.filter(|words| words.len() > 7 && words[4] == "GLOBAL" && words[6] == "UND");
    Ok(wanted.map(|words| words[7].to_owned()).filter(|name| !name.contains('@')).collect())
}
