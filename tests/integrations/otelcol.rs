//! The components for the OpenTelemetry Collector: their own tests, and the collector that has them.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::agent::Agent;
use super::support::go::Prefix;
use super::support::pods::{ContainerSpec, PodSpec};
use super::support::sim::{self, Sim};
use super::support::wait;
use super::{Obstacle, Outcome, build, c, containerd};

/// Where the Go modules are.
fn sources() -> PathBuf {
    c::root().join("integrations/otelcol")
}

/// `go`, with the library of this build; what it needs was fetched when the collector was built.
pub fn go(arguments: &[&str]) -> Result<Command, String> {
    let prefix = build::prefix()?;
    let mut command = Command::new("go");
    command.args(arguments).current_dir(sources()).env("CGO_ENABLED", "1");
    command.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")).env("LD_LIBRARY_PATH", prefix.join("lib"));
    command.env("GOFLAGS", build::go_flags(&prefix));
    Ok(command)
}

/// Formatting, vet, and the components' own tests. None of them has a reason to be skipped here.
pub fn passes_its_own_tests() -> Outcome {
    build::agent("otelcol")?;
    let unformatted = c::succeed(Command::new("gofmt").arg("-l").arg(sources()))?;
    let unformatted: Vec<_> = unformatted.lines().filter(|path| !path.contains("/collector/")).collect();
    if !unformatted.is_empty() {
        return Err(format!("gofmt would change {unformatted:?}").into());
    }
    c::succeed(&mut go(&["vet", "./..."])?)?;
    let output = c::succeed(go(&["test", "-count=1", "-v", "./..."])?.env("CRI_SIM", sim::program()?))?;
    let (passed, skipped) = (output.matches("\n--- PASS").count(), output.matches("\n--- SKIP").count());
    if passed > 20 && skipped == 0 {
        Ok(())
    } else {
        Err(format!("{passed} passed, {skipped} skipped:\n{output}").into())
    }
}

/// A collector that runs, and what it has written.
struct Collector {
    agent: Agent,
    folder: TempDir,
    port: u16,
}

impl Collector {
    /// Starts one with all our components. `logs`: where the containers' logs are, as a pattern.
    fn start(endpoint: &str, logs: &str) -> Result<Collector, Obstacle> {
        Self::start_in(tempfile::tempdir().map_err(|error| error.to_string())?, endpoint, logs)
    }

    /// The same, in the folder of an earlier one: what that has written stays.
    fn start_in(folder: TempDir, endpoint: &str, logs: &str) -> Result<Collector, Obstacle> {
        let program = build::agent("otelcol")?.join("criwatch-collector");
        let port = free_port()?;
        let config = include_str!("otelcol.yaml")
            .replace("ENDPOINT", endpoint)
            .replace("FOLDER", &folder.path().display().to_string())
            .replace("PORT", &port.to_string())
            .replace("LOGS", logs);
        let path = folder.path().join("config.yaml");
        std::fs::write(&path, config).map_err(|error| error.to_string())?;
        let agent = Agent::start(Command::new(program).arg("--config").arg(&path))?;
        let mut collector = Collector { agent, folder, port };
        wait::until("the collector to listen", wait::PATIENCE, || collector.is_there())?;
        Ok(collector)
    }

    /// Ends it without a warning; its folder.
    fn kill(mut self) -> Result<TempDir, String> {
        self.agent.end(libc::SIGKILL)?;
        // The last line may be half written: what comes next is a line of its own.
        let logs = std::fs::File::options().append(true).open(self.folder.path().join("logs.json"));
        logs.and_then(|mut file| file.write_all(b"\n")).map_err(|error| error.to_string())?;
        Ok(self.folder)
    }

    fn is_there(&mut self) -> Result<(), String> {
        match (TcpStream::connect(("127.0.0.1", self.port)), self.agent.ended()) {
            (Ok(_), _) => Ok(()),
            (Err(error), None) => Err(error.to_string()),
            (Err(_), Some(status)) => Err(format!("it has ended: {status}: {}", self.agent.last_error())),
        }
    }

