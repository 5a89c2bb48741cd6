//! Engines that do not answer: stalled, slow, mute.

use std::time::Duration;

use criwatch::error::{CRI_E_STOPPED, CRI_E_TIMEOUT};
use criwatch::model::*;

use crate::Outcome;
use crate::scene::{BRIEFLY, Scene};
use crate::support::sim::Sim;
use crate::support::wait::{self, PATIENCE};

const IMPATIENT: &[(&str, &str)] = &[
    ("request.timeout_ms", "250"),
    ("connect.timeout_ms", "250"),
    ("relist.interval_ms", "300"),
    ("reconnect.max_delay_ms", "200"),
];

/// The engine falls silent while something happens, and speaks again.
fn outlasts(fault: &str) -> Outcome {
    let mut scene = Scene::ready("containerd-2", IMPATIENT)?;
    scene.events_arrive()?;
    scene.sim.tell("pod web app sidecar")?;
    scene.reported.wait_for("the starts", |t| t.living().len() == 4)?;
    scene.sim.tell(&format!("fault {fault} on"))?;
    scene.wait_for_state(WatcherState::Backoff)?;
    // So long that a new connection is tried, and fails as well.
    scene.wait_for_counter("connectFailures", 1)?;
    assert_eq!(scene.watcher.containers()?.len(), 4, "the old cache can be read");
    let error = scene.watcher.resync(BRIEFLY).unwrap_err();
    assert_eq!(error.status(), CRI_E_TIMEOUT, "{error}");
    scene.sim.tell("kill app KILL")?;
    scene.sim.tell("wait app exited")?;
    scene.sim.tell(&format!("fault {fault} off"))?;
    scene.wait_for_state(WatcherState::Watching)?;
    scene.converges()?;
    let reported = scene.stories();
    let reported: Vec<_> = reported.iter().map(|(name, s)| (name.as_str(), s.replace("(synthetic)", ""))).collect();
    let right = [("web", "STARTED"), ("web/app", "STARTED EXITED"), ("web/sidecar", "STARTED")];
    assert_eq!(reported, right.map(|(name, story)| (name, story.to_owned())), "{:?}", scene.reported);
    Ok(())
}

#[test]
fn a_stalled_engine_is_outlasted() -> Outcome {
    outlasts("stall")
}

#[test]
fn a_mute_engine_is_outlasted() -> Outcome {
    outlasts("mute")
}

/// Stopped as a whole, with SIGSTOP: its sockets accept, its event stream stays open, and no list is due for a minute. A
/// caller's request is the first that gets no answer.
#[test]
fn a_frozen_engine_is_reported_after_the_first_timeout() -> Outcome {
    let mut scene = Scene::ready("containerd-2", &[("request.timeout_ms", "250")])?;
    scene.events_arrive()?;
    scene.sim.tell("pod web app")?;
    scene.reported.wait_for_events("web/app", "STARTED")?;
    scene.converges()?;
    let lists = scene.counter("lists")?;
    scene.sim.freeze()?;
    let timeout = Some(Duration::from_millis(500));
    let error = scene.watcher.call("RuntimeService/Status", None, timeout).unwrap_err();
    let state = scene.wait_for_state(WatcherState::Backoff);
    let failed = scene.counter("listFailures");
    scene.sim.thaw()?;
    state?;
    assert_eq!(error.status(), CRI_E_TIMEOUT, "{error}");
    assert!(failed? <= 1, "the call shows it, not lists that fail three times");
    scene.wait_for_state(WatcherState::Watching)?;
    scene.wait_for_counter("lists", lists + 1)?;
    let reported = &scene.reported.drain().events;
    let why = reported.iter().find(|e| e.event_type == EventType::State && e.state == WatcherState::Backoff);
    let why = why.and_then(|e| e.message.as_deref()).unwrap_or_default();
    assert!(why.contains("no answer from the engine within"), "{why:?}");
    let back = reported.iter().rfind(|e| e.event_type == EventType::State).and_then(|e| e.message.as_deref());
    assert_eq!(back, Some("the engine streams events"), "not the message of what is over");
    scene.ends_with(&[("web", "STARTED"), ("web/app", "STARTED")])
}

