//! The bills of materials: what Cargo says is linked in, in a form that other tools read.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use libtest_mimic::{Completion, Failed};
use serde_json::Value;

use super::c::{self, succeed};
use super::release::target;
use super::{Outcome, pypi};

/// It has the schemas of CycloneDX.
const CYCLONEDX: &[&str] = &["cyclonedx-python-lib[json-validation]==11.12.0"];
const VALIDATE: &str = "
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read())
sys.exit(str(error) if error else 0)
";

/// The library and the two programs, each in its workspace.
const WORKSPACES: [&str; 3] = [".", "cli", "sim"];

pub fn list_what_is_linked_in() -> Outcome {
    if !c::is_there("python3") {
        return Ok(Completion::ignored_with("python3 is not installed"));
    }
    let mut tool = Command::new(c::root().join("scripts/cargo-tool"));
    if let Err(told) = succeed(tool.arg("cargo-cyclonedx").env("CARGO_TARGET_DIR", target())) {
        return Ok(Completion::ignored_with(told.trim_end().lines().last().unwrap_or_default()));
    }
    let folder = tempfile::tempdir()?;
    let python = pypi::python_with(CYCLONEDX);
    for workspace in WORKSPACES {
        let file = folder.path().join("bill.cdx.json");
        let mut sbom = Command::new(c::root().join("scripts/sbom"));
        succeed(sbom.arg(&file).arg(workspace).env("CARGO_TARGET_DIR", target()))?;
        is_right(&file, workspace)?;
        if let Ok(python) = &python {
            succeed(Command::new(python).args(["-c", VALIDATE]).arg(&file))?;
        }
    }
    Ok(python.map_or_else(Completion::ignored_with, |_| Completion::Completed))
}

fn is_right(file: &Path, workspace: &str) -> Result<(), Failed> {
    let text = std::fs::read_to_string(file)?;
    let root = c::root().display().to_string();
    if text.contains(&root) {
        return Err(format!("the bill of {workspace} names {root}").into());
    }
    let bill: Value = serde_json::from_str(&text)?;
    let components = bill["components"].as_array().ok_or("no components")?;
    let mut listed = BTreeSet::new();
    for component in components {
        let name = component["name"].as_str().unwrap_or_default();
        listed.insert(name.to_owned());
        // The command is built from the library beside it, which no registry has.
        let has_checksum = name == "criwatch" || component["hashes"][0]["content"].is_string();
        if !component["licenses"].is_array() || !has_checksum {
            return Err(format!("the bill of {workspace} lacks a licence or a checksum: {component:#}").into());
        }
    }
    let used = used(workspace)?;
    if listed != used {
        let (more, less): (Vec<_>, Vec<_>) = (listed.difference(&used).collect(), used.difference(&listed).collect());
        return Err(format!("the bill of {workspace} lists {more:?}, which are not used; it lacks {less:?}").into());
    }
    Ok(())
}

/// The crates that Cargo links into what a workspace makes, and the macros that write code of it.
fn used(workspace: &str) -> Result<BTreeSet<String>, String> {
    let mut tree = Command::new("cargo");
    tree.args(["tree", "--quiet", "--locked", "--edges", "normal", "--prefix", "none"]);
    let lines = succeed(tree.arg("--manifest-path").arg(c::root().join(workspace).join("Cargo.toml")))?;
    let mut names = lines.lines().filter_map(|line| line.split_whitespace().next());
    // The first line is what is made.
    names.next();
    Ok(names.map(str::to_owned).collect())
}
