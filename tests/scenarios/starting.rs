//! How a watcher begins: what GetContainerEvents answers, engines that are not ready, history that nobody heard.

use std::time::Duration;

use criwatch::error::{CRI_E_TIMEOUT, CRI_E_UNSUPPORTED};
use criwatch::model::*;

use crate::Outcome;
use crate::scene::{BRIEFLY, Scene};
use crate::support::sim::Sim;
use crate::support::wait::{self, PATIENCE};

#[test]
fn an_idle_engine_withholds_the_headers_and_delays_nothing() -> Outcome {
    let mut scene = Scene::ready("containerd-2", &[])?;
    scene.wait_for_state(WatcherState::Watching)?;
    scene.sim.tell("wait-subscribed 1")?;
    assert_eq!(scene.counter("engineEvents")?, 0);
    scene.sim.tell("pod web app")?;
    for name in ["web", "web/app"] {
        // The list that follows the first event may be the first to see it.
        scene
            .reported
            .wait_for("a start", |t| t.stories().iter().any(|(n, s)| n == name && s.starts_with("STARTED")))?;
    }
    scene.converges()
}

#[test]
fn headers_that_never_come_leave_the_lists_to_report() -> Outcome {
    let sim = {
        let mut sim = Sim::start(&[])?;
        sim.tell("fault withhold-headers on")?;
        sim
    };
    let mut scene = Scene::watching(sim, &[("relist.interval_ms", "200")])?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    // By then the subscription is more than a second old: what changes from now on has events.
    scene.wait_for_counter("lists", 10)?;
    scene.sim.tell("pod web app")?;
    scene.sim.tell("create web job -- true")?;
    scene.sim.tell("start job")?;
    let stories = [
        ("web", "STARTED(synthetic)"),
        ("web/app", "STARTED(synthetic)"),
        ("web/job", "STARTED(synthetic) EXITED(synthetic)"),
    ];
    scene.ends_with(&stories)?;
    // No event has reported what the lists show: the stream is open and counts for nothing.
    scene.wait_for_state(WatcherState::Polling)?;
    let engine = scene.engine()?;
    assert_eq!(engine["events"], "poll", "{engine}");
    let says = |engine: &serde_json::Value, why| engine["eventsReason"].as_str().is_some_and(|it| it.contains(why));
    assert!(says(&engine, "the event stream is open, but reported none of"), "{engine}");
    assert_eq!(scene.counter("blindWindows")?, 1);
    let heard = scene.counter("engineEvents")?;
    scene.sim.tell("fault withhold-headers off")?;
    // What was withheld comes now; all of it is known already.
    scene.wait_for_counter("engineEvents", heard + 6)?;
    scene.wait_for_state(WatcherState::Watching)?;
    assert!(says(&scene.engine()?, "the engine streams events"), "{}", scene.engine()?);
    scene.ends_with(&stories)
}

/// The option says how long pids are waited for; what is unanswered by then is counted, and comes later.
#[test]
fn who_is_ready_before_its_pids_says_how_many_are_open() -> Outcome {
    let mut sim = Sim::start(&[])?;
    sim.tell("pod web app sidecar")?;
    sim.tell("fault slow 300ms")?;
    let mut scene = Scene::watching(sim, &[("ready.pid_wait_ms", "1"), ("pid.source", "engine")])?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    assert_eq!(scene.counter("readyUnanswered")?, 3);
    scene.sim.tell("fault slow off")?;
    wait::until("all pids", PATIENCE, || match scene.watcher.engine_info() {
        Ok(info) => {
            match serde_json::from_str::<serde_json::Value>(info.as_str()).unwrap_or_default()["ready"].take() {
                ready if ready == serde_json::json!({"complete": true, "open": 0}) => Ok(()),
                ready => Err(format!("it is {ready}")),
            }
        }
        Err(error) => Err(error.to_string()),
    })?;
    scene.converges()
}

#[test]
fn a_clean_end_without_an_event_means_polling_and_names_the_setting() -> Outcome {
    let mut scene = Scene::ready("crio-events-off", &[("poll.interval_ms", "50")])?;
    scene.wait_for_state(WatcherState::Polling)?;
    let engine = scene.engine()?;
    assert_eq!(engine["events"], "poll");
    assert!(engine["eventsReason"].as_str().is_some_and(|why| why.contains("enable_pod_events=true")), "{engine}");
    scene.sim.tell("pod web app")?;
    scene.ends_with(&[("web", "STARTED(synthetic)"), ("web/app", "STARTED(synthetic)")])?;
    scene.wait_for_counter("lists", scene.counter("lists")? + 5)?;
    assert_eq!(scene.sim.stat("GetContainerEvents")?, 1, "no hot loop");
    Ok(())
}

