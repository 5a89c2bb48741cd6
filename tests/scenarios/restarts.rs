//! Engines that go away and come back, with the same ids, without some, or with others.

use criwatch::model::*;

use crate::Outcome;
use crate::scene::Scene;
use crate::support::wait::PATIENCE;

#[test]
fn a_restart_alone_reports_nothing() -> Outcome {
    let mut scene = Scene::streaming("containerd-2")?;
    scene.sim.tell("pod web app")?;
    scene.reported.wait_for_events("web/app", "STARTED")?;
    for times in 2..5 {
        scene.sim.tell("restart")?;
        scene.wait_for_counter("connects", times)?;
        scene.wait_for_state(WatcherState::Watching)?;
    }
    scene.ends_with(&[("web", "STARTED"), ("web/app", "STARTED")])?;
    assert_eq!(scene.counter("blindWindows")?, 3);
    Ok(())
}

/// What ends while the engine is away is reported at once where the host shows it, and otherwise as soon as the engine is back, with
/// the code that it gives.
#[test]
fn what_ended_meanwhile_is_reported_once() -> Outcome {
    for (profile, witness, code) in
        [("containerd-2", "off", 255), ("crio", "off", 137), ("containerd-2", "auto", 137), ("crio", "auto", 137)]
    {
        let mut scene = Scene::ready(profile, &[("host.witness", witness)])?;
        scene.events_arrive()?;
        scene.sim.tell("pod web app sidecar")?;
        scene.reported.wait_for_events("web/app", "STARTED")?;
        scene.reported.wait_for_events("web/sidecar", "STARTED")?;
        scene.sim.tell("down")?;
        scene.wait_for_state(WatcherState::Backoff)?;
        // The old cache stays readable, and says how fresh it is.
        let list: serde_json::Value = serde_json::from_str(scene.watcher.list(None)?.ok_or("no list")?.as_str())?;
        assert_eq!((list["state"].as_str(), list["containers"].as_array().map(Vec::len)), (Some("backoff"), Some(4)));
        scene.sim.tell("kill app KILL")?;
        scene.sim.tell("wait app exited")?;
        if witness == "auto" {
            let is_reported = |e: &criwatch::model::Event| e.flags & CRI_EVENT_FLAG_WITNESSED != 0;
            scene.reported.wait_for("the end that the host has seen", |t| t.count("web/app", is_reported) == 1)?;
            assert_eq!(scene.watcher.state(), WatcherState::Backoff);
        }
        scene.sim.tell("up")?;
        scene.ends_with(&[("web", "STARTED"), ("web/app", "STARTED EXITED(synthetic)"), ("web/sidecar", "STARTED")])?;
        let known = |t: &crate::reported::Reported| t.newest("web/app").exit.is_some();
        scene.reported.wait_for("the exit code", known)?;
        assert_eq!(scene.reported.newest("web/app").exit.clone().unwrap_or_default().code, Some(code), "{profile}");
    }
    Ok(())
}

#[test]
fn an_engine_that_comes_back_slowly_is_waited_for() -> Outcome {
    let mut scene = Scene::streaming("containerd-2")?;
    scene.sim.tell("pod web app")?;
    scene.reported.wait_for_events("web/app", "STARTED")?;
    scene.sim.tell("fault not-initialized unknown")?;
    scene.sim.tell("restart")?;
    scene.wait_for_state(WatcherState::Backoff)?;
    scene.wait_for_counter("connectFailures", 2)?;
    scene.sim.tell("fault not-initialized unavailable")?;
    scene.wait_for_counter("connectFailures", 4)?;
    scene.sim.tell("fault not-initialized off")?;
    scene.wait_for_state(WatcherState::Watching)?;
    scene.ends_with(&[("web", "STARTED"), ("web/app", "STARTED")])
}

#[test]
fn a_reboot_ends_all_runs_and_begins_others() -> Outcome {
    let mut seen = Exit::gone();
    (seen.code, seen.reason) = (Some(137), "Error".into());
    for (profile, witness, exit) in
        [("containerd-2", "off", Exit::gone()), ("crio", "off", Exit::gone()), ("containerd-2", "auto", seen)]
    {
        let mut scene = Scene::ready(profile, &[("host.witness", witness)])?;
        scene.events_arrive()?;
        scene.sim.tell("pod web app")?;
        scene.reported.wait_for_events("web/app", "STARTED")?;
        scene.reported.wait_for_events("web", "STARTED")?;
        scene.sim.tell("restart new-ids")?;
        scene.ends_with(&[
            ("web", "STARTED EXITED(synthetic)"),
            ("web", "STARTED(synthetic)"),
            ("web/app", "STARTED EXITED(synthetic)"),
            ("web/app", "STARTED(synthetic)"),
        ])?;
        let exits = scene.reported.events.iter().filter(|e| e.event_type == EventType::Exited);
        let of_containers = exits.filter_map(|e| e.container.as_ref()).filter(|c| c.kind == Kind::Container);
        let reasons: Vec<_> = of_containers.map(|c| c.exit.clone()).collect();
        assert_eq!(reasons, [Some(exit)], "{profile}");
    }
    Ok(())
}

#[test]
fn ids_may_vanish_while_the_engine_is_away() -> Outcome {
    let mut scene = Scene::streaming("containerd-2")?;
    scene.sim.tell("pod web app sidecar")?;
    scene.reported.wait_for_events("web/sidecar", "STARTED")?;
    scene.reported.wait_for_events("web/app", "STARTED")?;
    scene.sim.tell("down")?;
    scene.sim.tell("lose app")?;
    scene.sim.tell("up")?;
    scene.ends_with(&[("web", "STARTED"), ("web/app", "STARTED EXITED(synthetic)"), ("web/sidecar", "STARTED")])?;
    assert_eq!(scene.reported.newest("web/app").exit, Some(Exit::gone()));
    Ok(())
}

#[test]
fn what_is_lost_is_gone_and_what_is_found_has_reappeared() -> Outcome {
    let mut scene = Scene::streaming("containerd-2")?;
    scene.sim.tell("pod web app")?;
    scene.reported.wait_for_events("web/app", "STARTED")?;
    let id = scene.sim.make("lose app")?;
    scene.ends_with_after_resync(&[("web", "STARTED"), ("web/app", "STARTED EXITED(synthetic)")])?;
    let gone = scene.reported.newest("web/app").clone();
    assert_eq!(gone.exit, Some(Exit::gone()));
    scene.sim.tell(&format!("find {id}"))?;
    scene.ends_with_after_resync(&[
        ("web", "STARTED"),
        ("web/app", "STARTED EXITED(synthetic) STARTED(synthetic,reappeared)"),
    ])?;
    assert_eq!(scene.reported.newest("web/app").exit, None);
    scene.sim.tell("stop app")?;
    scene.ends_with(&[
        ("web", "STARTED"),
        ("web/app", "STARTED EXITED(synthetic) STARTED(synthetic,reappeared) EXITED"),
    ])?;
    assert_eq!(scene.reported.newest("web/app").exit.clone().unwrap_or_default().code, Some(143));
    // A pod does the same.
    let id = scene.sim.make("lose web")?;
    scene.resync()?;
    scene.sim.tell(&format!("find {id}"))?;
    scene.watcher.resync(Some(PATIENCE))?;
    scene.reported.wait_for_events("web", "STARTED EXITED(synthetic) STARTED(synthetic,reappeared)")?;
    scene.converges()
}
