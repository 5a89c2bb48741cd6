//! Programs of users, built on an installed library by pkg-config and by CMake, and run.

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Completion, Failed};

use super::c::{self, succeed};
use super::empty_root;
use super::prefix::Prefix;
use super::release::target;
use super::shared_library::needed;
use super::sim::lists;

const NO_PKG_CONFIG: &str = "pkg-config is not installed";

pub fn pkg_config_shared() -> Result<Completion, Failed> {
    built_by_pkg_config(&["--cflags", "--libs"], &[], true)
}

pub fn pkg_config_static() -> Result<Completion, Failed> {
    built_by_pkg_config(&["--variable=static_libs"], &[], false)
}

/// A program that needs no shared library at all, glibc's neither.
pub fn pkg_config_all_static() -> Result<Completion, Failed> {
    match static_libc()? {
        Ok(()) => built_by_pkg_config(&["--static", "--cflags", "--libs"], &["-static"], false),
        Err(reason) => Ok(Completion::ignored_with(reason)),
    }
}

/// Whether this machine can link programs that need no shared library at all; otherwise what is lacking.
pub fn static_libc() -> Result<Result<(), &'static str>, Failed> {
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("empty.c");
    std::fs::write(&source, "int main(void) { return 0; }")?;
    let mut empty = Command::new(c::cc());
    let linked = succeed(empty.arg("-static").arg(&source).arg("-o").arg(folder.path().join("empty")));
    Ok(if linked.is_ok() { Ok(()) } else { Err("there is no static libc") })
}

fn built_by_pkg_config(asked: &[&str], flags: &[&str], is_shared: bool) -> Result<Completion, Failed> {
    if !c::is_there("pkg-config") {
        return Ok(Completion::ignored_with(NO_PKG_CONFIG));
    }
    let prefix = Prefix::moved()?;
    let folder = tempfile::tempdir()?;
    let program = folder.path().join("list");
    let options = succeed(pkg_config(prefix).args(["--cflags", "criwatch"]))?
        + " "
        + &succeed(pkg_config(prefix).args(asked).arg("criwatch"))?;
    let mut compiler = Command::new(c::cc());
    compiler
        .arg("-std=c99")
        .args(c::STRICT)
        .args(flags)
        .arg(example())
        .args(options.split_whitespace())
        .arg("-o")
        .arg(&program);
    succeed(&mut compiler)?;
    runs(prefix, &program, is_shared)?;
    if flags.contains(&"-static") {
        needs_nothing(&program)?;
        return runs_in_an_empty_root(&program);
    }
    Ok(Completion::Completed)
}

/// A program that needs no file of the system lists containers where there is none.
pub fn runs_in_an_empty_root(program: &Path) -> Result<Completion, Failed> {
    match empty_root::run(program)? {
        Ok((json, id)) if !json.contains(&id) => Err(format!("in an empty root, {id} is not listed: {json}").into()),
        Ok(_) => Ok(Completion::Completed),
        Err(reason) => Ok(Completion::ignored_with(reason)),
    }
}

pub fn native_static_libs() -> Result<Completion, Failed> {
    if !c::is_there("pkg-config") {
        return Ok(Completion::ignored_with(NO_PKG_CONFIG));
    }
    let prefix = Prefix::moved()?;
    let with = succeed(pkg_config(prefix).args(["--static", "--libs", "criwatch"]))?;
    let without = succeed(pkg_config(prefix).args(["--libs", "criwatch"]))?;
    let listed =
        with.trim().strip_prefix(without.trim()).ok_or_else(|| format!("{with} does not begin as {without}"))?;
    let known = std::fs::read_to_string(target().join("release/native-static-libs"))?;
    // The unwinder is what the compiler chooses, with -static another one.
    if listed.split_whitespace().eq(known.split_whitespace().filter(|library| *library != "-lgcc_s")) {
        Ok(Completion::Completed)
    } else {
        Err(format!("criwatch.pc: {listed}; rustc: {known}").into())
    }
}

