//! A user's project, outside of the repository, on an installed library.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::c::{self, succeed};
use super::sim::lists;

/// The program that is built.
pub fn example() -> PathBuf {
    c::root().join("examples/c/list.c")
}

/// Builds it with pkg-config on what is installed below the prefix, and runs it; or says what is lacking.
pub fn builds_with_pkg_config(prefix: &Path) -> Result<Option<&'static str>, String> {
    if !c::is_there("pkg-config") {
        return Ok(Some("pkg-config is not installed"));
    }
    let lib = prefix.join("lib");
    let mut pkg_config = Command::new("pkg-config");
    pkg_config.args(["--cflags", "--libs", "criwatch"]).env("PKG_CONFIG_LIBDIR", lib.join("pkgconfig"));
    let flags = succeed(&mut pkg_config)?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let program = folder.path().join("list");
    let mut compiler = Command::new(c::cc());
    succeed(compiler.arg(example()).args(flags.split_whitespace()).arg("-o").arg(&program))?;
    let mut program = Command::new(program);
    program.env("LD_LIBRARY_PATH", lib);
    lists(program)?;
    Ok(None)
}

/// Builds a project that asks for `criwatch` with `find_package`, and runs its programs; or says what is lacking.
/// `options` tell CMake where the package is.
pub fn builds_with_cmake(options: &[String], library_path: &Path) -> Result<Option<&'static str>, String> {
    if !c::is_there("cmake") || c::cplusplus().is_err() {
        return Ok(Some("cmake or a C++ compiler is not installed"));
    }
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(c::root().join("tests/packages/consumer")).arg("-B").arg(folder.path());
    configure.arg(format!("-DEXAMPLE={}", example().display())).arg("-DCMAKE_BUILD_TYPE=Release").args(options);
    succeed(&mut configure)?;
    succeed(Command::new("cmake").arg("--build").arg(folder.path()))?;
    let mut list = Command::new(folder.path().join("list-shared"));
    list.env("LD_LIBRARY_PATH", library_path);
    lists(list)?;
    let mut version = Command::new(folder.path().join("version-cpp"));
    let version = succeed(version.env("LD_LIBRARY_PATH", library_path))?;
    if version.trim() != env!("CARGO_PKG_VERSION") {
        return Err(format!("the version in C++: {version}"));
    }
    Ok(None)
}
