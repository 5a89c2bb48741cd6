//! What would borrow from a temporary does not compile, and its near twin does: tests/cpp/dangling*.cpp.

use std::collections::BTreeSet;
use std::process::Command;

use libtest_mimic::Failed;

use super::c;

const SOURCES: &[&str] = &["tests/cpp/dangling.cpp", "tests/cpp/dangling_results.cpp"];

pub fn what_dangles_does_not_compile() -> Result<(), Failed> {
    for source in SOURCES {
        for standard in ["-std=c++17", "-std=c++20"] {
            c::succeed(&mut compiler(source, standard)).map_err(|e| format!("the twins have to compile: {e}"))?;
            let expected = dangling_lines(source)?;
            let refused = refused_lines(source, standard)?;
            if refused != expected {
                let compiled: Vec<_> = expected.difference(&refused).collect();
                let others: Vec<_> = refused.difference(&expected).collect();
                return Err(format!(
                    "{source}, {standard}: these lines compile: {compiled:?}; these are refused, but not \
                     meant to be: {others:?}"
                )
                .into());
            }
        }
    }
    Ok(())
}

fn compiler(source: &str, standard: &str) -> Command {
    let mut command = Command::new(c::cxx());
    command.args([standard, "-fsyntax-only", "-Wshadow", "-Wconversion"]).args(c::STRICT).args(c::includes());
    command.arg(c::root().join(source));
    command
}

/// The lines that begin with DANGLES.
fn dangling_lines(source: &str) -> Result<BTreeSet<usize>, Failed> {
    let text = std::fs::read_to_string(c::root().join(source))?;
    let lines = text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("DANGLES("));
    let lines: BTreeSet<_> = lines.map(|(at, _)| at + 1).collect();
    if lines.len() < 3 { Err(format!("{source} has only {} lines", lines.len()).into()) } else { Ok(lines) }
}

/// The lines that the compiler refuses, or that make it refuse something of a header.
fn refused_lines(source: &str, standard: &str) -> Result<BTreeSet<usize>, Failed> {
    let mut command = compiler(source, standard);
    command.arg("-DDANGLING");
    // Clang stops after 20.
    let is_clang = c::text(&Command::new(c::cxx()).arg("--version").output()?).contains("clang");
    command.args(is_clang.then_some("-ferror-limit=0"));
    let output = command.output()?;
    if output.status.success() {
        return Err(format!("{command:?} succeeds").into());
    }
    let text = c::text(&output);
    let lines = text.lines().filter(|line| line.contains(": error: ") || line.contains("required from here"));
    let places = lines.filter_map(|line| line.split_once(&format!("{source}:"))?.1.split(':').next()?.parse().ok());
    Ok(places.collect())
}
