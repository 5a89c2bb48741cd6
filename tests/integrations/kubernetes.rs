//! The configuration of the agent in deploy/kubernetes.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::agent::Agent;
use super::collector::{self, Collector, free_ports, status};
use super::support::sim::Sim;
use super::support::wait;
use super::{Obstacle, Outcome, c};

const CONFIG: &str = "deploy/kubernetes/agents/collector/collector.yaml";

/// An agent with the manifest's configuration, besides its addresses and folders.
struct NodeAgent {
    process: Agent,
    alive: u16,
    ready: u16,
}

impl NodeAgent {
    /// `storage` is where it keeps what the gateway has not taken.
    fn start(endpoint: &str, gateway: u16, storage: &Path) -> Result<NodeAgent, Obstacle> {
        let mut config =
            std::fs::read_to_string(c::root().join(CONFIG)).map_err(|error| format!("{CONFIG}: {error}"))?;
        let ports = free_ports(4)?;
        for (documented, port) in ["13133", "13134", "4317", "4318"].iter().zip(&ports) {
            let here = format!("endpoint: 127.0.0.1:{port}\n");
            config = replaced(&config, &format!("endpoint: :{documented}\n"), &here)?;
        }
        config = replaced(&config, "host_root: /host\n", "host_root: /\n")?;
        config = replaced(&config, "/var/lib/criwatch-collector", &storage.display().to_string())?;
        let path = storage.join("collector.yaml");
        std::fs::write(&path, config).map_err(|error| format!("{}: {error}", path.display()))?;

        let mut command = Command::new(collector::program()?);
        command.arg("--config").arg(&path).args(feature_gates()?);
        command.env("CRI_RUNTIME_ENDPOINT", endpoint).env("K8S_NODE_NAME", "node-1");
        command.env("OTLP_GATEWAY", format!("127.0.0.1:{gateway}")).env("OTLP_INSECURE", "true");
        Ok(NodeAgent { process: Agent::start(&mut command)?, alive: ports[0], ready: ports[1] })
    }

    /// Waits until a probe gets this status.
    fn answers(&self, port: u16, expected: &str) -> Result<(), String> {
        wait::until(&format!("{expected} from port {port}"), wait::PATIENCE, || {
            let is = status(port).map_err(|error| format!("{error}: {}", self.process.last_error()))?;
            if is == expected { Ok(()) } else { Err(is) }
        })
    }
}

/// Readiness is the engine's state; liveness is not.
pub fn probes_tell_the_engines_state() -> Outcome {
    let sim = Sim::start(&[])?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    // Nobody listens: a gateway that is away is no reason to be unready.
    let agent = NodeAgent::start(sim.endpoint(), 1, folder.path())?;
    agent.answers(agent.ready, "200")?;
    agent.answers(agent.alive, "200")?;
    drop(sim);
    agent.answers(agent.ready, "500")?;
    agent.answers(agent.alive, "200")?;
    Ok(())
}

/// The gateway is away, containers end and are removed, and the collector is killed: what it had put into its queue is nowhere else any
/// more. When the gateway returns, each end arrives, and none is another one by its id.
pub fn the_queue_outlives_the_collector() -> Outcome {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let port = free_ports(1)?[0];
    let mut sim = Sim::start(&[])?;
    sim.tell("pod web ns=shop")?;
    let mut jobs = Vec::new();
    for round in 0..2 {
        let mut agent = NodeAgent::start(sim.endpoint(), port, folder.path())?;
        agent.answers(agent.ready, "200")?;
        for number in 0..3 {
            let name = format!("job-{round}-{number}");
            let id = sim.make(&format!("create shop/web {name} -- sh -c 'exit 3'"))?;
            sim.tell(&format!("start {name}"))?;
            is_in_the_queue(folder.path(), &format!("{id}/1/exited"))?;
            jobs.push(name);
        }
        agent.process.end(libc::SIGKILL)?;
        // No replay can tell of them.
        for job in &jobs[round * 3..] {
            sim.tell(&format!("rm {job}"))?;
        }
    }
    let mut gateway = Collector::gateway(port)?;
    let _agent = NodeAgent::start(sim.endpoint(), port, folder.path())?;
    for job in &jobs {
        let exited = gateway.exited(job)?;
        if exited.attributes["process.exit.code"] != "3" {
            return Err(format!("{job}: {}", exited.attributes).into());
        }
    }
    let mut ids = BTreeMap::new();
    for entry in gateway.logs().into_iter().filter(|entry| entry.name == "criwatch.container.exited") {
        ids.insert(entry.attributes["criwatch.event.id"].to_string(), entry.of("k8s.container.name").to_owned());
    }
    let mut ended: Vec<_> = ids.into_values().collect();
    ended.sort();
    if ended == jobs { Ok(()) } else { Err(format!("{jobs:?} have ended, and reported is {ended:?}").into()) }
}

/// Waits until a file of the queue has this text.
fn is_in_the_queue(folder: &Path, text: &str) -> Result<(), String> {
    wait::until(&format!("{text} in the queue"), wait::PATIENCE, || {
        let mut sizes = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(|error| error.to_string())? {
            let path = entry.map_err(|error| error.to_string())?.path();
            let content = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            if content.windows(text.len()).any(|window| window == text.as_bytes()) {
                return Ok(());
            }
            sizes.push(format!("{}: {} bytes", path.display(), content.len()));
        }
        Err(format!("{sizes:?}"))
    })
}

/// The arguments of the manifest beside the configuration.
fn feature_gates() -> Result<Vec<String>, String> {
    let path = c::root().join("deploy/kubernetes/agents/collector/daemonset.yaml");
    let manifest = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let arguments = manifest.lines().filter_map(|line| line.trim().strip_prefix("- "));
    Ok(arguments.filter(|argument| argument.starts_with("--feature-gates=")).map(str::to_owned).collect())
}

/// With another text in its place, which has to be there.
fn replaced(text: &str, from: &str, to: &str) -> Result<String, String> {
    if text.contains(from) { Ok(text.replace(from, to)) } else { Err(format!("{CONFIG} has no {from:?}")) }
}
