//! The conda recipe: rattler-build makes packages of the tarball, tests them, and rattler installs them.

use std::process::Command;

use libtest_mimic::Completion;

use super::c::{self, succeed};
use super::sim::Sim;
use super::{Outcome, dist, pypi, user};

const TOOLS: &[&str] = &["py-rattler-build==0.73.0", "py-rattler==0.28.0"];

pub fn packages_are_used() -> Outcome {
    let python = match pypi::python_with(TOOLS) {
        Ok(python) => python,
        Err(reason) => return Ok(Completion::ignored_with(reason)),
    };
    let folder = tempfile::tempdir()?;
    dist::recipes(folder.path())?;
    let prefix = folder.path().join("prefix");
    let mut make = Command::new(python);
    make.arg(c::root().join("tests/artefacts/conda.py")).arg(folder.path().join("conda/recipe.yaml"));
    // Its caches are the test's own.
    make.arg(folder.path().join("channel")).arg(&prefix).env("HOME", folder.path()).env_remove("XDG_CACHE_HOME");
    succeed(&mut make)?;

    let mut sim = Sim::start(&[])?;
    sim.tell("pod web ns=shop nginx")?;
    let printed = succeed(Command::new(prefix.join("bin/criwatch")).args(["-r", sim.endpoint(), "ps"]))?;
    if !printed.contains("web") {
        return Err(format!("criwatch ps: {printed}").into());
    }
    let lacking = user::builds_with_pkg_config(&prefix)?;
    let place = format!("-DCMAKE_PREFIX_PATH={}", prefix.display());
    let lacking = user::builds_with_cmake(&[place], &prefix.join("lib"))?.or(lacking);
    Ok(lacking.map_or(Completion::Completed, Completion::ignored_with))
}
