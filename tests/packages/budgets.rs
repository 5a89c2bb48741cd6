//! The budgets of the library: packaging/budgets.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use libtest_mimic::{Completion, Failed};

use super::c::{self, Library, succeed};
use super::prefix::Prefix;
use super::shared_library::needed;

pub fn kept() -> Result<Completion, Failed> {
    if !c::is_there("nm") || !c::is_there("readelf") {
        return Ok(Completion::ignored_with("binutils are not installed"));
    }
    let spent = spent()?;
    let budgets = budgets()?;
    if !spent.keys().eq(budgets.keys()) {
        return Err(format!("budgets are for {:?}, measured is {:?}", budgets.keys(), spent.keys()).into());
    }
    let mut over = Vec::new();
    for (name, used) in &spent {
        println!("{name}: {used} of {}", budgets[name]);
        if *used > budgets[name] {
            over.push(format!("{name} is {used}, and may be {} (packaging/budgets)", budgets[name]));
        }
    }
    if over.is_empty() { Ok(Completion::Completed) } else { Err(over.join("\n").into()) }
}

fn budgets() -> Result<BTreeMap<String, u64>, String> {
    let text = std::fs::read_to_string(c::root().join("packaging/budgets")).map_err(|e| e.to_string())?;
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let budget = |line: &str| {
        let (name, number) = line.split_once(' ')?;
        Some((name.to_owned(), number.parse().ok()?))
    };
    lines.map(|line| budget(line).ok_or_else(|| format!("packaging/budgets: {line:?} is no budget"))).collect()
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
