//! The Debian packages and wheels of the other targets.

use std::process::Command;

use libtest_mimic::{Completion, Failed};

use super::c::{self, succeed};
use super::foreign::Foreign;
use super::library::lists;
use super::release::target;

/// The package for the other architecture: its fields, its files in their places, and that the library in it works.
pub fn debian(foreign: &Foreign) -> Result<Completion, Failed> {
    let architecture = foreign.fact("debian")?;
    if architecture == "-" {
        return Ok(Completion::ignored_with("Debian's libc is glibc"));
    }
    let folder = tempfile::tempdir()?;
    for package in ["libcriwatch1", "libcriwatch-dev"] {
        let file = foreign.artefact(|name| name.starts_with(&format!("{package}_")))?;
        let field = succeed(Command::new("dpkg-deb").arg("--field").arg(&file).arg("Architecture"))?;
        if field.trim() != architecture || !file.to_string_lossy().ends_with(&format!("_{architecture}.deb")) {
            return Err(format!("{} is for {field}", file.display()).into());
        }
        succeed(Command::new("dpkg-deb").arg("--extract").arg(&file).arg(folder.path()))?;
    }
    let lib = folder.path().join(format!("usr/lib/{}-linux-gnu", foreign.fact("machine")?));
    let mut program = foreign.run(&foreign.library().build("examples/c/list.c")?)?;
    // The loader looks there before it looks into the folder that the program was linked with.
    program.env("LD_LIBRARY_PATH", &lib);
    lists(program)?;
    for file in ["libcriwatch.a", "libcriwatch.so.1", "pkgconfig/criwatch.pc"] {
        if !lib.join(file).exists() {
            return Err(format!("{} is not in the packages", lib.join(file).display()).into());
        }
    }
    Ok(Completion::Completed)
}

/// The shared library of the wheel does its work: in Python where the machine's Python is to be had.
pub fn wheel_runs(foreign: &Foreign) -> Result<Completion, Failed> {
    if foreign.is_musl()? {
        return Ok(Completion::ignored_with("Debian has no Python that was built for musl"));
    }
    let folder = tempfile::tempdir()?;
    let wheel = foreign.artefact(|name| name.ends_with(".whl"))?;
    // No tool of Python's would install it here: it is another machine's.
    succeed(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(wheel).arg(folder.path()))?;
    let mut python = foreign.run(&foreign.root()?.join("usr/bin/python3.11"))?;
    python.env_remove("LD_LIBRARY_PATH").env("PYTHONPATH", folder.path()).env("PYTHONDONTWRITEBYTECODE", "1");
    python.arg(c::root().join("tests/targets/list.py"));
    lists(python)?;
    Ok(Completion::Completed)
}

/// PyPA's own judge of wheels: its tag promises no more than the library's symbols keep.
pub fn auditwheel(foreign: &Foreign) -> Result<Completion, Failed> {
    let folder = target().join("auditwheel");
    let installed = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--root-user-action=ignore", "--upgrade", "--target"])
        .arg(&folder)
        .arg("auditwheel==6.8.2")
        .output();
    if !installed.is_ok_and(|output| output.status.success()) {
        return Ok(Completion::ignored_with("auditwheel cannot be had of PyPI"));
    }
    let wheel = foreign.artefact(|name| name.ends_with(".whl"))?;
    let policy = match foreign.is_musl()? {
        true => "musllinux",
        false => "manylinux",
    };
    let tag = format!("{policy}_{}_{}", foreign.fact("floor")?.replace('.', "_"), foreign.fact("machine")?);
    if !wheel.to_string_lossy().ends_with(&format!("-py3-none-{tag}.whl")) {
        return Err(format!("{} is not tagged {tag}", wheel.display()).into());
    }
    let mut show = Command::new("python3");
    let verdict = succeed(show.args(["-m", "auditwheel", "show"]).arg(wheel).env("PYTHONPATH", folder))?;
    let words = verdict.split_whitespace().collect::<Vec<_>>().join(" ");
    let agrees = words.contains(&format!("following platform tag: \"{tag}\""));
    if agrees { Ok(Completion::Completed) } else { Err(verdict.into()) }
}
