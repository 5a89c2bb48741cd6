//! The hot paths have budgets of instructions: the table `instructions`. Time depends on the machine's mood; these do not.

#[path = "../support/budgets.rs"]
mod budgets;
#[path = "../support/c.rs"]
mod c;
mod measure;
#[path = "../support/release.rs"]
mod release;
#[path = "../support/sim.rs"]
mod sim;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

fn main() {
    let trial = |(path, _): &(&'static str, u64)| {
        let path = *path;
        Trial::ignorable_test(format!("{path}_keeps_to_its_budget"), move || keeps_to_its_budget(path))
    };
    libtest_mimic::run(&Arguments::from_args(), measure::PATHS.iter().map(trial).collect()).exit();
}

fn keeps_to_its_budget(path: &str) -> Result<Completion, Failed> {
    static SPENT: OnceLock<Result<BTreeMap<String, u64>, String>> = OnceLock::new();
    if !c::is_there("valgrind") {
        return Ok(Completion::ignored_with("valgrind is not installed"));
    }
    let spent = SPENT.get_or_init(|| measure::instructions(release::library()?));
    match spent.as_ref().map_err(Clone::clone)?.get(path) {
        None | Some(0) => Ok(Completion::ignored_with("cgroup v2 cannot be mounted here")),
        Some(used) => Ok(budgets::keep("tests/budgets/instructions", path, *used).map(|()| Completion::Completed)?),
    }
}
