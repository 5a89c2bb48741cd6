//! The pods of manifests, on a real engine: each agent tells its own containers, with the rights and mounts of the manifest and no
//! others, and goes on after a restart of the engine, whose socket is another file then.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::collector::{self, Collector, Entry, free_ports};
use super::support::containerd::Containerd;
use super::support::pods::{ContainerSpec, Failed, PodSpec, Pods};
use super::support::{lab, wait};
use super::{Obstacle, Outcome, build, c, image, manifests, release, tools};

const IMAGE: &str = "localhost/criwatch:test";

/// An engine that has the image of an agent.
struct Node {
    engine: Containerd,
    folder: TempDir,
}

impl Node {
    fn start(lab: &lab::Lab, package: &lab::Package, program: &Path) -> Result<Node, Obstacle> {
        let folder = tempfile::tempdir()?;
        let archive = folder.path().join("image.tar");
        image::write(IMAGE, program, &archive)?;
        let engine = Containerd::start_with_shared_folder(lab, package)?;
        engine.import(&archive)?;
        let pods = engine.pods()?;
        wait::until("the image to be known", wait::PATIENCE, || match pods.has_image(IMAGE) {
            Ok(true) => Ok(()),
            other => Err(format!("{other:?}")),
        })?;
        Ok(Node { engine, folder })
    }

    /// Runs the pod of a manifest until it is ready; the id of the agent's container.
    fn run(&self, manifest: &Path, arguments: &[String]) -> Result<String, Obstacle> {
        let mut pod = tools::check(&["pod"])?;
        pod.arg(manifest).args(["-endpoint", &self.engine.endpoint(), "-image", IMAGE]);
        pod.arg("-folder").arg(self.folder.path()).args(["-cgroup-parent", &self.engine.pods()?.cgroup_parent()]);
        pod.args(["-host", &format!("/run/containerd={}", self.engine.dir().display())]).args(arguments);
        Ok(c::succeed(&mut pod)?.trim().to_owned())
    }

    /// Ends the engine, and starts it again; a driver, because the old one's connection is of the old socket.
    fn restart(&mut self) -> Result<Pods, Obstacle> {
        self.engine.terminate()?;
        self.engine.start_again()?;
        Ok(self.engine.pods()?)
    }

    /// What the agent has written to stdout: the lines of its log, which are TIME STREAM TAG LINE.
    fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("agent.log")).unwrap_or_default();
        text.lines().filter_map(|line| line.splitn(4, ' ').nth(3)).map(str::to_owned).collect()
    }
}

/// On every version of containerd that this machine has.
fn on_each(program: &Path, test: impl Fn(Node) -> Outcome) -> Outcome {
    let lab = lab::lab().map_err(|reason| Obstacle::Skip(reason.into()))?;
    for package in &lab.engines {
        Node::start(lab, package, program).and_then(&test).map_err(|obstacle| match obstacle {
            Obstacle::Fail(what) => Obstacle::Fail(format!("containerd {}: {what}", package.version)),
            skip @ Obstacle::Skip(_) => skip,
        })?;
    }
    Ok(())
}

fn failed(error: Failed) -> String {
    error.to_string()
}

/// The static command: `$CRI_COMMAND`, or built here.
fn command() -> Result<PathBuf, Obstacle> {
    if let Some(program) = std::env::var_os("CRI_COMMAND") {
        return Ok(program.into());
    }
    let mut make = release::make();
    // What is shipped differs in speed and size only, and takes some minutes more.
    make.arg("command").env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    c::succeed(&mut make)?;
    Ok(release::target().join("command/criwatch"))
}

