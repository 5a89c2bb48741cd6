//! Questions end: the watcher does not ask for ever for what the engine does not report.

use criwatch::model::*;

use super::QUICK;
use crate::Outcome;
use crate::scene::{Scene, folder_in_memory};
use crate::support::sim::Sim;
use crate::support::wait::PATIENCE;

/// How often an answer may leave the same field empty.
const EQUAL_ANSWERS: u64 = 3;

/// Row 11.
#[test]
fn what_has_no_start_is_asked_for_a_few_times() -> Outcome {
    const CONTAINERS: u64 = 100;
    let mut sim = Sim::start(&["--containers", &CONTAINERS.to_string()])?;
    sim.tell("claim all no-started-at")?;
    let mut scene = Scene::watching(sim, QUICK)?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    scene.falls_silent(CONTAINERS * EQUAL_ANSWERS + CONTAINERS / 2)?;
    assert_eq!(scene.counter("fieldsNotTold")?, CONTAINERS);
    assert_eq!(scene.engine()?["notTold"]["startedAt"], CONTAINERS, "{}", scene.engine()?);
    assert_eq!(scene.warnings("times without startedAt").len(), 1, "one line for all of them");
    let cache = scene.watcher.containers()?;
    assert!(cache.iter().all(|c| c.missing == 0), "{cache:?}");
    assert!(cache.iter().all(|c| c.pid.is_some()), "what the engine does tell is there");
    // A new run is asked about anew.
    scene.sim.tell("create filler-0 app")?;
    scene.sim.tell("start filler-0/app")?;
    scene.reported.wait_for("the start", |t| {
        t.events.iter().any(|e| e.container.as_ref().is_some_and(|c| &*c.name == "app" && c.pid.is_some()))
    })?;
    scene.falls_silent((CONTAINERS + 1) * EQUAL_ANSWERS + CONTAINERS / 2)
}

/// A relist that changed nothing costs two requests, whatever the engine leaves empty. Not 10,000 containers: each costs
/// several requests until its fields are given up, and that takes minutes.
#[test]
fn a_relist_of_two_thousand_costs_two_requests_where_fields_stay_empty() -> Outcome {
    const CONTAINERS: u64 = 2000;
    let tree = folder_in_memory()?;
    let root = tree.path().join("root");
    let root = root.to_str().ok_or("a path that is no text")?;
    let mut sim = Sim::start(&["--containers", &CONTAINERS.to_string(), "--fake-tree", root])?;
    sim.tell("claim all no-started-at")?;
    // All at once, so that it is over soon.
    let details = ("details", "full");
    let options = [("host.root", root), ("ready.pid_wait_ms", "300000"), ("relist.interval_ms", "60000"), details];
    let mut scene = Scene::watching(sim, &options)?;
    scene.watcher.wait_ready(Some(5 * PATIENCE))?;
    let given_up = || scene.counter("fieldsNotTold").is_ok_and(|n| n == CONTAINERS);
    crate::support::wait::for_condition("the end of all requests", 5 * PATIENCE, given_up)?;
    let no_more = || scene.counter("openStatusRequests").is_ok_and(|n| n == 0);
    crate::support::wait::for_condition("quiet", PATIENCE, no_more)?;
    scene.reported.drain();
    let costs = |scene: &mut Scene| -> Outcome<[u64; 3]> {
        Ok([scene.sim.stat("ListContainers")?, scene.sim.stat("ListPodSandbox")?, scene.questions()?])
    };
    let before = costs(&mut scene)?;
    for _ in 0..3 {
        scene.resync()?;
    }
    let after = costs(&mut scene)?;
    assert_eq!(after, [before[0] + 3, before[1] + 3, before[2]]);
    assert!(before[2] <= CONTAINERS * EQUAL_ANSWERS + CONTAINERS * 6 / 10, "{before:?}");
    Ok(())
}

/// Row 14: an agent without the host's pid namespace. The engine does report the pids; they are not in this /proc.
#[test]
fn pids_that_are_not_below_the_hosts_root_are_given_up_with_the_reason() -> Outcome {
    let root = tempfile::tempdir()?;
    std::fs::create_dir_all(root.path().join("proc"))?;
    let host_root = root.path().to_str().ok_or("a path that is no text")?;
    for profile in ["containerd-2", "crio"] {
        let mut sim = Sim::start(&["--profile", profile])?;
        for n in 0..5 {
            sim.tell(&format!("pod web-{n} app"))?;
        }
        let mut scene = Scene::watching(sim, &[QUICK, &[("host.root", host_root)]].concat())?;
        scene.watcher.wait_ready(Some(PATIENCE))?;
        scene.falls_silent(10 * EQUAL_ANSWERS)?;
        let reasons = scene.warnings("host.root");
        assert_eq!(reasons.len(), 1, "{profile}: {reasons:?}");
        assert!(reasons[0].contains("no such process is in /proc below host.root"), "{profile}: {reasons:?}");
        assert_eq!(scene.warnings("the watcher no longer asks").len(), 0, "{profile}: the engine is not to blame");
        let containers = scene.watcher.containers()?;
        let of_containers = containers.iter().filter(|c| c.kind == Kind::Container);
        assert!(of_containers.clone().count() == 5 && of_containers.clone().all(|c| c.pid.is_none()), "{profile}");
        assert!(of_containers.clone().all(|c| c.engine_pid.is_some()), "{profile}: the engine's pid is shown");
    }
    Ok(())
}