    /// Sends one log record of a resource, as an SDK does.
    fn send(&self, body: &str, resource: &[(&str, &str)]) -> Result<(), String> {
        let attributes: Vec<_> =
            resource.iter().map(|(key, value)| json!({"key": key, "value": {"stringValue": value}})).collect();
        let logs = json!({"resourceLogs": [{
            "resource": {"attributes": attributes},
            "scopeLogs": [{"logRecords": [{"body": {"stringValue": body}}]}],
        }]});
        let reply = self.post("/v1/logs", &logs.to_string()).map_err(|error| error.to_string())?;
        if reply.starts_with("HTTP/1.1 200 ") { Ok(()) } else { Err(reply) }
    }

    fn post(&self, path: &str, body: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        Ok(reply)
    }

    /// Waits for a log record that fits.
    fn log(&mut self, what: &str, fits: impl Fn(&Entry) -> bool) -> Result<Entry, String> {
        let path = self.folder.path().join("logs.json");
        wait::until(what, wait::PATIENCE, || {
            let entries = read(&path, "resourceLogs", "scopeLogs", "logRecords");
            let told = || entries.iter().map(|e| format!("{} {} {}", e.name, e.body, e.resource)).collect::<Vec<_>>();
            entries
                .iter()
                .find(|entry| fits(entry))
                .cloned()
                .ok_or_else(|| format!("{}\n{}", told().join("\n"), self.agent.last_error()))
        })
    }

    /// Waits for a metric of this name, of a container; "": of the node.
    fn metric(&mut self, name: &str, container: &str) -> Result<Entry, String> {
        let path = self.folder.path().join("metrics.json");
        wait::until(name, wait::PATIENCE, || {
            let entries = read(&path, "resourceMetrics", "scopeMetrics", "metrics");
            let of = |entry: &&Entry| entry.whole["name"] == name && entry.of("k8s.container.name") == container;
            entries.iter().find(of).cloned().ok_or_else(|| self.agent.last_error())
        })
    }
}

/// A log record or metric, and the attributes of its resource.
#[derive(Clone)]
struct Entry {
    name: String,
    body: String,
    resource: Value,
    attributes: Value,
    whole: Value,
}

impl Entry {
    /// An attribute of the resource; "" where there is none.
    fn of(&self, key: &str) -> &str {
        self.resource[key].as_str().unwrap_or_default()
    }
}

/// What the file exporter has written: a line of OTLP's JSON for each batch.
fn read(path: &Path, resources: &str, scopes: &str, entries: &str) -> Vec<Entry> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    // The last line may be half written.
    let batches = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut found = Vec::new();
    for batch in batches {
        for resource in list(&batch[resources]) {
            for scope in list(&resource[scopes]) {
                found.extend(list(&scope[entries]).iter().map(|one| Entry {
                    name: one["eventName"].as_str().unwrap_or_default().into(),
                    body: one["body"]["stringValue"].as_str().unwrap_or_default().into(),
                    resource: flat(&resource["resource"]["attributes"]),
                    attributes: flat(&one["attributes"]),
                    whole: one.clone(),
                }));
            }
        }
    }
    found
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// OTLP's list of attributes as an object: {"key": value}.
fn flat(attributes: &Value) -> Value {
    let plain = |one: &Value| one["value"].as_object().and_then(|typed| typed.values().next()).cloned();
    let pairs = list(attributes).iter();
    pairs.map(|one| (one["key"].as_str().unwrap_or_default().to_owned(), plain(one).unwrap_or_default())).collect()
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}

