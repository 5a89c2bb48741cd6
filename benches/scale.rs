//! What grows with the number of containers, on a simulated engine whose processes are entries of a made-up /proc.

use super::host::{self, Host, number};
use super::machine;
use super::plan::Plan;
use super::results::{Results, Row};
use super::sim::Sim;

/// How many runs of one container are watched for the cost of an event.
const RUNS: usize = 50;

pub fn measure(plan: &Plan, results: &mut Results) -> super::Outcome {
    let program = host::build()?;
    for containers in &plan.containers {
        // Large nodes take long to fill: they are measured less often.
        let runs = if *containers > 10_000 { plan.runs.min(3) } else { plan.runs };
        let tree = tempfile::Builder::new().prefix("criwatch-bench").tempdir_in("/dev/shm")?;
        let root = tree.path().join("root");
        // containerd refuses a list of more than 16 MiB; CRI-O streams it.
        let profile = if *containers > 20_000 { "crio" } else { "containerd-2" };
        let (containers_text, root_text) = (containers.to_string(), root.display().to_string());
        let mut sim = Sim::start(&["--profile", profile, "--containers", &containers_text, "--fake-tree", &root_text])?;
        sim.tell("pod bench ns=bench app")?;
        for run in 0..runs {
            machine::is_quiet();
            let row = Row { section: "scale", who: "criwatch", size: *containers };
            let root = format!("host.root={}", root.display());
            one(&program, &mut sim, &root, run, row, results)?;
            // Every pid of the simulated engine costs a status request. Without waiting for them READY is the lists' own time.
            let at_once = Row { who: "criwatch, `ready.pid_wait_ms=0`", ..row };
            ready(&program, &sim, &[root, "ready.pid_wait_ms=0".to_owned()], at_once, results)?;
        }
    }
    Ok(())
}

fn one(
    program: &std::path::Path,
    sim: &mut Sim,
    root: &str,
    run: usize,
    row: Row<'_>,
    results: &mut Results,
) -> super::Outcome {
    let mut host = ready(program, sim, &[root.to_owned()], row, results)?;
    host.settle()?;
    let look = host.ask("look")?;
    for what in ["snapshot", "containers", "pods", "list"] {
        results.add(row, &format!("first_{what}_us"), number(&look, &format!("{what}_ns"))? / 1e3);
    }
    results.add(row, "looked_anon_mb", number(&look, "anon_kb")? / 1024.0);
    results.add(row, "peak_mb", number(&look, "peak_kb")? / 1024.0);
    for (what, times) in [("snapshot", 200), ("find", 200), ("containers", 20)] {
        results.add(row, &format!("{what}_ns"), number(&host.ask(&format!("read {what} {times}"))?, "ns")?);
    }
    for read in ["none", "snapshot", "containers"] {
        host.ask("drain")?;
        host.tell(&format!("events {} {read}", 2 * RUNS))?;
        for n in 0..RUNS {
            let name = format!("run-{run}-{read}-{n}");
            sim.tell(&format!("create bench/bench {name}"))?;
            sim.tell(&format!("start {name}"))?;
            sim.tell(&format!("stop {name} 0ms"))?;
            sim.tell(&format!("rm {name}"))?;
        }
        let events = host.answer()?;
        results.add(row, &format!("event_{read}_cpu_us"), number(&events, "cpu_ns")? / 1e3 / (2 * RUNS) as f64);
    }
    Ok(())
}

/// A host whose watcher is ready, and what that took.
fn ready(
    program: &std::path::Path,
    sim: &Sim,
    options: &[String],
    row: Row<'_>,
    results: &mut Results,
) -> Result<Host, Box<dyn std::error::Error>> {
    let mut host = Host::start(program, sim.endpoint(), options)?;
    let ready = host.ask("ready")?;
    results.add(row, "ready_ms", number(&ready, "wall_ns")? / 1e6);
    results.add(row, "ready_cpu_ms", number(&ready, "cpu_ns")? / 1e6);
    results.add(row, "ready_anon_mb", number(&ready, "anon_kb")? / 1024.0);
    Ok(host)
}
