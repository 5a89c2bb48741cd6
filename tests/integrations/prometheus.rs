//! The exporter for Prometheus, asked as Prometheus asks it.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use super::agent::Agent;
use super::support::pods::{ContainerSpec, PodSpec};
use super::support::sim::Sim;
use super::support::wait;
use super::{Outcome, build, c, containerd};

/// A running exporter.
struct Exporter {
    agent: Agent,
    address: String,
}

impl Exporter {
    fn start(endpoint: &str, options: &[&str]) -> Result<Exporter, super::Obstacle> {
        let program = build::agent("prometheus")?.join("exporter");
        let mut agent = Agent::start(Command::new(program).args(["-l", "127.0.0.1:0"]).args(options).arg(endpoint))?;
        let address = agent.wait_for("its address", |line| line.starts_with("http://"))?;
        let address = address.trim_start_matches("http://").trim_end_matches("/metrics").to_owned();
        Ok(Exporter { agent, address })
    }

    fn get(&self, path: &str) -> Result<String, String> {
        let mut stream = TcpStream::connect(&self.address).map_err(|e| format!("{}: {e}", self.address))?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        let mut reply = String::new();
        let sent = stream.write_all(request.as_bytes());
        sent.and_then(|()| stream.read_to_string(&mut reply)).map_err(|e| e.to_string())?;
        Ok(reply)
    }

    /// Waits until a line stands there; all of it.
    fn shows(&self, line: &str) -> Result<String, String> {
        wait::until(line, wait::PATIENCE, || {
            let reply = self.get("/metrics")?;
            let (head, body) = reply.split_once("\r\n\r\n").ok_or("no head")?;
            let is_ok =
                head.starts_with("HTTP/1.1 200 ") && head.contains("application/openmetrics-text; version=1.0.0");
            if is_ok && body.lines().any(|l| l == line) { Ok(body.to_owned()) } else { Err(reply) }
        })
    }
}

/// What runs, what ends, and the library's own numbers, in one text.
pub fn serves_openmetrics() -> Outcome {
    let mut sim = Sim::start(&[])?;
    sim.tell("pod web ns=shop nginx proxy")?;
    let mut exporter = Exporter::start(sim.endpoint(), &[])?;
    exporter.shows("cri_pod_running{namespace=\"shop\",pod=\"web\"} 2")?;
    sim.tell("create shop/web nginx attempt=1")?;
    sim.tell("stop web/proxy")?;
    sim.tell("start shop/web/nginx")?;
    exporter.shows("cri_pod_restarts{namespace=\"shop\",pod=\"web\"} 1")?;
    exporter.shows("cri_pod_exited{namespace=\"shop\",pod=\"web\"} 1")?;
    exporter.shows("cri_containers{state=\"running\"} 2")?;
    exporter.shows("cri_pods 1")?;
    exporter.shows("criwatch_connects_total 1")?;
    // Its reason was provisional at first.
    let text = exporter.shows("cri_exits_total{namespace=\"shop\",reason=\"Error\"} 1")?;
    is_exposition(&text)?;
    if !exporter.get("/other")?.starts_with("HTTP/1.1 404 ") {
        return Err("/other is there".into());
    }
    let status = exporter.agent.end(libc::SIGTERM)?;
    if status.success() { Ok(()) } else { Err(format!("{status}").into()) }
}

/// One that merely vanished, and turns up with its exit code later, ended once.
pub fn counts_an_end_once() -> Outcome {
    let mut sim = Sim::start(&[])?;
    sim.tell("pod job ns=batch run")?;
    let exporter = Exporter::start(sim.endpoint(), &[])?;
    exporter.shows("cri_pod_running{namespace=\"batch\",pod=\"job\"} 1")?;
    let found = sim.things()?.into_iter().find(|thing| thing.path == "batch/job/run");
    let run = found.ok_or("there is no batch/job/run")?;
    sim.tell("lose batch/job/run")?;
    sim.tell("restart")?;
    exporter.shows("cri_exits_total{namespace=\"batch\",reason=\"gone\"} 1")?;
    c::succeed(Command::new("kill").args(["-9", &run.pid.to_string()]))?;
    sim.tell(&format!("find {}", run.id))?;
    sim.tell("wait batch/job/run exited")?;
    sim.tell("tell stopped batch/job/run")?;
    // It is known again when the pod has it.
    let text = exporter.shows("cri_pod_exited{namespace=\"batch\",pod=\"job\"} 1")?;
    let counted: Vec<_> = text.lines().filter(|line| line.starts_with("cri_exits_total{")).collect();
    match counted[..] {
        ["cri_exits_total{namespace=\"batch\",reason=\"gone\"} 1"] => Ok(()),
        _ => Err(format!("an end that was corrected is counted again: {counted:?}").into()),
    }
}

