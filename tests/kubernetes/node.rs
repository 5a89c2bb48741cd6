//! The pod of a manifest, on a real engine.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::support::containerd::Containerd;
use super::support::pods::{ContainerSpec, PodSpec};
use super::support::{lab, wait};
use super::{Obstacle, Outcome, c, image, manifests, release, tools};

const IMAGE: &str = "localhost/criwatch:test";

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

/// On every version of containerd that this machine has.
pub fn the_pod_tells_its_own_node() -> Outcome {
    let lab = lab::lab().map_err(|reason| Obstacle::Skip(reason.into()))?;
    let program = command()?;
    for package in &lab.engines {
        on(lab, package, &program).map_err(|obstacle| match obstacle {
            Obstacle::Fail(what) => Obstacle::Fail(format!("containerd {}: {what}", package.version)),
            skip @ Obstacle::Skip(_) => skip,
        })?;
    }
    Ok(())
}

/// The command's image, with the rights and mounts of the manifest and no others: it tells its own containers, with the pids of the host,
/// and goes on after a restart of the engine, whose socket is another file then.
fn on(lab: &lab::Lab, package: &lab::Package, program: &Path) -> Outcome {
    let manifest = manifests::render("overlays/command-containerd")?;
    let folder = tempfile::tempdir()?;
    let archive = folder.path().join("image.tar");
    image::write(IMAGE, program, &archive)?;
    let mut engine = Containerd::start_with_shared_folder(lab, package)?;
    engine.import(&archive)?;
    let pods = engine.pods()?;
    let failed = |error: super::support::pods::Failed| error.to_string();
    wait::until("the image to be known", wait::PATIENCE, || match pods.has_image(IMAGE) {
        Ok(true) => Ok(()),
        other => Err(format!("{other:?}")),
    })?;
    let mut pod = tools::check(&["pod"])?;
    pod.arg(manifest).args(["-endpoint", &engine.endpoint(), "-image", IMAGE]).arg("-folder").arg(folder.path());
    pod.args(["-cgroup-parent", &pods.cgroup_parent()]);
    pod.args(["-host", &format!("/run/containerd={}", engine.dir().display())]);
    let agent = c::succeed(&mut pod)?.trim().to_owned();

    let log = folder.path().join("agent.log");
    let started = |name: &str| {
        wait::until(&format!("the start of {name}"), wait::PATIENCE, || {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            // TIME STREAM TAG LINE
            let lines = text.lines().filter_map(|line| line.splitn(4, ' ').nth(3));
            let mut events = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let event = events.find(|event| event["type"] == "started" && event["container"]["name"] == name);
            event.map(|event| event["container"].clone()).ok_or(text.clone())
        })
    };
    let own = started("agent")?;
    let cgroup = std::fs::read_to_string(format!("/proc/{}/cgroup", own["pid"]))?;
    if own["id"] != *agent || !cgroup.contains(&agent) {
        return Err(Obstacle::Fail(format!("{own}: is {agent}, and its pid is of {cgroup}")));
    }
    let web = pods.run_pod(&PodSpec::new("shop", "web")).map_err(failed)?;
    let nginx = pods.run(&web, &ContainerSpec::lasting("nginx")).map_err(failed)?;
    let told = started("nginx")?;
    if told["id"] != *nginx || told["pod"]["namespace"] != "shop" {
        return Err(Obstacle::Fail(told.to_string()));
    }
    engine.terminate()?;
    engine.start_again()?;
    // The old connection is of the old socket.
    let pods_again = engine.pods()?;
    pods_again.run(&web, &ContainerSpec::lasting("late")).map_err(failed)?;
    started("late")?;
    // It is the first process of its pid namespace, which gets no signal that it does not handle.
    pods_again.stop(&agent, 30).map_err(failed)?;
    let code = pods_again.brief_status(&agent).map_err(failed)?.exit_code;
    if code == 143 { Ok(()) } else { Err(Obstacle::Fail(format!("the agent ended with {code}"))) }
}
