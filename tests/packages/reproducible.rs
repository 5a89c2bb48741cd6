//! The same commit gives the same bytes, wherever and whenever it is built. `scripts/release-check` compares two whole builds; here is what
//! is cheap to try.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use libtest_mimic::{Completion, Failed};

use super::c::{self, succeed};
use super::prefix::libraries;
use super::release::target;

/// No file of the libraries has a folder of this machine in it; the debug symbols neither.
pub fn names_no_folder_of_this_machine() -> Result<Completion, Failed> {
    if !c::is_there("objcopy") {
        return Ok(Completion::ignored_with("binutils are not installed"));
    }
    let folder = tempfile::tempdir()?;
    let cargo_home = std::env::var("CARGO_HOME").or(std::env::var("HOME").map(|home| format!("{home}/.cargo")))?;
    let folders = [c::root().to_string_lossy(), target().to_string_lossy(), cargo_home.into()];
    for (name, bytes) in contents(libraries()?)? {
        let readable = folder.path().join("readable");
        std::fs::write(&readable, bytes)?;
        if name.ends_with(".debug") {
            succeed(Command::new("objcopy").arg("--decompress-debug-sections").arg(&readable))?;
        }
        for folder in &folders {
            let status =
                Command::new("grep").args(["--quiet", "--text", "--fixed-strings", folder]).arg(&readable).status()?;
            // 1: not found. Anything else is not to be taken for that.
            if status.code() != Some(1) {
                return Err(format!("{name} names {folder} (grep: {status})").into());
            }
        }
    }
    Ok(Completion::Completed)
}

/// The folders and the time of a second run are others.
pub fn links_to_the_same_bytes() -> Result<Completion, Failed> {
    let first = libraries()?;
    let second = tempfile::tempdir()?;
    let mut link = Command::new(c::root().join("scripts/link-libraries"));
    succeed(link.arg("--portable").arg(second.path()).env("CARGO_TARGET_DIR", target()))?;
    same(&contents(first)?, &contents(second.path())?)
}

pub fn packs_debian_packages_to_the_same_bytes() -> Result<Completion, Failed> {
    if !c::is_there("dpkg-deb") {
        return Ok(Completion::ignored_with("dpkg-deb is not installed"));
    }
    let packed = || -> Result<_, Failed> {
        let folder = tempfile::tempdir()?;
        let mut pack = Command::new(c::root().join("scripts/debian-packages"));
        succeed(pack.arg(libraries()?).arg(folder.path()).env("SOURCE_DATE_EPOCH", "1700000000"))?;
        contents(folder.path())
    };
    same(&packed()?, &packed()?)
}

/// Each file below a folder.
fn contents(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, Failed> {
    let found = succeed(Command::new("find").arg(folder).args(["-type", "f", "-printf", "%P\\n"]))?;
    let read = |name: &str| Ok((name.to_owned(), std::fs::read(folder.join(name))?));
    found.lines().map(read).collect()
}

fn same(first: &BTreeMap<String, Vec<u8>>, second: &BTreeMap<String, Vec<u8>>) -> Result<Completion, Failed> {
    let names = first.keys().chain(second.keys());
    let differ: Vec<_> = names.filter(|name| first.get(*name) != second.get(*name)).collect();
    if differ.is_empty() && !first.is_empty() {
        Ok(Completion::Completed)
    } else {
        Err(format!("{differ:?} differ").into())
    }
}
