//! The configuration of the agent in deploy/kubernetes.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use super::agent::Agent;
use super::support::sim::Sim;
use super::support::wait;
use super::{Outcome, build, c};

const CONFIG: &str = "deploy/kubernetes/agents/collector/collector.yaml";

/// Readiness is the engine's state; liveness is not.
pub fn probes_tell_the_engines_state() -> Outcome {
    let program = build::agent("otelcol")?.join("criwatch-collector");
    let sim = Sim::start(&[])?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut config = std::fs::read_to_string(c::root().join(CONFIG)).map_err(|error| format!("{CONFIG}: {error}"))?;
    let ports = free_ports(&["13133", "13134", "4317", "4318"])?;
    for (documented, port) in &ports {
        config = replaced(&config, &format!("endpoint: :{documented}\n"), &format!("endpoint: 127.0.0.1:{port}\n"))?;
    }
    config = replaced(&config, "host_root: /host\n", "host_root: /\n")?;
    config = replaced(&config, "/var/lib/criwatch-collector", &folder.path().display().to_string())?;
    let path = folder.path().join("collector.yaml");
    std::fs::write(&path, config).map_err(|error| error.to_string())?;

    let mut command = Command::new(program);
    command.arg("--config").arg(&path).args(feature_gates()?);
    command.env("CRI_RUNTIME_ENDPOINT", sim.endpoint()).env("K8S_NODE_NAME", "node-1");
    // Nobody listens: a gateway that is away is no reason to be unready.
    command.env("OTLP_GATEWAY", "127.0.0.1:1").env("OTLP_INSECURE", "true");
    let agent = Agent::start(&mut command)?;
    let (alive, ready) = (ports[0].1, ports[1].1);
    let answers = |port: u16, expected: &str| {
        wait::until(&format!("{expected} from port {port}"), wait::PATIENCE, || {
            let status = status_of(port).map_err(|error| format!("{error}: {}", agent.last_error()))?;
            if status == expected { Ok(()) } else { Err(status) }
        })
    };
    answers(ready, "200")?;
    answers(alive, "200")?;
    drop(sim);
    answers(ready, "500")?;
    answers(alive, "200")?;
    Ok(())
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

/// A free port for each of these; all are held until all are found.
fn free_ports<'a>(documented: &[&'a str]) -> Result<Vec<(&'a str, u16)>, String> {
    let listen = |_: &&str| TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string());
    let listeners = documented.iter().map(listen).collect::<Result<Vec<_>, _>>()?;
    let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
    let ports = listeners.iter().map(port).collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    Ok(documented.iter().copied().zip(ports).collect())
}

/// The status of a probe's answer.
fn status_of(port: u16) -> Result<String, String> {
    let get = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        write!(stream, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        Ok(reply)
    };
    let reply = get().map_err(|error| error.to_string())?;
    Ok(reply.split(' ').nth(1).unwrap_or_default().to_owned())
}
