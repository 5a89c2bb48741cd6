//! The Debian packages and wheels of the other targets.

use std::process::{Command, Stdio};

use libtest_mimic::{Completion, Failed};

use super::c::{self, succeed};
use super::foreign::Foreign;
use super::library::lists;
use super::pypi;

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
    let python = match pypi::python_with(&["auditwheel==6.8.2"]) {
        Ok(python) => python,
        Err(reason) => return Ok(Completion::ignored_with(reason)),
    };
    let wheel = foreign.artefact(|name| name.ends_with(".whl"))?;
    let is_musl = foreign.is_musl()?;
    let policy = if is_musl { "musllinux" } else { "manylinux" };
    let tag = format!("{policy}_{}_{}", foreign.fact("floor")?.replace('.', "_"), foreign.fact("machine")?);
    if !wheel.to_string_lossy().ends_with(&format!("-py3-none-{tag}.whl")) {
        return Err(format!("{} is not tagged {tag}", wheel.display()).into());
    }
    let mut show = Command::new(python);
    show.args(["-m", "auditwheel", "show", "--json"]);
    // The target's libc, where this machine has another.
    show.arg("--ldpaths").arg(foreign.root()?.join(format!("lib/{}-linux-musl", foreign.fact("machine")?)));
    let output = show.arg(wheel).stderr(Stdio::inherit()).output()?;
    let verdict: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    // Its name for musl is Alpine's. musl's loader takes libc.so for itself everywhere.
    let is_libc_alone = verdict["policy_upgrades"][&tag]["libs_to_eliminate"] == serde_json::json!(["libc.so"]);
    let agrees = verdict["sym_tag"] == *tag && if is_musl { is_libc_alone } else { verdict["overall_tag"] == *tag };
    if agrees { Ok(Completion::Completed) } else { Err(format!("{verdict:#}").into()) }
}
