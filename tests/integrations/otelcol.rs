//! The components for the OpenTelemetry Collector: their own tests, and the collector that has them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::collector::{self, Collector, Entry};
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
    collector::program()?;
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
    let exited = collector.exited("job")?;
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
    wait::until("all ends", wait::PATIENCE, || {
        let entries = collector.logs();
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
    let exited = collector.exited("job")?;
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

/// With the library and glibc inside: for an image that has nothing else.
pub fn a_static_one_needs_no_shared_library() -> Outcome {
    build::can_link_statically().map_err(Obstacle::Skip)?;
    let program = collector::program()?;
    let dynamic = needed(&program)?;
    if !dynamic.is_empty() {
        return Err(format!("it needs shared libraries: {dynamic:?}").into());
    }
    has_the_components(&mut Command::new(program))
}

/// Go's own resolver is a build tag, on which nearly every package depends: all of them are compiled once more.
pub fn takes_long() -> Obstacle {
    Obstacle::Skip("it compiles the whole Collector once more: make test-long".into())
}

/// What `make integrations` builds: it uses the library that is installed.
pub fn a_dynamic_one_finds_the_library() -> Outcome {
    collector::program()?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut make = Command::new("make");
    make.args(["--silent", "-C"]).arg(sources()).arg(format!("BUILD={}", folder.path().display()));
    make.env("PKG_CONFIG_PATH", build::prefix()?.join("lib/pkgconfig"));
    for variable in ["MAKEFLAGS", "MAKELEVEL", "STATIC", "LD_LIBRARY_PATH"] {
        make.env_remove(variable);
    }
    c::succeed(&mut make)?;
    let program = folder.path().join("criwatch-collector");
    let libraries = needed(&program)?;
    if !libraries.iter().any(|line| line.contains("libcriwatch.so")) {
        return Err(format!("it does not need the library: {libraries:?}").into());
    }
    has_the_components(Command::new(program).env_remove("LD_LIBRARY_PATH"))
}

/// The shared libraries that a program needs.
fn needed(program: &Path) -> Result<Vec<String>, String> {
    let dynamic = c::succeed(Command::new("readelf").args(["--dynamic", "--wide"]).arg(program))?;
    Ok(dynamic.lines().filter(|line| line.contains("(NEEDED)")).map(str::to_owned).collect())
}

fn has_the_components(program: &mut Command) -> Outcome {
    let components = c::succeed(program.arg("components"))?;
    if components.contains("criwatch_observer") { Ok(()) } else { Err(components.into()) }
}

/// Each configuration in the documents is one that the collector takes.
pub fn the_documented_configurations_are_valid() -> Outcome {
    let program = collector::program()?;
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
