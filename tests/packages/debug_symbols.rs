//! The debug symbols: what is shipped has none, and debuggers find those that are beside it.

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Completion, Failed};

use super::c::{self, succeed};
use super::prefix::libraries;

/// A function of the library, and where it stands in the source.
const FUNCTION: &str = "cri_abi_version";
const FILE: &str = "src/ffi/version.rs";

pub fn name_a_frame() -> Result<Completion, Failed> {
    if !["nm", "readelf", "addr2line"].into_iter().all(c::is_there) {
        return Ok(Completion::ignored_with("binutils are not installed"));
    }
    let folder = libraries()?;
    let library = folder.join("libcriwatch.so");
    let sections = succeed(Command::new("readelf").args(["--sections", "--wide"]).arg(&library))?;
    if sections.contains(".debug_") || sections.contains(".symtab") {
        return Err(format!("the library is not stripped: {sections}").into());
    }
    let symbols = symbols_of(&library, folder)?;
    let address = address(&library)?;
    let frame = succeed(Command::new("addr2line").args(["-Cfie"]).arg(&symbols).arg(&address))?;
    if !frame.contains(FUNCTION) || !frame.contains(FILE) {
        return Err(format!("{address} is {frame}").into());
    }
    // Any function, not only what is exported.
    let inner = succeed(Command::new("nm").args(["--demangle", "--defined-only"]).arg(&symbols))?;
    if !inner.lines().any(|line| line.contains("criwatch::sync::")) {
        return Err("no function of the library's inside has a name".into());
    }
    if !c::is_there("gdb") {
        return Ok(Completion::ignored_with("gdb is not installed: only addr2line was asked"));
    }
    let mut gdb = Command::new("gdb");
    gdb.args(["-nx", "-batch", "-iex", &format!("set debug-file-directory {}", folder.join("debug").display())]);
    let line = succeed(gdb.args(["-ex", &format!("info line {FUNCTION}")]).arg(&library))?;
    if line.contains("Line ") && line.contains(FILE) {
        Ok(Completion::Completed)
    } else {
        Err(format!("gdb finds no symbols: {line}").into())
    }
}

/// The file of the library's build-id.
fn symbols_of(library: &Path, folder: &Path) -> Result<PathBuf, Failed> {
    let notes = succeed(Command::new("readelf").args(["--notes", "--wide"]).arg(library))?;
    let id = notes.split("Build ID: ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let (first, rest) = id.ok_or("the library has no build-id")?.split_at(2);
    let symbols = folder.join(format!("debug/.build-id/{first}/{rest}.debug"));
    if symbols.exists() { Ok(symbols) } else { Err(format!("there is no {}", symbols.display()).into()) }
}

/// Where the function is, as the stripped library says.
fn address(library: &Path) -> Result<String, Failed> {
    let exports = succeed(Command::new("nm").args(["-D", "--defined-only", "--format=posix"]).arg(library))?;
    let line = exports.lines().find(|line| line.starts_with(FUNCTION)).ok_or("it is not exported")?;
    Ok(format!("0x{}", line.split(' ').nth(2).ok_or("an export without an address")?))
}
