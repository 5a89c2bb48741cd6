//! The budgets of the library: packaging/budgets.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use libtest_mimic::{Completion, Failed};

use super::c::{self, Library, succeed};
use super::limits::keep_all;
use super::prefix::Prefix;
use super::shared_library::needed;

pub fn kept() -> Result<Completion, Failed> {
    if !c::is_there("nm") || !c::is_there("readelf") {
        return Ok(Completion::ignored_with("binutils are not installed"));
    }
    keep_all("packaging/budgets", &spent()?)?;
    Ok(Completion::Completed)
}

fn spent() -> Result<BTreeMap<String, u64>, String> {
    let lib = Prefix::moved()?.lib();
    let library = Library::in_folder(&lib);
    let bytes = |name: &str| lib.join(name).metadata().map(|file| file.len()).map_err(|e| format!("{name}: {e}"));
    let dynamic = succeed(Command::new("readelf").args(["--dynamic", "--wide"]).arg(library.path()))?;
    Ok(BTreeMap::from([
        ("shared_library_bytes".to_owned(), bytes("libcriwatch.so")?),
        ("static_library_bytes".to_owned(), bytes("libcriwatch.a")?),
        ("exported_symbols".to_owned(), library.exports()?.len() as u64),
        ("needed_libraries".to_owned(), needed(&dynamic).count() as u64),
        ("linked_crates".to_owned(), linked_crates()?),
    ]))
}

/// Crates in the library besides itself.
fn linked_crates() -> Result<u64, String> {
    let mut tree = Command::new("cargo");
    tree.args(["tree", "--quiet", "--locked", "--offline", "--edges", "normal,no-proc-macro", "--prefix", "none"]);
    let tree = succeed(tree.args(["--format", "{p}"]).current_dir(c::root()))?;
    let crates = tree.lines().map(|line| line.trim_end_matches(" (*)")).filter(|line| !line.is_empty());
    Ok(crates.collect::<BTreeSet<_>>().len() as u64 - 1)
}
