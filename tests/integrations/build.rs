//! Builds the agents, as a user does: against an installed library, by scripts/integrations.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use super::Obstacle;
use super::c;
use super::prefix::{Prefix, target};

/// The folder with what was built of an agent. Each is built once.
pub fn agent(name: &'static str) -> Result<PathBuf, Obstacle> {
    static BUILT: Mutex<BTreeMap<&str, Result<(), String>>> = Mutex::new(BTreeMap::new());
    // One at a time: they share the fetched packages.
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("integrations");
    if !built.contains_key(name) {
        let lacks = build(name, &folder)?;
        built.insert(name, lacks);
    }
    built[name].clone().map_err(Obstacle::Skip)?;
    Ok(folder.join(name))
}

/// What this machine lacks for it is an inner error.
fn build(name: &str, folder: &Path) -> Result<Result<(), String>, String> {
    let mut command = Command::new(c::root().join("scripts/integrations"));
    command.arg(name).env("PREFIX", Prefix::moved()?.path()).env("BUILD", folder).env("CARGO_TARGET_DIR", target());
    command.env("CFLAGS", "-O2 -g -Wall -Wextra -Werror").env("CXXFLAGS", "-O2 -g -Wall -Wextra -Wshadow -Werror");
    command.env_remove("LIBDIR").env_remove("MAKEFLAGS").env_remove("MAKELEVEL").stdin(Stdio::null());
    // Always from the sources of today: the library may be another than that of the last run.
    let _ = std::fs::remove_dir_all(folder.join(name));
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let told = c::text(&output);
    match output.status.code() {
        Some(0) => Ok(Ok(())),
        Some(77) => Ok(Err(told.lines().last().unwrap_or_default().trim_start_matches("not built: ").to_owned())),
        _ => Err(format!("{command:?}: {}\n{told}", output.status)),
    }
}

/// The folder of an agent's host, unpacked from Debian's packages.
pub fn packages(name: &str) -> Result<PathBuf, Obstacle> {
    let mut command = Command::new(c::root().join("tests/lab/agents.sh"));
    let output = command.arg(name).stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Obstacle::Skip(told.lines().last().unwrap_or("no reason was given").trim_start_matches("lab: ").to_owned()))
}

/// The only file of this name below a folder.
pub fn find(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let found = c::succeed(Command::new("find").arg(folder).args(["-name", name, "-print", "-quit"]))?;
    if found.is_empty() { Err(format!("{} has no {name}", folder.display())) } else { Ok(found.trim().into()) }
}