pub fn cmake() -> Result<Completion, Failed> {
    if !c::is_there("cmake") || !c::is_there("c++") {
        return Ok(Completion::ignored_with("cmake or a C++ compiler is not installed"));
    }
    let prefix = Prefix::moved()?;
    let folder = tempfile::tempdir()?;
    succeed(&mut configure(prefix, &c::root().join("tests/packages/consumer"), folder.path()))?;
    succeed(Command::new("cmake").arg("--build").arg(folder.path()))?;
    runs(prefix, &folder.path().join("list-shared"), true)?;
    runs(prefix, &folder.path().join("list-static"), false)?;
    if static_libc()?.is_ok() {
        let all_static = folder.path().join("all-static");
        let mut configured = configure(prefix, &c::root().join("tests/packages/consumer"), &all_static);
        succeed(configured.arg("-DCMAKE_EXE_LINKER_FLAGS=-static"))?;
        succeed(Command::new("cmake").arg("--build").arg(&all_static).args(["--target", "list-static"]))?;
        runs(prefix, &all_static.join("list-static"), false)?;
        needs_nothing(&all_static.join("list-static"))?;
    }
    if prefix.path().join("include/criwatch.hpp").exists() {
        let version = succeed(&mut Command::new(folder.path().join("version-cpp")))?;
        if version.trim() != env!("CARGO_PKG_VERSION") {
            return Err(format!("the version in C++: {version}").into());
        }
    }
    Ok(Completion::Completed)
}

pub fn cmake_refuses() -> Result<Completion, Failed> {
    if !c::is_there("cmake") {
        return Ok(Completion::ignored_with("cmake is not installed"));
    }
    let folder = tempfile::tempdir()?;
    let lists = |version: &str| {
        format!("cmake_minimum_required(VERSION 3.13)\nproject(p C)\nfind_package(criwatch {version} REQUIRED)\n")
    };
    for (version, is_there) in [("0.0.1", true), (env!("CARGO_PKG_VERSION"), true), ("0.99", false), ("9.0", false)] {
        std::fs::write(folder.path().join("CMakeLists.txt"), lists(version))?;
        let found = succeed(&mut configure(Prefix::moved()?, folder.path(), &folder.path().join(version)));
        if found.is_ok() != is_there {
            return Err(format!("version {version} was asked for: {found:?}").into());
        }
    }
    Ok(Completion::Completed)
}

fn configure(prefix: &Prefix, source: &Path, build: &Path) -> Command {
    let mut command = Command::new("cmake");
    command.arg("-S").arg(source).arg("-B").arg(build).arg(format!("-DEXAMPLE={}", example().display()));
    command.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.path().display()));
    command
}

fn pkg_config(prefix: &Prefix) -> Command {
    let mut command = Command::new("pkg-config");
    command.env("PKG_CONFIG_LIBDIR", prefix.lib().join("pkgconfig")).env_remove("PKG_CONFIG_PATH");
    command
}

fn example() -> PathBuf {
    c::root().join("examples/c/list.c")
}

/// The program lists what an engine has, with the installed shared library or with none.
fn runs(prefix: &Prefix, program: &Path, is_shared: bool) -> Result<(), String> {
    let dynamic = succeed(Command::new("readelf").args(["--dynamic", "--wide"]).arg(program))?;
    if needed(&dynamic).any(|name| name == "libcriwatch.so.1") != is_shared {
        return Err(format!("{} is linked otherwise: {dynamic}", program.display()));
    }
    let mut command = Command::new(program);
    command.env("LD_LIBRARY_PATH", prefix.lib());
    lists(command)
}

/// The program asks the loader for no library.
pub fn needs_nothing(program: &Path) -> Result<(), String> {
    let dynamic = succeed(Command::new("readelf").args(["--dynamic", "--wide"]).arg(program))?;
    let needed: Vec<_> = needed(&dynamic).collect();
    if needed.is_empty() { Ok(()) } else { Err(format!("{} needs {needed:?}", program.display())) }
}
