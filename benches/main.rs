//! What the library costs, measured through the C ABI in a C host, side by side with what an engine allows at best.
//!
//! `make bench` runs it: see benches/method.md. Its results are JSON, from which `benches/report` makes docs/benchmarks.md.
//!
//! Options: `--runs N` (9), `--pods N,N` (real engine: 100), `--containers N,N` (simulated engine: 10,200,1000,10000,50000),
//! `--events N` (100), `--idle SECONDS` (60), `--only SECTION,SECTION` (library, instructions, lookups, scale, sync, idle, events),
//! `--out FOLDER` (benches/results: a file for each section that is measured). `ENDPOINT=unix://...` measures an engine that
//! runs already, instead of a private containerd.

mod bare;
#[path = "../tests/support/c.rs"]
mod c;
#[path = "../tests/support/containerd.rs"]
#[allow(dead_code)]
mod containerd;
mod engine;
mod events;
mod host;
mod instructions;
#[path = "../tests/support/lab.rs"]
#[allow(dead_code)]
mod lab;
#[path = "../tests/support/leftovers.rs"]
#[allow(dead_code)]
mod leftovers;
mod library;
mod lookups;
mod machine;
#[path = "../tests/budgets/measure.rs"]
mod measure;
mod plan;
#[path = "../tests/support/pods.rs"]
#[allow(dead_code)]
mod pods;
mod results;
mod scale;
#[path = "../tests/support/sim.rs"]
mod sim;
mod sync;
#[path = "../tests/support/wait.rs"]
#[allow(dead_code)]
mod wait;

use plan::Plan;
use results::Results;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if arguments.first().is_some_and(|word| word == "bare") {
        return bare::run(&arguments[1..]);
    }
    let plan = Plan::parse(&arguments)?;
    let mut results = Results::new(&plan);
    type Section = fn(&Plan, &mut Results) -> Outcome;
    let sections: [(&str, Section); 4] = [
        ("library", library::measure),
        ("instructions", instructions::measure),
        ("lookups", lookups::measure),
        ("scale", scale::measure),
    ];
    for (name, measure) in sections {
        if plan.has(name) {
            measure(&plan, &mut results)?;
            results.write(name)?;
        }
    }
    on_a_real_engine(&plan, &mut results)?;
    results.print();
    Ok(())
}

fn on_a_real_engine(plan: &Plan, results: &mut Results) -> Outcome {
    let wanted: Vec<&str> = ["sync", "idle", "events"].into_iter().filter(|section| plan.has(section)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let mut engine = match engine::Engine::start() {
        Ok(engine) => engine,
        Err(reason) => return wanted.iter().try_for_each(|section| results.skipped(section, section, &reason)),
    };
    results.engine(&engine.version()?);
    for pods in &plan.pods {
        engine.fill(*pods)?;
        if plan.has("sync") {
            sync::measure(plan, &engine, results)?;
            results.write("sync")?;
        }
    }
    if plan.has("idle") {
        sync::idle(plan, &engine, results)?;
        results.write("idle")?;
    }
    if plan.has("events") {
        events::measure(plan, &engine, results)?;
        results.write("events")?;
    }
    Ok(())
}
