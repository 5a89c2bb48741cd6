//! What lookups cost: benches/lookups measures them, here are its lines.

use std::process::Command;

use serde_json::Value;

use super::host::{library, number};
use super::plan::Plan;
use super::results::{Results, Row};
use super::{c, machine, sim};

/// Larger engines take minutes to fill, for nothing that is new.
const MOST: usize = 10_000;

pub fn measure(plan: &Plan, results: &mut Results) -> super::Outcome {
    let mut command = Command::new(c::root().join("benches/lookups/run"));
    command.args(plan.containers.iter().filter(|count| **count <= MOST).map(usize::to_string));
    command.env("CRI_SIM", sim::program()?);
    command.env("CRIWATCH_LIBRARY", library()?.join("libcriwatch.so"));
    for _ in 0..plan.runs {
        machine::is_quiet();
        for line in c::succeed(&mut command)?.lines().filter(|line| line.starts_with('{')) {
            note(&serde_json::from_str(line)?, results)?;
        }
    }
    Ok(())
}

fn note(line: &Value, results: &mut Results) -> super::Outcome {
    let (size, text) = (number(line, "containers")? as usize, |key: &str| line[key].as_str().unwrap_or_default());
    let who = match (text("processes"), line["threads"].as_u64(), line["writer"].as_bool()) {
        (processes, Some(1), _) => format!("{processes} processes, 1 thread"),
        (processes, Some(threads), Some(true)) => format!("{processes} processes, {threads} threads and a writer"),
        (processes, Some(threads), _) => format!("{processes} processes, {threads} threads"),
        _ => "a new generation".to_owned(),
    };
    let row = Row { section: "lookups", who: &who, size };
    if line["bench"] == "generations" {
        results.add(row, "snapshot", number(line, "ns_snapshot")?);
        results.add(row, "first lookup", number(line, "ns_first_lookup")?);
        return Ok(());
    }
    results.add(row, &format!("{}: {}", text("key"), text("answer")), number(line, "ns")?);
    Ok(())
}
