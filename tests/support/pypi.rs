//! Python with packages from PyPI, in an environment that is made once and stays for the next run.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::c;

/// The environment's Python, or why it cannot be had. `requirements` name their versions.
pub fn python_with(requirements: &[&str]) -> Result<PathBuf, String> {
    if !c::is_there("python3") {
        return Err("python3 is not installed".into());
    }
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pypi").join(requirements.join(" "));
    let (python, complete) = (place.join("bin/python"), place.join("complete"));
    if !complete.exists() {
        c::succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&place))
            .and_then(|_| {
                c::succeed(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(requirements))
            })
            .and_then(|_| std::fs::write(&complete, "").map_err(|error| format!("{}: {error}", complete.display())))
            .map_err(|told| {
                let reason = told.trim_end().lines().last().unwrap_or_default();
                format!("{} cannot be had: {reason}", requirements.join(" "))
            })?;
    }
    Ok(python)
}