/// The processor and the receiver, together in a collector; and its end.
pub fn names_and_reports() -> Outcome {
    let mut sim = Sim::start(&[])?;
    sim.tell("pod web ns=shop nginx")?;
    let mut collector = Collector::start(sim.endpoint(), "/nonexistent")?;
    let started =
        |entry: &Entry| entry.name == "criwatch.container.started" && entry.of("k8s.container.name") == "nginx";
    let nginx = collector.log("the replay", started)?;
    collector.send("hello", &[("container.id", nginx.of("container.id"))])?;
    let hello = collector.log("hello", |entry| entry.body == "hello")?;
    let path = [hello.of("k8s.namespace.name"), hello.of("k8s.pod.name"), hello.of("k8s.container.name")];
    if path != ["shop", "web", "nginx"] {
        return Err(format!("hello is of {path:?}").into());
    }
    sim.tell("create shop/web job -- sh -c 'exit 3'")?;
    sim.tell("start job")?;
    let exited = collector.log("the end", |entry| entry.name == "criwatch.container.exited")?;
    if exited.attributes["process.exit.code"] != "3" {
        return Err(format!("job: {}", exited.attributes).into());
    }
    collector.log("the container's entity", |entry| {
        entry.name == "entity.state" && entry.attributes["entity.type"] == "container"
    })?;
    collector.metric("k8s.container.restart.count", "nginx")?;
    collector.metric("criwatch.connects", "")?;
    let status = collector.agent.end(libc::SIGTERM)?;
    if status.success() { Ok(()) } else { Err(format!("{status}: {}", collector.agent.last_error()).into()) }
}

/// A collector that is killed again and again, while containers end: after the ids, each end is there once, with its code.
pub fn a_killed_collector_loses_no_end() -> Outcome {
    let mut sim = Sim::start(&[])?;
    sim.tell("pod web ns=shop nginx")?;
    let mut collector = Collector::start(sim.endpoint(), "/nonexistent")?;
    let mut jobs = 0;
    let mut run = |sim: &mut Sim| -> Result<(), String> {
        for _ in 0..3 {
            sim.tell(&format!("create shop/web job-{jobs} -- sh -c 'exit 3'"))?;
            sim.tell(&format!("start job-{jobs}"))?;
            jobs += 1;
        }
        Ok(())
    };
    for _ in 0..3 {
        run(&mut sim)?;
        let folder = collector.kill()?;
        run(&mut sim)?;
        collector = Collector::start_in(folder, sim.endpoint(), "/nonexistent")?;
    }
    let path = collector.folder.path().join("logs.json");
    wait::until("all ends", wait::PATIENCE, || {
        let entries = read(&path, "resourceLogs", "scopeLogs", "logRecords");
        let ended = entries.iter().filter(|entry| entry.name == "criwatch.container.exited");
        let ids: BTreeSet<_> = ended.clone().map(|entry| entry.attributes["criwatch.event.id"].to_string()).collect();
        let names: BTreeSet<_> = ended.clone().map(|entry| entry.of("k8s.container.name")).collect();
        let codeless = ended.filter(|entry| entry.attributes["process.exit.code"] != "3").count();
        let are = (ids.len(), names.len(), codeless);
        if are == (jobs, jobs, 0) { Ok(()) } else { Err(format!("{are:?} of {jobs}")) }
    })?;
    Ok(())
}

