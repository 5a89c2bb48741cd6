//! What the library costs before it does anything: its size, and the time until the first call.

use std::path::Path;
use std::process::Command;

use super::host::{library, number};
use super::plan::Plan;
use super::results::{Results, Row};
use super::{c, machine};

pub fn measure(plan: &Plan, results: &mut Results) -> super::Outcome {
    let (built, row) = (library()?, Row { section: "library", who: "criwatch", size: 0 });
    let folder = built.join("bench-shipped");
    // Stripped, and linked as `make install` does.
    let mut link = Command::new(c::root().join("scripts/link-libraries"));
    c::succeed(link.arg(&folder).env("CARGO_TARGET_DIR", built.parent().ok_or("no target folder")?))?;
    let shared = folder.join("libcriwatch.so");
    results.add(row, "shared_mb", size_mb(&shared)?);
    results.add(row, "static_mb", size_mb(&folder.join("libcriwatch.a"))?);
    let program = folder.join("load");
    let mut cc = Command::new(c::cc());
    cc.args(["-O2", "-Wall", "-Wextra", "-Werror"]).arg(c::root().join("benches/load.c"));
    c::succeed(cc.arg("-ldl").arg("-o").arg(&program))?;
    for _ in 0..plan.runs.max(9) {
        machine::is_quiet();
        let answer = serde_json::from_str(&c::succeed(Command::new(&program).arg(&shared))?)?;
        results.add(row, "load_us", number(&answer, "ns")? / 1e3);
        results.add(row, "loaded_rss_mb", number(&answer, "rss_bytes")? / 1e6);
        results.add(row, "loaded_anon_mb", number(&answer, "anon_bytes")? / 1e6);
    }
    Ok(())
}

fn size_mb(file: &Path) -> Result<f64, String> {
    file.metadata().map(|it| it.len() as f64 / 1e6).map_err(|e| format!("{}: {e}", file.display()))
}