/// However many pods there are, the number of series has an end; nothing is left out of the sums.
pub fn bounds_the_number_of_series() -> Outcome {
    let mut sim = Sim::start(&[])?;
    for n in 0..5 {
        sim.tell(&format!("pod web-{n} ns=shop app"))?;
    }
    let exporter = Exporter::start(sim.endpoint(), &["-p", "2", "-e", "1"])?;
    let text = exporter.shows("cri_pod_running{namespace=\"_other\",pod=\"_other\"} 3")?;
    for n in 0..5 {
        // The oldest have series of their own, and keep them.
        if text.contains(&format!("cri_pod_running{{namespace=\"shop\",pod=\"web-{n}\"}} 1\n")) != (n < 2) {
            return Err(format!("web-{n}: {text}").into());
        }
    }
    sim.tell("pod a ns=a done -- sh -c 'exit 0'")?;
    exporter.shows("cri_exits_total{namespace=\"a\",reason=\"Completed\"} 1")?;
    sim.tell("pod b ns=b done -- sh -c 'exit 0'")?;
    exporter.shows("cri_exits_total{namespace=\"_other\",reason=\"_other\"} 1")?;
    Ok(())
}

/// The same on a real engine.
pub fn serves_openmetrics_on_containerd() -> Outcome {
    let engine = containerd()?;
    let pods = engine.pods()?;
    let exporter = Exporter::start(&engine.endpoint(), &[])?;
    let pod = pods.run_pod(&PodSpec::new("shop", "web")).map_err(|error| error.to_string())?;
    pods.run(&pod, &ContainerSpec::lasting("nginx")).map_err(|error| error.to_string())?;
    pods.run(&pod, &ContainerSpec::new("job", ["sh", "-c", "exit 0"])).map_err(|error| error.to_string())?;
    exporter.shows("cri_pod_running{namespace=\"shop\",pod=\"web\"} 1")?;
    is_exposition(&exporter.shows("cri_exits_total{namespace=\"shop\",reason=\"Completed\"} 1")?)?;
    Ok(())
}

/// Each sample belongs to the family before it, each family stands there once, and the end is marked.
fn is_exposition(text: &str) -> Result<(), String> {
    let mut families = BTreeSet::new();
    let (mut family, mut kind) = ("", "");
    let body = text.strip_suffix("# EOF\n").ok_or("the end is not marked")?;
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            (family, kind) = rest.split_once(' ').ok_or_else(|| format!("no type: {line}"))?;
            if !families.insert(family) {
                return Err(format!("{family} stands there twice"));
            }
        } else if let Some(rest) = line.strip_prefix("# ") {
            if rest.split(' ').nth(1) != Some(family) {
                return Err(format!("not of {family}: {line}"));
            }
        } else {
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            let suffix = name.strip_prefix(family).ok_or_else(|| format!("not of {family}: {line}"))?;
            let allowed: &[&str] = match kind {
                "counter" => &["_total"],
                "histogram" => &["_bucket", "_count", "_sum"],
                "gauge" => &[""],
                _ => return Err(format!("{family} is a {kind}")),
            };
            if !allowed.contains(&suffix) {
                return Err(format!("no sample of a {kind}: {line}"));
            }
        }
    }
    if families.contains("cri_pods") && families.contains("criwatch_connects") {
        Ok(())
    } else {
        Err(format!("only {families:?}"))
    }
}