/// Processor and receiver on a real engine; and the observer: what a container writes that runs for a moment only is read.
pub fn names_reports_and_observes_on_containerd() -> Outcome {
    let engine = containerd()?;
    let pods = engine.pods()?;
    let failed = |error: super::support::pods::Failed| error.to_string();
    let logs = format!("{}/*/`pod.uid`_`container_name`_*.log", engine.dir().display());
    let mut collector = Collector::start(&engine.endpoint(), &logs)?;
    let pod = pods.run_pod(&PodSpec::new("shop", "web")).map_err(failed)?;
    let nginx = pods.run(&pod, &ContainerSpec::lasting("nginx")).map_err(failed)?;
    collector.log("nginx", |entry| entry.name == "criwatch.container.started" && entry.of("container.id") == nginx)?;
    collector.send("hello", &[("container.id", &nginx)])?;
    let hello = collector.log("hello", |entry| entry.body == "hello")?;
    if hello.of("k8s.pod.name") != "web" {
        return Err(format!("hello is of {}", hello.resource).into());
    }
    pods.run(&pod, &ContainerSpec::new("job", ["sh", "-c", "echo done; exit 3"])).map_err(failed)?;
    let exited = |entry: &Entry| entry.name == "criwatch.container.exited" && entry.of("k8s.container.name") == "job";
    let exited = collector.log("the end of job", exited)?;
    if exited.attributes["process.exit.code"] != "3" {
        return Err(format!("job: {}", exited.attributes).into());
    }
    let done = collector.log("what job has written", |entry| entry.body.ends_with("done"))?;
    if (done.of("k8s.pod.name"), done.of("k8s.container.name")) != ("web", "job") {
        return Err(format!("done is of {}", done.resource).into());
    }
    collector.metric("criwatch.witnessed_exits", "")?;
    Ok(())
}

/// Go's own resolver is a build tag, on which nearly every package depends: all of them are compiled once more.
pub fn takes_long() -> Obstacle {
    Obstacle::Skip("it compiles the whole Collector once more: make test-long".into())
}

/// With the library and glibc inside: for an image that has nothing else.
pub fn a_static_one_needs_no_shared_library() -> Outcome {
    build::agent("otelcol")?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (empty, program) = (folder.path().join("empty.c"), folder.path().join("empty"));
    std::fs::write(&empty, "int main(void) { return 0; }").map_err(|error| error.to_string())?;
    if c::succeed(Command::new(c::cc()).arg("-static").arg(&empty).arg("-o").arg(program)).is_err() {
        return Err(Obstacle::Skip("there is no static libc".into()));
    }
    let prefix = folder.path().join("prefix");
    Prefix::with_archive(&prefix)?;
    let mut make = Command::new("make");
    make.args(["--silent", "STATIC=1", "-C"]).arg(sources()).arg(format!("BUILD={}", folder.path().display()));
    make.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")).env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
    c::succeed(&mut make)?;
    let program = folder.path().join("criwatch-collector");
    let dynamic = c::succeed(Command::new("readelf").args(["--dynamic", "--wide"]).arg(&program))?;
    if dynamic.contains("(NEEDED)") {
        return Err(format!("it needs shared libraries: {dynamic}").into());
    }
    let components = c::succeed(Command::new(program).arg("components"))?;
    if components.contains("criwatch_observer") { Ok(()) } else { Err(components.into()) }
}

/// Each configuration in the documents is one that the collector takes.
pub fn the_documented_configurations_are_valid() -> Outcome {
    let program = build::agent("otelcol")?.join("criwatch-collector");
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut count = 0;
    for document in ["docs/opentelemetry.md", "docs/fleet.md", "integrations/otelcol/README.md"] {
        let text = std::fs::read_to_string(c::root().join(document)).map_err(|error| format!("{document}: {error}"))?;
        for block in text.split("```yaml\n").skip(1) {
            let config = block.split("\n```").next().unwrap_or_default();
            // Parts stand in the reference of one component; a whole one has a service.
            if !config.contains("service:") {
                continue;
            }
            let path = folder.path().join("config.yaml");
            let config = config.replace("/var/lib/criwatch-collector", &folder.path().display().to_string());
            std::fs::write(&path, config).map_err(|error| error.to_string())?;
            let mut validate = Command::new(&program);
            validate
                .arg("validate")
                .arg("--config")
                .arg(&path)
                .env("K8S_NODE_NAME", "node-1")
                .env("K8S_NODE_IP", "192.0.2.1");
            c::succeed(&mut validate).map_err(|error| format!("{document}: {error}"))?;
            count += 1;
        }
    }
    if count >= 4 { Ok(()) } else { Err(format!("only {count} configurations were found").into()) }
}
