//! The libraries in the unpacked archive.

use std::path::Path;
use std::process::Command;

use libtest_mimic::{Completion, Failed};

use super::c::{self, succeed};
use super::foreign::Foreign;
use super::layout;
use super::program::{self, Argument, Program};
use super::release::functions_without_version;
use super::sim::Sim;

pub fn shows_only_the_c_abi(foreign: &Foreign) -> Result<Completion, Failed> {
    let promised = std::fs::read_to_string(c::root().join("tests/abi/exports.txt"))?;
    for (library, table) in [("libcriwatch.so", "--dyn-syms"), ("libcriwatch.a", "--syms")] {
        let mut shown = symbols(&foreign.lib().join(library), table)?;
        shown.sort_unstable();
        if !shown.iter().map(String::as_str).eq(promised.lines()) {
            return Err(format!("{library} shows {shown:?}").into());
        }
    }
    Ok(Completion::Completed)
}

/// The functions and variables that others can use; readelf knows every machine.
fn symbols(library: &Path, table: &str) -> Result<Vec<String>, String> {
    let listed = succeed(Command::new("readelf").args([table, "--wide"]).arg(library))?;
    let shown = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    // Num: Value Size Type Bind Vis Ndx Name. A version is a symbol, too: an absolute one.
    let shown = shown.filter(|words| words.len() > 7 && ["GLOBAL", "WEAK"].contains(&words[4]));
    let shown = shown.filter(|words| !["UND", "ABS"].contains(&words[6]));
    Ok(shown.map(|words| words[7].split('@').next().unwrap_or_default().to_owned()).collect())
}

const PARTS_OF_GLIBC: &[&str] =
    &["libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1"];

pub fn needs_what_is_promised(foreign: &Foreign) -> Result<Completion, Failed> {
    let library = foreign.lib().join("libcriwatch.so");
    let dynamic = succeed(Command::new("readelf").args(["--dynamic", "--wide"]).arg(&library))?;
    for expected in ["Library soname: [libcriwatch.so.1]", "NODELETE", "NOW"] {
        if !dynamic.contains(expected) {
            return Err(format!("without {expected}: {dynamic}").into());
        }
    }
    let needed = dynamic.lines().filter(|line| line.contains("(NEEDED)"));
    let needed: Vec<_> = needed.filter_map(|line| line.rsplit_once('[')?.1.strip_suffix(']')).collect();
    let versions = succeed(Command::new("readelf").args(["--version-info", "--wide"]).arg(&library))?;
    if foreign.is_musl()? {
        // Every system with musl has that one, and not each has libgcc_s.
        let is_right = needed == ["libc.so"] && !versions.contains("GLIBC_");
        return if is_right { Ok(Completion::Completed) } else { Err(format!("needs {needed:?}: {versions}").into()) };
    }
    let strangers: Vec<_> =
        needed.iter().filter(|name| !PARTS_OF_GLIBC.contains(name) && !name.starts_with("ld-linux")).collect();
    // The process's unwinder, see docs/packaging.md.
    if strangers != [&"libgcc_s.so.1"] {
        return Err(format!("needs {needed:?}").into());
    }
    let unknown = functions_without_version(&library)?;
    if !unknown.is_empty() {
        return Err(format!("the oldest glibc does not have {unknown:?}").into());
    }
    let floor = number(&foreign.fact("floor")?).ok_or("the floor is no version")?;
    let newest = versions.split("GLIBC_").skip(1).filter_map(number).max().ok_or("no version of glibc is needed")?;
    if newest <= floor { Ok(Completion::Completed) } else { Err(format!("glibc {newest:?} is needed").into()) }
}

fn number(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// All targets lay structs out alike: bindings that know numbers only, such as Python's, know one set of them.
pub fn layout(foreign: &Foreign) -> Result<Completion, Failed> {
    let folder = tempfile::tempdir()?;
    let (source, executable) = (folder.path().join("layout.c"), folder.path().join("layout"));
    let header = std::fs::read_to_string(foreign.tree.join("include/criwatch.h"))?;
    std::fs::write(&source, layout::program(&header))?;
    let mut compile = foreign.compiler();
    compile.args(["-std=c11", "-I"]).arg(foreign.tree.join("include"));
    succeed(compile.arg(&source).arg("-o").arg(&executable))?;
    let printed = succeed(&mut foreign.run_without_library(&executable)?)?;
    let promised = std::fs::read_to_string(c::root().join("tests/abi/layout-x86_64.txt"))?;
    if printed == promised { Ok(Completion::Completed) } else { Err(printed.into()) }
}

/// Programs of other tests: options and errors, events and queries of an engine, memory that is given back.
const PROGRAMS: &[Program] = &[
    Program::new("tests/c/nulls.c", None),
    Program::new("tests/c/options.c", None),
    Program::new("tests/c/stopped.c", Some(Argument::DeadEndpoint)),
    Program::new("tests/c/replays.c", Some(Argument::Simulated(&[]))),
    Program::new("tests/c/queries.c", Some(Argument::Simulated(&[]))),
    Program::new("tests/c/snapshots.c", Some(Argument::Simulated(&[]))),
];

/// It forks. Debian 12's qemu promises a child an empty page (MADV_WIPEONFORK), and gives it the full one.
const NOT_EMULATED: &[Program] = &[Program::new("tests/c/callbacks.c", Some(Argument::DeadEndpoint))];

/// musl has no forced unwinding: it never leaves a callback through the library.
const WITH_GLIBC: &[Program] = &[Program::new("tests/c/forced_exit.c", Some(Argument::DeadEndpoint))];

pub fn c_programs(foreign: &Foreign) -> Result<Completion, Failed> {
    let library = foreign.library();
    let of_the_processor = if foreign.is_native()? { NOT_EMULATED } else { &[] };
    let of_the_libc = if foreign.is_musl()? { &[] } else { WITH_GLIBC };
    for program in PROGRAMS.iter().chain(of_the_processor).chain(of_the_libc) {
        program::run(program, &library, |path| foreign.run(path).expect("scripts/targets has answered before"))
            .map_err(|text| format!("{}: {text}", program.source))?;
    }
    lists(foreign.run(&library.build("examples/c/list.c")?)?)?;
    Ok(Completion::Completed)
}

/// It has no shared library at all: with musl that is what people link for.
pub fn static_program(foreign: &Foreign) -> Result<Completion, Failed> {
    if !foreign.is_musl()? {
        return Ok(Completion::ignored_with("zig has no static glibc"));
    }
    let folder = tempfile::tempdir()?;
    let program = folder.path().join("list");
    let mut compile = foreign.compiler();
    compile.args(["-std=c99", "-static", "-I"]).arg(foreign.tree.join("include"));
    compile.arg(c::root().join("examples/c/list.c")).arg(foreign.lib().join("libcriwatch.a"));
    // zig links an unwinder only when it is asked to, where gcc links its own.
    succeed(compile.arg("-lunwind").arg("-o").arg(&program))?;
    let headers = succeed(Command::new("readelf").args(["--program-headers", "--wide"]).arg(&program))?;
    if headers.contains("INTERP") {
        return Err(format!("it asks for a loader: {headers}").into());
    }
    lists(foreign.run_alone(&program)?)?;
    Ok(Completion::Completed)
}

/// A program that prints the containers of the engine it is given sees one.
pub fn lists(mut program: Command) -> Result<(), String> {
    let mut sim = Sim::start(&[])?;
    let id = sim.make("pod web ns=shop nginx")?;
    let printed = succeed(program.arg(sim.endpoint()))?;
    if printed.contains(&id) { Ok(()) } else { Err(format!("{id} is not listed: {printed}")) }
}
