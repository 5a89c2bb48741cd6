//! How many instructions the hot paths take: those of tests/budgets, which hold on any machine.

use super::host::library;
use super::plan::Plan;
use super::results::{Results, Row};
use super::{c, measure as budgets};

pub fn measure(_: &Plan, results: &mut Results) -> super::Outcome {
    if !c::is_there("valgrind") {
        return results.skipped("instructions", "instructions", "valgrind is not installed");
    }
    for (path, count) in budgets::instructions(&library()?)? {
        results.add(Row { section: "instructions", who: "criwatch", size: 201 }, &path, count as f64);
    }
    Ok(())
}