#[test]
fn an_engine_that_does_not_know_the_method_is_polled_and_probed_now_and_then() -> Outcome {
    let mut scene = Scene::ready("cri-dockerd", &[("poll.interval_ms", "50"), ("probe.interval_ms", "60000")])?;
    scene.wait_for_state(WatcherState::Polling)?;
    let engine = scene.engine()?;
    assert_eq!(engine["events"], "poll");
    let why = engine["eventsReason"].as_str().unwrap_or_default();
    assert!(why.contains("method GetContainerEvents not implemented"), "{engine}");
    scene.sim.tell("pod web app")?;
    scene.ends_with(&[("web", "STARTED(synthetic)"), ("web/app", "STARTED(synthetic)")])?;
    assert_eq!(scene.sim.stat("GetContainerEvents")?, 1);
    let mut probing = Scene::ready("cri-dockerd", &[("probe.interval_ms", "100")])?;
    probing.wait_for_counter("subscriptions", 3)?;
    probing.wait_for_state(WatcherState::Polling)?;
    probing.converges()
}

#[test]
fn an_engine_without_cri_is_a_final_cause_until_it_serves_it() -> Outcome {
    let mut sim = Sim::start(&[])?;
    sim.tell("fault not-served on")?;
    sim.tell("pod web app")?;
    let mut scene = Scene::watching(sim, &[])?;
    // For ever: it returns nevertheless.
    let error = scene.watcher.wait_ready(None).unwrap_err();
    assert_eq!(error.status(), CRI_E_UNSUPPORTED, "{error}");
    assert!(error.message().contains("CRI v1 is not served here"), "{error}");
    scene.wait_for_state(WatcherState::Backoff)?;
    scene.sim.tell("fault not-served off")?;
    scene.wait_for_state(WatcherState::Watching)?;
    scene.ends_with(&[("web", "STARTED(initial)"), ("web/app", "STARTED(initial)")])
}

fn waits_for_an_engine_that_refuses(with: &str) -> Outcome {
    let mut sim = Sim::start(&[])?;
    sim.tell(&format!("fault not-initialized {with}"))?;
    sim.tell("pod web app")?;
    let mut scene = Scene::watching(sim, &[])?;
    scene.wait_for_state(WatcherState::Backoff)?;
    let error = scene.watcher.wait_ready(BRIEFLY).unwrap_err();
    assert_eq!(error.status(), CRI_E_TIMEOUT, "{error}");
    assert!(error.message().contains("server is not initialized yet"), "{error}");
    scene.sim.tell("fault not-initialized off")?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    scene.ends_with(&[("web", "STARTED(initial)"), ("web/app", "STARTED(initial)")])
}

#[test]
fn not_initialized_as_unknown_is_waited_for() -> Outcome {
    waits_for_an_engine_that_refuses("unknown")
}

#[test]
fn not_initialized_as_unavailable_is_waited_for() -> Outcome {
    waits_for_an_engine_that_refuses("unavailable")
}

/// Containerd replays what nobody heard, CRI-O and containerd 1.7 hold the oldest thousand.
#[test]
fn events_of_what_is_long_gone_report_nothing_and_cost_little() -> Outcome {
    for profile in ["containerd-2", "containerd-1.7", "crio"] {
        let mut sim = Sim::start(&["--profile", profile])?;
        for n in 0..40 {
            sim.tell(&format!("pod old-{n} app"))?;
            sim.tell(&format!("rm-pod old-{n}"))?;
        }
        sim.tell("pod web app")?;
        let stale = sim.stat("events")?;
        let mut scene = Scene::watching(sim, &[])?;
        scene.watcher.wait_ready(Some(PATIENCE))?;
        scene.wait_for_counter("engineEvents", stale)?;
        // Hints are given a little time to collect.
        while scene.counter("openStatusRequests")? > 0 {
            scene.resync()?;
            std::thread::sleep(Duration::from_millis(5));
        }
        scene.ends_with(&[("web", "STARTED(initial)"), ("web/app", "STARTED(initial)")])?;
        // Lists settle what came and went before: only what runs is asked about, for its pid and after its event.
        assert_eq!(scene.counter("statusNotFound")?, 0, "{profile}");
        let requests = scene.questions()?;
        assert!(requests <= 4, "{requests} status requests on {profile}");
    }
    Ok(())
}
