//! The shared library as it is shipped: linked by another linker against another glibc than the one of the other tests.

use std::path::Path;
use std::process::Command;

use libtest_mimic::{Completion, Failed};

use super::c::{self, Library, succeed};
use super::prefix::{Prefix, libraries};
use super::program::{self, Argument, Program};
use super::release::functions_without_version;

/// The libraries that the loader may have to look for.
const NEEDED: &[&str] = &["libc.so.6", "libpthread.so.0", "libdl.so.2", "libgcc_s.so.1"];

pub fn shows_only_the_c_abi() -> Result<Completion, Failed> {
    if !c::is_there("nm") || !c::is_there("readelf") {
        return Ok(Completion::ignored_with("binutils are not installed"));
    }
    let library = Library::in_folder(&Prefix::moved()?.lib());
    let promised = std::fs::read_to_string(c::root().join("tests/abi/exports.txt"))?;
    let exported = library.exports()?;
    if !exported.iter().map(String::as_str).eq(promised.lines()) {
        return Err(format!("exported: {exported:?}").into());
    }
    let dynamic = succeed(Command::new("readelf").args(["--dynamic", "--wide"]).arg(library.path()))?;
    for expected in ["Library soname: [libcriwatch.so.1]", "NODELETE", "NOW"] {
        if !dynamic.contains(expected) {
            return Err(format!("without {expected}: {dynamic}").into());
        }
    }
    if dynamic.contains("RPATH") || dynamic.contains("RUNPATH") || dynamic.contains("TEXTREL") {
        return Err(dynamic.into());
    }
    let strangers = needed(&dynamic).filter(|name| !NEEDED.contains(name) && !name.starts_with("ld-linux"));
    let strangers = strangers.collect::<Vec<_>>();
    if strangers.is_empty() { Ok(Completion::Completed) } else { Err(format!("needs {strangers:?}").into()) }
}

/// Each function has the ABI's version; programs ask for that, and those that were linked without one still run.
pub fn versions_its_symbols() -> Result<Completion, Failed> {
    if !c::is_there("nm") {
        return Ok(Completion::ignored_with("binutils are not installed"));
    }
    let version = format!("CRIWATCH_{}", criwatch::ffi::cri_abi_version());
    let shipped = Library::in_folder(&Prefix::moved()?.lib());
    let nm = |arguments: &[&str], path: &Path| {
        succeed(Command::new("nm").args(["-D", "--format=posix", "--with-symbol-versions"]).args(arguments).arg(path))
    };
    let defined = nm(&["--defined-only"], &shipped.path())?;
    let functions = defined.lines().filter_map(|line| line.split(' ').next()).filter(|name| name.starts_with("cri_"));
    let others: Vec<_> = functions.clone().filter(|name| !name.ends_with(&format!("@@{version}"))).collect();
    if !others.is_empty() || functions.count() < 40 {
        return Err(format!("without {version}: {others:?}, of {defined}").into());
    }
    let program = shipped.build("tests/c/version.c")?;
    let asked = nm(&["--undefined-only"], &program)?;
    if !asked.contains(&format!("cri_abi_version@{version} ")) {
        return Err(format!("the program does not ask for {version}: {asked}").into());
    }
    // One that was linked against the library as rustc links it, which has no versions.
    let older = Library::of_this_build().build("tests/c/version.c")?;
    let asked = nm(&["--undefined-only"], &older)?;
    if asked.contains(&version) {
        return Err(format!("it asks for {version}: {asked}").into());
    }
    let printed = succeed(Command::new(older).env("LD_LIBRARY_PATH", Prefix::moved()?.lib()))?;
    if printed.contains("version information") { Err(printed.into()) } else { Ok(Completion::Completed) }
}

/// The libraries that it asks the loader for.
pub fn needed(dynamic: &str) -> impl Iterator<Item = &str> {
    let lines = dynamic.lines().filter(|line| line.contains("(NEEDED)"));
    lines.filter_map(|line| line.rsplit_once('[')?.1.strip_suffix(']'))
}

pub fn glibc_floor() -> Result<Completion, Failed> {
    let folder = libraries()?;
    if succeed(&mut Command::new(c::root().join("scripts/zig"))).is_err() {
        return Ok(Completion::ignored_with("there is no zig to link against an old glibc: see scripts/zig"));
    }
    let library = folder.join("libcriwatch.so");
    let unknown = functions_without_version(&library)?;
    if !unknown.is_empty() {
        return Err(format!("the oldest glibc does not have {unknown:?}").into());
    }
    let versions = succeed(Command::new("readelf").args(["--version-info", "--wide"]).arg(library))?;
    let newest = versions.split("GLIBC_").skip(1).filter_map(version).max().ok_or("no version of glibc is needed")?;
    let stated = std::fs::read_to_string(folder.join("glibc-floor"))?;
    if version(&stated) != Some(newest) {
        return Err(format!("{newest:?} is needed, but {stated:?} is stated").into());
    }
    if newest <= (2, 17) { Ok(Completion::Completed) } else { Err(format!("{newest:?} is needed").into()) }
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// The programs of other tests that depend most on the linker's work: unwinding, threads, unloading.
const PROGRAMS: &[Program] = &[
    Program::new("tests/c/forced_exit.c", Some(Argument::DeadEndpoint)),
    Program::new("tests/c/unloads.c", Some(Argument::Library)),
    Program::new("tests/c/callbacks.c", Some(Argument::DeadEndpoint)),
    Program::new("tests/c/queries.c", Some(Argument::Simulated(&[]))),
];

pub fn does_its_work() -> Result<(), Failed> {
    let library = Library::in_folder(&Prefix::moved()?.lib());
    for program in PROGRAMS {
        program::run(program, &library, |path| Command::new(path))?;
    }
    Ok(())
}
