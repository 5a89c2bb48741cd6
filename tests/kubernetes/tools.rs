//! The programs that check manifests, made once: `check` from Go modules, and Python's `kubernetes-validate`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::{Obstacle, c, pypi};

/// Brings the schemas of each Kubernetes up to its own version.
const VALIDATOR: &str = "kubernetes-validate==1.37.0";

/// A folder for what is made here; it stays for the next run.
pub fn folder() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kubernetes");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// A command of tests/kubernetes/check.
pub fn check(arguments: &[&str]) -> Result<Command, Obstacle> {
    static MADE: OnceLock<Result<PathBuf, Obstacle>> = OnceLock::new();
    let mut command = Command::new(MADE.get_or_init(make_check).clone()?);
    command.args(arguments).current_dir(c::root());
    Ok(command)
}

fn make_check() -> Result<PathBuf, Obstacle> {
    // `go --version` is an error: only whether it can be started is asked for.
    if Command::new("go").arg("version").output().is_err() {
        return Err(Obstacle::Skip("Go is not installed".into()));
    }
    let sources = c::root().join("tests/kubernetes/check");
    let go = |arguments: &[&str]| {
        let mut command = Command::new("go");
        command.args(arguments).current_dir(&sources).env("GOFLAGS", "-mod=readonly -buildvcs=false -trimpath");
        command
    };
    // Fetches what is not there yet.
    if let Err(told) = c::succeed(&mut go(&["list", "-deps", "."])) {
        let reason = told.trim_end().lines().last().unwrap_or_default();
        return Err(Obstacle::Skip(format!("Go cannot have its modules: {reason}")));
    }
    let program = folder()?.join("check");
    c::succeed(go(&["build", "-o"]).arg(&program).arg("."))?;
    c::succeed(&mut go(&["vet", "."]))?;
    Ok(program)
}

/// Python that has the validator.
pub fn validator() -> Result<PathBuf, Obstacle> {
    static MADE: OnceLock<Result<PathBuf, Obstacle>> = OnceLock::new();
    MADE.get_or_init(make_validator).clone()
}

fn make_validator() -> Result<PathBuf, Obstacle> {
    pypi::python_with(&[VALIDATOR]).map_err(Obstacle::Skip)
}
