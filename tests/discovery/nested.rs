//! Engines in namespaces of their own, and real ones.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use criwatch::watcher::Watcher;
use libtest_mimic::{Completion, Failed};

use crate::node::*;
use crate::support::containerd::Containerd;
use crate::support::lab;
use crate::support::pods::{ContainerSpec, PodSpec};
use crate::support::sim::{self, Sim};
use crate::support::wait::PATIENCE;

/// Whether namespaces can be made here, or why not.
fn namespaces() -> Result<(), String> {
    match Command::new("unshare").args(["-m", "-p", "-f", "mount", "-t", "tmpfs", "none", "/mnt"]).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("no namespaces: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(e) => Err(format!("unshare: {e}")),
    }
}

/// An engine in mount and pid namespaces of its own, with its socket on a file system that nobody else sees. `quit` ends it: the
/// program that made the namespaces ignores signals.
struct Nested(Sim);

impl Nested {
    fn start() -> Result<Result<Nested, String>, Failed> {
        if let Err(reason) = namespaces() {
            return Ok(Err(reason));
        }
        // /proc stays the host's: the engine writes of its processes what fork returns, in its own numbers.
        let script = "mount -t tmpfs none /run && mkdir -p /run/containerd && mount -t proc proc /proc && exec \"$0\" --socket \
                      /run/containerd/containerd.sock --script -";
        let mut command = Command::new("unshare");
        command.args(["-m", "-p", "-f", "--kill-child", "sh", "-c", script]).arg(sim::program()?);
        Ok(Ok(Nested(Sim::start_by(command)?)))
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        // It fails where it has ended.
        let _ = self.0.tell("quit");
    }
}

/// Docker's containerd is empty; the cluster's is in a container, where its pids are others.
pub fn kind() -> Outcome {
    let root = Root::new()?;
    // The processes of this machine: the engine in the container is one of them.
    symlink("/proc", root.at("/proc"))?;
    let _docker = root.sim(CONTAINERD, &[])?;
    let mut nested = match Nested::start()? {
        Ok(nested) => nested,
        Err(reason) => return skipped(&reason),
    };
    nested.0.tell("pod kind-web ns=shop kind-nginx")?;
    let inner = nested.0.living()?;
    let without = root.engines(&[])?;
    expect("not without being asked", &(apis(&without) == [root.api(CONTAINERD)]))?;
    let more = [("discover.nested", "true")];
    let found = root.engines(&more)?;
    // Other tests may have some of their own on this machine.
    let is_ours = |api: &str| api.starts_with(&format!("unix://{}/", root.at("/proc").display()));
    let nested_ones: Vec<_> = found.candidates.iter().filter(|c| is_ours(&c.api) && c.sandboxes == Some(1)).collect();
    if nested_ones.is_empty() {
        return Err(format!("not found: {}", found.json().as_str()).into());
    }
    expect("it is better than Docker's", &(found.candidates[0].sandboxes == Some(1)))?;
    root.shows(&more, "kind-nginx", "none")?;
    let watcher = root.watcher(&more)?;
    watcher.resync(Some(PATIENCE))?;
    for container in watcher.containers()? {
        let pid = container.pid.ok_or_else(|| format!("no pid of {}: {:?}", container.name, inner))?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
        let its = inner.iter().find(|thing| *thing.id == *container.id).ok_or("not one of the engine's")?;
        expect(
            "a pid of ours",
            &(numbers.split_whitespace().last() == Some(its.pid.to_string().as_str()) && pid != its.pid),
        )?;
    }
    Ok(Completion::Completed)
}

/// containerd in three versions and two other engines, all in use; the kubelet decides.
pub fn real() -> Outcome {
    let lab = match lab::lab() {
        Ok(lab) => lab,
        Err(reason) => return skipped(reason),
    };
    if lab.engines.len() < 3 {
        return skipped(&format!("not all of the engines: {:?}", lab.missing));
    }
    let root = Root::new()?;
    let places = [CONTAINERD, K3S, "/run/k0s/containerd.sock"];
    let mut real = Vec::new();
    for (package, place) in lab.engines.iter().zip(places) {
        let engine = Containerd::start(lab, package)?;
        // The same socket at another path, as a bind mount would have it.
        fs::hard_link(engine.socket(), root.place(place)?)?;
        real.push(engine);
    }
    let _simulated = [root.sim(CRIO, &["--profile", "crio"])?, root.sim(CRI_DOCKERD, &["--profile", "cri-dockerd"])?];
    let found = root.engines(&[])?;
    expect("all five answer", &(found.candidates.iter().filter(|c| c.answers()).count() == 5))?;
    expect("the table decides among the empty", &(*found.candidates[0].api == *root.api(CONTAINERD)))?;
    let pods = real[1].pods()?;
    let pod = pods.run_pod(&PodSpec::new("shop", "web"))?;
    pods.run(&pod, &ContainerSpec::lasting("nginx"))?;
    expect("the one in use", &(*root.engines(&[])?.candidates[0].api == *root.api(K3S)))?;
    root.shows(&[], "nginx", "none")?;
    root.process(9, &["/opt/kubelet", "--container-runtime-endpoint", "unix:///run/k0s/containerd.sock"])?;
    let found = root.engines(&[])?;
    expect("the kubelet's", &(*found.candidates[0].api == *root.api("/run/k0s/containerd.sock")))?;
    let pid = real[2].pid();
    expect("its process", &(found.candidates[0].pid == pid))?;
    Ok(Completion::Completed)
}

/// As a node of kind is: its containerd, and the pods on it, have pids of their own. The link to its socket is absolute.
pub fn real_in_namespaces() -> Outcome {
    if let Err(reason) = namespaces() {
        return skipped(&reason);
    }
    let (lab, package) = match lab::lab().map(|lab| (lab, lab.engines.last())) {
        Ok((lab, Some(package))) => (lab, package),
        Ok((lab, None)) => return skipped(&format!("{:?}", lab.missing)),
        Err(reason) => return skipped(reason),
    };
    let root = Root::new()?;
    symlink("/proc", root.at("/proc"))?;
    let _docker = root.sim(CONTAINERD, &[])?;
    let engine = Containerd::start_in_namespaces(lab, package)?;
    let pods = engine.pods()?;
    let pod = pods.run_pod(&PodSpec::new("shop", "web"))?;
    let id = pods.run(&pod, &ContainerSpec::lasting("nested-nginx"))?;
    let more = [("discover.nested", "true")];
    let found = root.engines(&more)?;
    // Other tests may have engines of this kind at the same time.
    let mut checked = false;
    for candidate in found.candidates.iter().filter(|candidate| candidate.sandboxes.is_some_and(|count| count > 0)) {
        let watcher = Watcher::new(Some(&candidate.api), root.config(&more)?)?;
        watcher.resync(Some(PATIENCE))?;
        let Some(container) = watcher.containers()?.into_iter().find(|container| *container.id == *id) else {
            continue;
        };
        let pid = container.pid.ok_or("its pid")?;
        let cgroup = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
        expect("a process of the container, by our numbers", &cgroup.contains(&id))?;
        let numbers = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let numbers = numbers.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default().to_owned();
        expect("another number inside", &(numbers.split_whitespace().count() > 1))?;
        checked = true;
    }
    if !checked {
        return Err(format!("not found: {}", found.json().as_str()).into());
    }
    Ok(Completion::Completed)
}
