//! Lists that are large, streamed, and cut short.

use criwatch::error::CRI_E_TIMEOUT;
use criwatch::model::*;

use crate::Outcome;
use crate::scene::{BRIEFLY, Scene, folder_in_memory};
use crate::support::sim::Sim;
use crate::support::wait::PATIENCE;

/// 5 MiB of sandboxes: more than gRPC accepts unless it is configured otherwise.
#[test]
fn a_list_may_have_more_than_4_mib() -> Outcome {
    let mut sim = Sim::start(&[])?;
    let words = "x".repeat(256 << 10);
    for n in 0..20 {
        sim.tell(&format!("run-pod big-{n} annotation=words={words}"))?;
    }
    let cramped = Scene::watching(sim, &[("message.max_bytes", &(4 << 20).to_string())])?;
    cramped.wait_for_state(WatcherState::Backoff)?;
    let error = cramped.watcher.wait_ready(BRIEFLY).unwrap_err();
    assert_eq!(error.status(), CRI_E_TIMEOUT, "{error}");
    assert!(error.message().contains("raise the option message.max_bytes"), "{error}");
    let mut scene = Scene::watching(cramped.sim, &[])?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    scene.converges()?;
    assert_eq!(scene.stories().len(), 20);
    Ok(())
}

#[test]
fn a_streamed_list_is_taken_only_whole() -> Outcome {
    let mut sim = Sim::start(&["--profile", "crio"])?;
    sim.tell("pod web app")?;
    let mut scene = Scene::watching(sim, &[])?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    scene.resync()?;
    assert_eq!(scene.sim.stat("ListContainers")?, 0, "streamed as long as that works");
    scene.sim.tell("fault partial-lists on")?;
    scene.sim.tell("create web job -- true")?;
    let failures = scene.counter("listFailures")?;
    scene.converges()?;
    assert_eq!(scene.counter("listFailures")?, failures + 1);
    assert!(scene.sim.stat("ListContainers")? > 0, "the other way was tried");
    scene.ends_with(&[("web", "STARTED(initial)"), ("web/app", "STARTED(initial)")])
}

#[test]
fn a_first_list_may_be_cut_short() -> Outcome {
    let mut sim = Sim::start(&["--profile", "crio"])?;
    sim.tell("pod web app")?;
    sim.tell("fault partial-lists on")?;
    let mut scene = Scene::watching(sim, &[])?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    scene.ends_with(&[("web", "STARTED(initial)"), ("web/app", "STARTED(initial)")])
}

/// Two batches: CRI-O makes them of 3000.
#[test]
fn a_list_in_several_batches_is_put_together() -> Outcome {
    let tree = folder_in_memory()?;
    let root = tree.path().join("root");
    let root = root.to_str().ok_or("a path that is no text")?;
    let sim = Sim::start(&["--profile", "crio", "--containers", "3100", "--fake-tree", root])?;
    let mut scene = Scene::watching(sim, &[("host.root", root), ("ready.pid_wait_ms", "300000")])?;
    scene.watcher.wait_ready(Some(5 * PATIENCE))?;
    scene.converges()?;
    assert_eq!(scene.stories().len(), 3100 + 1550);
    assert_eq!((scene.sim.stat("ListContainers")?, scene.sim.stat("ListPodSandbox")?), (0, 0));
    Ok(())
}

/// Engines that cannot stream lists are not bothered with it.
#[test]
fn only_engines_that_can_are_asked_for_streamed_lists() -> Outcome {
    for profile in ["containerd-2", "containerd-2.3", "crio-1.30", "cri-dockerd"] {
        let mut scene = Scene::ready(profile, &[("poll.interval_ms", "50")])?;
        scene.sim.tell("pod web app")?;
        scene.converges()?;
        assert_eq!(scene.sim.stat("StreamContainers")?, 0, "{profile}");
    }
    Ok(())
}
