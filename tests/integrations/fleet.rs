//! The proof of the fleet (docs/fleet.md): nodes with their agents, a gateway and a NATS JetStream, of which agents and gateway are
//! killed again and again. The program in integrations/otelcol/fleet does it and judges.

use std::process::Command;

use super::otelcol::go;
use super::support::sim;
use super::{Obstacle, Outcome, build, c};

/// Three nodes, and one kill of each kind: agent and gateway, with and without the loss of the disk.
pub fn a_small_one_tells_each_event_once() -> Outcome {
    prove("-nodes 3 -events 2000 -pace 40ms -keep 10s -replay 3s -agent-kills 2 -gateway-kills 2").map(|_| ())
}

/// The figures of docs/fleet.md come from such a run.
pub fn twenty_nodes_tell_each_event_once() -> Outcome {
    let nodes = "-nodes 20 -events 100000 -pace 300ms -keep 20s -replay 1m";
    println!("{}", prove(&format!("{nodes} -agent-kills 40 -gateway-kills 8 -patience 10m -verbose"))?);
    Ok(())
}

pub fn takes_long() -> Obstacle {
    Obstacle::Skip("a fleet of 20 nodes: make test-long".into())
}

/// Runs the proof; what it has measured.
fn prove(arguments: &str) -> Result<String, Obstacle> {
    let collector = build::agent("otelcol")?.join("criwatch-collector");
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let program = folder.path().join("fleet");
    c::succeed(go(&["build", "-o"])?.arg(&program).arg("./fleet"))?;
    let mut fleet = Command::new(program);
    fleet.args(arguments.split(' ')).arg("-collector").arg(collector).env("CRI_SIM", sim::program()?);
    fleet.arg("-agent-memory").arg(memory_of_an_agent()?.to_string());
    Ok(c::succeed(&mut fleet)?)
}

/// The limit of the DaemonSet, in MiB.
fn memory_of_an_agent() -> Result<u32, String> {
    let path = c::root().join("deploy/kubernetes/agents/collector/daemonset.yaml");
    let manifest = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let limits = manifest.split("limits:").nth(1).unwrap_or_default();
    let memory = limits.lines().find_map(|line| line.trim().strip_prefix("memory: ")?.strip_suffix("Mi"));
    memory.and_then(|mib| mib.parse().ok()).ok_or_else(|| format!("{} has no limit of memory in Mi", path.display()))
}