#[test]
fn an_engine_that_is_mute_from_the_start_is_waited_for() -> Outcome {
    let mut sim = Sim::start(&[])?;
    sim.tell("fault mute on")?;
    sim.tell("pod web app")?;
    let mut scene = Scene::watching(sim, IMPATIENT)?;
    scene.wait_for_counter("connectFailures", 2)?;
    let error = scene.watcher.wait_ready(BRIEFLY).unwrap_err();
    assert!(error.message().contains("no answer from the engine within 250 ms"), "{error}");
    scene.sim.tell("fault mute off")?;
    scene.ends_with(&[("web", "STARTED(initial)"), ("web/app", "STARTED(initial)")])
}

/// Answers take longer than a STARTED waits for its pid.
#[test]
fn a_slow_engine_is_reported_without_its_pids_at_first() -> Outcome {
    let mut scene = Scene::ready("containerd-2", &[("pid.source", "engine")])?;
    scene.wait_for_state(WatcherState::Watching)?;
    scene.sim.tell("fault slow 600ms")?;
    scene.sim.tell("run-pod web")?;
    scene.sim.tell("create web app")?;
    scene.sim.tell("start app")?;
    scene.reported.wait_for_events("web/app", "STARTED")?;
    let pid_comes = |e: &Event| e.event_type == EventType::Updated && e.changed & CRI_CHANGED_PID != 0;
    scene.reported.wait_for("its pid", |t| t.count("web/app", pid_comes) == 1)?;
    scene.sim.tell("stop app")?;
    scene.sim.tell("fault slow off")?;
    scene.ends_with(&[("web", "STARTED"), ("web/app", "STARTED EXITED(?)")])?;
    assert_eq!(scene.reported.count("web/app", pid_comes), 1);
    Ok(())
}

/// A stop ends all that waits for an engine that does not answer.
#[test]
fn a_watcher_may_be_dropped_while_its_calls_are_pending() -> Outcome {
    let mut sim = Sim::start(&[])?;
    sim.tell("run-pod web")?;
    let id = sim.make("create web app")?;
    sim.tell("start app")?;
    let scene = Scene::watching(sim, &[("request.timeout_ms", "3600000"), ("connect.timeout_ms", "3600000")])?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    let Scene { watcher, mut reported, mut sim, .. } = scene;
    sim.tell("fault stall on")?;
    let asked = sim.stat("ContainerStatus")?;
    let errors = std::thread::scope(|threads| {
        let calls = [
            threads.spawn(|| watcher.resync(None).unwrap_err()),
            threads.spawn(|| watcher.inspect(&id, 0, None).unwrap_err()),
        ];
        let pending = wait::until("the calls to be pending", PATIENCE, || match sim.stat("ContainerStatus")? {
            now if now > asked => Ok(()),
            now => Err(format!("{now} status requests")),
        });
        let stopped = watcher.stop();
        let errors = calls.map(|call| call.join().expect("it does not panic"));
        pending.map(|()| stopped.map(|()| errors))
    })??;
    for error in errors {
        assert_eq!(error.status(), CRI_E_STOPPED, "{error}");
    }
    reported.wait_for("the last event", |t| t.events.last().is_some_and(|e| e.state == WatcherState::Stopped))?;
    drop(watcher);
    // And while it connects.
    let connecting = crate::scene::watcher(sim.endpoint(), &[])?;
    connecting.start()?;
    assert_eq!(connecting.wait_ready(Some(Duration::ZERO)).unwrap_err().status(), CRI_E_TIMEOUT);
    drop(connecting);
    Ok(())
}