/// The command writes events to its stdout.
pub fn the_commands_pod_tells_its_own_node() -> Outcome {
    lab::lab().map_err(|reason| Obstacle::Skip(reason.into()))?;
    on_each(&command()?, |mut node| {
        let agent = node.run(&manifests::render("overlays/command-containerd")?, &[])?;
        let started = |node: &Node, name: &str| {
            wait::until(&format!("the start of {name}"), wait::PATIENCE, || {
                let lines = node.lines();
                let mut events = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
                let event = events.find(|event| event["type"] == "started" && event["container"]["name"] == name);
                event.map(|event| event["container"].clone()).ok_or_else(|| lines.join("\n"))
            })
        };
        let own = started(&node, "agent")?;
        let cgroup = std::fs::read_to_string(format!("/proc/{}/cgroup", own["pid"]))?;
        if own["id"] != *agent || !cgroup.contains(&agent) {
            return Err(Obstacle::Fail(format!("{own}: is {agent}, and its pid is of {cgroup}")));
        }
        let pods = node.engine.pods()?;
        let web = pods.run_pod(&PodSpec::new("shop", "web")).map_err(failed)?;
        let nginx = pods.run(&web, &ContainerSpec::lasting("nginx")).map_err(failed)?;
        let told = started(&node, "nginx")?;
        if told["id"] != *nginx || told["pod"]["namespace"] != "shop" {
            return Err(Obstacle::Fail(told.to_string()));
        }
        let pods = node.restart()?;
        pods.run(&web, &ContainerSpec::lasting("late")).map_err(failed)?;
        started(&node, "late")?;
        // It is the first process of its pid namespace, which gets no signal that it does not handle.
        ends_with(&pods, &agent, 143)
    })
}

/// The collector sends to a gateway what it sees, and what pods send to it.
pub fn the_collectors_pod_tells_its_own_node() -> Outcome {
    lab::lab().map_err(|reason| Obstacle::Skip(reason.into()))?;
    build::can_link_statically().map_err(Obstacle::Skip)?;
    on_each(&collector::program()?, |mut node| {
        let ports = free_ports(5)?;
        let mut gateway = Collector::gateway(ports[0])?;
        let manifest = manifests::render_documented(ports[0])?;
        let listens = ["13133", "13134", "4317", "4318"].iter().zip(&ports[1..]);
        let arguments: Vec<_> = listens.map(|(documented, port)| format!("-port={documented}={port}")).collect();
        let agent = node.run(&manifest, &arguments)?;
        let started = |gateway: &mut Collector, name: &str| {
            let fits = |e: &Entry| e.name == "criwatch.container.started" && e.of("k8s.container.name") == name;
            gateway.log(&format!("the start of {name}"), fits)
        };
        let own = started(&mut gateway, "agent")?;
        let pid = own.attributes["process.pid"].as_str().unwrap_or_default().to_owned();
        let cgroup = std::fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
        if own.of("container.id") != agent || own.of("k8s.node.name") != "node-1" || !cgroup.contains(&agent) {
            return Err(Obstacle::Fail(format!("{}: is {agent}, and pid {pid} is of {cgroup}", own.resource)));
        }
        let pods = node.engine.pods()?;
        let web = pods.run_pod(&PodSpec::new("shop", "web")).map_err(failed)?;
        let nginx = pods.run(&web, &ContainerSpec::lasting("nginx")).map_err(failed)?;
        // Receiver and processor share one watcher: what the one has told, the other knows.
        started(&mut gateway, "nginx")?;
        collector::send(ports[4], "hello", &[("container.id", &nginx)])?;
        let hello = gateway.log("hello", |entry| entry.body == "hello")?;
        if (hello.of("k8s.namespace.name"), hello.of("k8s.container.name")) != ("shop", "nginx") {
            return Err(Obstacle::Fail(format!("hello is of {}", hello.resource)));
        }
        pods.run(&web, &ContainerSpec::new("job", ["sh", "-c", "exit 3"])).map_err(failed)?;
        let exited = gateway.exited("job")?;
        if exited.attributes["process.exit.code"] != "3" {
            return Err(Obstacle::Fail(format!("job: {}", exited.attributes)));
        }
        let pods = node.restart()?;
        pods.run(&web, &ContainerSpec::lasting("late")).map_err(failed)?;
        started(&mut gateway, "late")?;
        ends_with(&pods, &agent, 0)
    })
}

/// Stops an agent as a kubelet does.
fn ends_with(pods: &Pods, agent: &str, code: i32) -> Outcome {
    pods.stop(agent, 30).map_err(failed)?;
    let is = pods.brief_status(agent).map_err(failed)?.exit_code;
    if is == code { Ok(()) } else { Err(Obstacle::Fail(format!("the agent ended with {is}"))) }
}
