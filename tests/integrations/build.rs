//! Builds the agents, as a user does: against an installed library, by scripts/integrations.

#![allow(dead_code)] // Each test binary uses its part.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::support::go;
use super::{Obstacle, c};

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

/// Where the library of this build is installed, by what `make install` calls.
pub fn prefix() -> Result<PathBuf, String> {
    static INSTALLED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let install = || {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("integrations");
        let (from, root) = (folder.join("libraries"), folder.join("root"));
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        for made in [&from, &root] {
            if made.exists() {
                std::fs::remove_dir_all(made).map_err(failed)?;
            }
            std::fs::create_dir_all(made).map_err(failed)?;
        }
        // A link to it, beside which cargo has put the archive.
        let library = c::Library::of_this_build().path().canonicalize().map_err(failed)?;
        for name in ["libcriwatch.so", "libcriwatch.a"] {
            std::os::unix::fs::symlink(library.with_file_name(name), from.join(name)).map_err(failed)?;
        }
        std::fs::write(from.join("native-static-libs"), go::NATIVE_LIBRARIES).map_err(failed)?;
        let mut install = Command::new(c::root().join("scripts/install"));
        install.arg(&from).env("PREFIX", "/criwatch").env("DESTDIR", &root);
        c::succeed(install.env_remove("LIBDIR").env_remove("INCLUDEDIR"))?;
        Ok(root.join("criwatch"))
    };
    INSTALLED.get_or_init(install).clone()
}

/// Whether programs can be linked that need no shared library; otherwise what is lacking.
pub fn can_link_statically() -> Result<(), String> {
    static TRIED: OnceLock<Result<(), String>> = OnceLock::new();
    let try_it = || {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let (source, program) = (folder.path().join("empty.c"), folder.path().join("empty"));
        std::fs::write(&source, "int main(void) { return 0; }").map_err(|error| error.to_string())?;
        let linked = c::succeed(Command::new(c::cc()).arg("-static").arg(source).arg("-o").arg(program));
        linked.map(drop).map_err(|_| "there is no static libc".to_owned())
    };
    TRIED.get_or_init(try_it).clone()
}

/// Flags for `go` without `make`: those of the collector, whose packages are then built already. As in
/// integrations/otelcol/Makefile, one that does nothing tells Go's cache the prefixes apart.
pub fn go_flags(prefix: &Path) -> String {
    let key: String = prefix.display().to_string().chars().filter(char::is_ascii_alphanumeric).collect();
    let tags = if can_link_statically().is_ok() { " -tags=criwatch_static,netgo,osusergo" } else { "" };
    format!(
        "-mod=readonly -buildvcs=false -trimpath{tags} \
         -gcflags=github.com/criwatch/criwatch/bindings/go/internal/capi=-D={key}"
    )
}

/// What this machine lacks for it is an inner error.
fn build(name: &str, folder: &Path) -> Result<Result<(), String>, String> {
    let mut command = Command::new(c::root().join("scripts/integrations"));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("");
    command.arg(name).env("PREFIX", prefix()?).env("BUILD", folder).env("CARGO_TARGET_DIR", target);
    command.env("CFLAGS", "-O2 -g -Wall -Wextra -Werror").env("CXXFLAGS", "-O2 -g -Wall -Wextra -Wshadow -Werror");
    command.env_remove("LIBDIR").env_remove("MAKEFLAGS").env_remove("MAKELEVEL").stdin(Stdio::null());
    // The collector that images have. To compile it for both kinds would take twice as long.
    if can_link_statically().is_ok() {
        command.env("STATIC", "1");
    }
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