/// Row 17: containerd 2 repeats to the first subscriber what nobody heard.
#[test]
fn a_history_of_pods_is_settled_by_the_first_list() -> Outcome {
    let mut sim = Sim::start(&["--profile", "containerd-2"])?;
    for n in 0..12 {
        sim.tell(&format!("pod past-{n} app"))?;
        sim.tell(&format!("rm-pod past-{n}"))?;
    }
    // Two lists, one after the other: the history is there before the second one.
    sim.tell("fault slow 300ms")?;
    let mut scene = Scene::watching(sim, &[])?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    scene.sim.tell("fault slow off")?;
    scene.events_arrive()?;
    scene.converges()?;
    assert_eq!(scene.stories(), []);
    assert!(scene.counter("engineEvents")? >= 90, "the history was repeated");
    // The marker's own.
    assert!(scene.questions()? <= 1, "{}", scene.watcher.stats()?);
    Ok(())
}

/// Row 12: a stream that opens and never says anything, or none of whose events arrive.
#[test]
fn an_event_stream_that_says_nothing_is_not_relied_on() -> Outcome {
    for silence in ["fault silent-events on", "fault drop-events 1000000"] {
        let mut sim = Sim::start(&["--profile", "containerd-2"])?;
        sim.tell(silence)?;
        let options = [("relist.interval_ms", "1000"), ("poll.interval_ms", "50")];
        let mut scene = Scene::watching(sim, &options)?;
        scene.watcher.wait_ready(Some(PATIENCE))?;
        scene.wait_for_state(WatcherState::Watching)?;
        // An idle engine says nothing either.
        scene.relists(3)?;
        assert_eq!(scene.watcher.state(), WatcherState::Watching, "{silence}");
        scene.sim.tell("pod web app")?;
        scene.wait_for_state(WatcherState::Polling)?;
        let engine = scene.engine()?;
        assert_eq!(engine["events"], "poll", "{engine}");
        assert!(engine["eventsReason"].as_str().is_some_and(|why| why.contains("reported none")), "{engine}");
        scene.sim.tell("create web brief -- sleep 0.3")?;
        scene.sim.tell("start web/brief")?;
        scene.reported.wait_for_events("web/brief", "STARTED(synthetic) EXITED(synthetic)")?;
        scene.sim.tell("fault silent-events off")?;
        scene.sim.tell("fault drop-events 0")?;
        scene.sim.tell("pod loud app")?;
        scene.wait_for_state(WatcherState::Watching)?;
        assert_eq!(scene.engine()?["eventsReason"], "the engine streams events", "{silence}");
        scene.converges()?;
    }
    Ok(())
}

/// Requests that hang hold up no new container, and those about it are few.
#[test]
fn statuses_that_hang_hold_up_nothing_new() -> Outcome {
    let mut sim = Sim::start(&["--profile", "containerd-2"])?;
    sim.tell("pod stuck c1 c2 c3 c4 c5 c6 c7 c8 c9 c10 c11 c12")?;
    for n in 1..=12 {
        sim.tell(&format!("claim stuck/c{n} hangs"))?;
    }
    let options = [("relist.interval_ms", "200"), ("request.timeout_ms", "500"), ("ready.pid_wait_ms", "2000")];
    let mut scene = Scene::watching(sim, &options)?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    for n in 0..5 {
        scene.sim.tell(&format!("pod web-{n} app"))?;
        let has_pid = |e: &Event| e.container.as_ref().is_some_and(|c| c.pid.is_some());
        scene.reported.wait_for("a pid", |t| t.count(&format!("web-{n}/app"), has_pid) > 0)?;
    }
    let cache = scene.watcher.containers()?;
    assert_eq!(cache.len(), 1 + 12 + 10, "what hangs is shown, too");
    scene.sim.tell("claim all off")?;
    for n in 1..=12 {
        scene.sim.tell(&format!("claim stuck/c{n} off"))?;
    }
    let all_known = || scene.watcher.containers().is_ok_and(|all| all.iter().all(|c| c.missing == 0));
    crate::support::wait::for_condition("everything to be known", PATIENCE, all_known)?;
    scene.converges()
}

/// Requests that are refused, for ever: the others are shown, and nothing is reported twice.
#[test]
fn statuses_that_are_refused_change_nothing_of_what_lists_show() -> Outcome {
    let mut sim = Sim::start(&["--profile", "containerd-2"])?;
    sim.tell("pod web app other")?;
    sim.tell("claim web/app refused 'failed to get the task: ttrpc: closed'")?;
    let mut scene = Scene::watching(sim, &[QUICK, &[("ready.pid_wait_ms", "500")]].concat())?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    scene.relists(20)?;
    let stories = [("web", "STARTED(initial)"), ("web/app", "STARTED(initial)"), ("web/other", "STARTED(initial)")];
    assert_eq!(scene.stories(), stories.map(|(name, story)| (name.to_owned(), story.to_owned())));
    assert!(scene.record("web/other")?.pid.is_some());
    scene.sim.tell("claim web/app off")?;
    let has_pid = || scene.record("web/app").is_ok_and(|c| c.pid.is_some());
    crate::support::wait::for_condition("the pid", PATIENCE, has_pid)?;
    scene.ends_with(&stories)
}
