//! Calls through the C interface, on real engines: tests/c/call.c.

mod support;

use std::process::Command;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use support::engines::{self, Candidate};
use support::pods::{ContainerSpec, PodSpec};
use support::{c, lab};

fn main() {
    let trials = engines::candidates()
        .into_iter()
        .map(|candidate| Trial::ignorable_test(format!("{}::calls", candidate.name), move || calls(&candidate)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}

fn calls(candidate: &Candidate) -> Result<Completion, Failed> {
    let source = match &candidate.source {
        Ok(source) => source,
        Err(reason) if lab::is_required() => return Err(reason.into()),
        Err(reason) => return Ok(Completion::ignored_with(reason)),
    };
    let program = c::Library::of_this_build().build("tests/c/call.c")?;
    let engine = source.start()?;
    let run = || -> Result<String, Box<dyn std::error::Error>> {
        let pod = engine.pods.run_pod(&PodSpec::new("cri-lab", "call"))?;
        let id = engine.pods.run(&pod, &ContainerSpec::lasting("called"))?;
        Ok(c::succeed(Command::new(program).arg(&engine.endpoint).arg(id))?)
    };
    run().map_err(|error| error.to_string())?;
    Ok(Completion::Completed)
}
