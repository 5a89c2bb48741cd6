//! Provisions real containerd engines (tests/lab/provision.sh), once for each test program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// What was provisioned.
#[derive(Debug, Default)]
pub struct Lab {
    /// An OCI archive with `localhost/pause:latest` and `localhost/busybox:latest`.
    pub image: PathBuf,
    /// The folder with runc.
    pub tools: PathBuf,
    /// runc's version.
    pub runc: String,
    /// The containerd versions that are there.
    pub engines: Vec<Package>,
    /// Those that are not: line and reason.
    pub missing: Vec<(String, String)>,
}

/// An unpacked containerd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its release line: `1.6`, `1.7`, `2`.
    pub line: String,
    /// Its version, as it says itself.
    pub version: String,
    /// The folder it was unpacked into.
    pub dir: PathBuf,
}

/// What `CRI_LAB` says about containerd engines of our own: `auto` (when it can be done), `off`, or
/// `required`: what is lacking fails the tests instead of skipping them.
pub fn is_required() -> bool {
    std::env::var("CRI_LAB").is_ok_and(|value| value == "required")
}

/// The provisioned engines, or the reason why there are none.
pub fn lab() -> Result<&'static Lab, &'static str> {
    static LAB: OnceLock<Result<Lab, String>> = OnceLock::new();
    LAB.get_or_init(provision).as_ref().map_err(String::as_str)
}

fn provision() -> Result<Lab, String> {
    match std::env::var("CRI_LAB").as_deref() {
        Ok("off") => return Err("CRI_LAB=off".into()),
        Err(_) | Ok("" | "auto" | "required") => {}
        Ok(other) => panic!("CRI_LAB={other} is not one of auto, off, required"),
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/provision.sh");
    let mut command = Command::new("sh");
    command.arg(&script).stdin(Stdio::null());
    let output = command.output().map_err(|error| format!("sh {}: {error}", script.display()))?;
    if output.status.success() {
        return Ok(parse(&String::from_utf8_lossy(&output.stdout)));
    }
    let reported = String::from_utf8_lossy(&output.stderr);
    let reason = reported.lines().last().unwrap_or("it gave no reason").trim_start_matches("lab: ");
    Err(format!("{reason} (provision.sh: {})", output.status))
}

/// The script's answer: tab separated lines, see its head.
fn parse(stdout: &str) -> Lab {
    let mut lab = Lab::default();
    for line in stdout.lines() {
        match *line.split('\t').collect::<Vec<_>>() {
            ["image", path] => lab.image = path.into(),
            ["tools", dir, version] => (lab.tools, lab.runc) = (dir.into(), version.into()),
            ["engine", line, version, dir] => {
                lab.engines.push(Package { line: line.into(), version: version.into(), dir: dir.into() });
            }
            ["missing", line, reason] => lab.missing.push((line.into(), reason.into())),
            _ => panic!("provision.sh printed a line that is not known here: {line:?}"),
        }
    }
    lab
}
