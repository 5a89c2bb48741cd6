//! Ten thousand containers.

use crate::Outcome;
use crate::scene::{Scene, folder_in_memory};
use crate::support::sim::Sim;
use crate::support::wait::PATIENCE;

const CONTAINERS: usize = 10_000;
const PODS: usize = CONTAINERS / 2;

#[test]
fn ten_thousand_containers_are_reported_and_one_more_costs_no_list() -> Outcome {
    let tree = folder_in_memory()?;
    let root = tree.path().join("root");
    let root = root.to_str().ok_or("a path that is no text")?;
    let sim = Sim::start(&["--containers", &CONTAINERS.to_string(), "--fake-tree", root])?;
    let mut scene = Scene::watching(sim, &[("host.root", root), ("details", "none")])?;
    scene.watcher.wait_ready(Some(5 * PATIENCE))?;
    scene.reported.drain();
    let stories = scene.stories();
    assert_eq!(stories.len(), CONTAINERS + PODS);
    assert!(stories.iter().all(|(_, story)| story == "STARTED(initial)"));
    scene.events_arrive()?;
    scene.converges()?;
    let (lists, questions) = (scene.sim.stat("ListContainers")?, scene.questions()?);
    assert!(lists <= 6, "{lists} lists");
    // The pids come from their files.
    assert_eq!(questions, 0);
    assert!(scene.counter("pidsFromFiles")? >= (CONTAINERS + PODS) as u64);
    scene.sim.tell("create filler-7 app")?;
    scene.sim.tell("start filler-7/app")?;
    scene.reported.wait_for_events("team-7/filler-7/app", "STARTED")?;
    assert_eq!(scene.sim.stat("ListContainers")?, lists, "no list for one event");
    assert!(scene.questions()? <= questions + 1);
    scene.converges()
}
