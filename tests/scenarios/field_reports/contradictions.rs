//! What the engine contradicts is reported once, and settled: the cache has what the list shows.

use criwatch::model::*;

use super::QUICK;
use crate::Outcome;
use crate::reported::Reported;
use crate::scene::Scene;
use crate::support::sim::Sim;
use crate::support::wait::PATIENCE;

fn watching(profile: &str, script: &[&str]) -> Outcome<Scene> {
    let mut sim = Sim::start(&["--profile", profile])?;
    for line in script {
        sim.tell(line)?;
    }
    let scene = Scene::watching(sim, QUICK)?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    Ok(scene)
}

fn count(reported: &Reported, name: &str, event_type: EventType) -> usize {
    reported.count(name, |e| e.event_type == event_type)
}

/// Row 7: `ctr containers rm` of what has exited. It is listed, and only its plain status is there.
#[test]
fn what_has_no_verbose_status_is_there_as_long_as_it_is_listed() -> Outcome {
    // cri-dockerd says UNKNOWN where others say NOT_FOUND.
    for profile in ["containerd-1.6", "containerd-2", "crio"] {
        let script = &["pod web app", "create web job -- sh -c 'exit 3'", "start web/job", "wait web/job exited"];
        let mut scene = watching(profile, script)?;
        scene.sim.tell("claim web/job no-verbose-status")?;
        scene.falls_silent(6)?;
        assert_eq!(scene.removals("web/job"), 0, "{profile}: {:?}", scene.reported);
        let job = scene.record("web/job")?;
        assert_eq!((job.state, job.exit.as_ref().and_then(|e| e.code)), (State::Exited, Some(3)), "{profile}");
        for name in ["default/web/job", &job.id] {
            let inspected = scene.watcher.inspect(name, 0, Some(PATIENCE))?;
            assert!(inspected.as_str().contains(r#""exitCode":3"#), "{profile}: {inspected}");
        }
        scene.sim.tell("rm web/job")?;
        scene.converges()?;
        assert_eq!(scene.removals("web/job"), 1, "{profile}: {:?}", scene.reported);
    }
    Ok(())
}

/// Row 7: before it was ever seen.
#[test]
fn what_had_no_verbose_status_from_the_start_is_reported_once() -> Outcome {
    let script = &[
        "run-pod web",
        "create web job -- sh -c 'exit 3'",
        "start web/job",
        "wait web/job exited",
        "pod db app",
        "claim web/job no-verbose-status",
        "claim db/app no-verbose-status",
    ];
    let mut scene = watching("containerd-2", script)?;
    scene.falls_silent(12)?;
    let reported = scene.stories();
    let story = |name: &str| reported.iter().find(|(n, _)| n == name).map(|(_, s)| s.as_str());
    assert_eq!((story("db/app"), story("web/job")), (Some("STARTED(initial)"), None), "{:?}", scene.reported);
    let job = scene.record("web/job")?;
    assert_eq!(job.exit.as_ref().and_then(|e| e.code), Some(3), "the plain status tells");
    let app = scene.record("db/app")?;
    assert_eq!((app.state, app.pid.is_some(), app.missing), (State::Running, true, 0), "the runtime's pid file tells");
    Ok(())
}

/// Row 7: no status at all, though it is listed, and runs.
#[test]
fn what_has_no_status_at_all_stands_as_the_list_shows_it() -> Outcome {
    for profile in ["containerd-1.6", "containerd-2", "crio"] {
        let script = &["pod web app", "create web job -- true", "start web/job", "wait web/job exited"];
        let mut scene = watching(profile, script)?;
        scene.sim.tell("claim web/job no-status")?;
        scene.sim.tell("create web late")?;
        scene.sim.tell("claim web/late no-status")?;
        scene.sim.tell("start web/late")?;
        let started = |t: &Reported| count(t, "web/late", EventType::Started) == 1;
        scene.reported.wait_for("the start", started)?;
        scene.falls_silent(30)?;
        assert_eq!(count(&scene.reported, "web/late", EventType::Started), 1, "{profile}: {:?}", scene.reported);
        assert_eq!(count(&scene.reported, "web/late", EventType::Exited), 0, "{profile}: {:?}", scene.reported);
        for name in ["web/late", "web/job"] {
            assert_eq!(scene.removals(name), 0, "{profile}: {:?}", scene.reported);
        }
        assert_eq!(scene.record("web/late")?.state, State::Running, "{profile}");
        for name in ["web/late", "web/job"] {
            let warnings = scene.warnings(name);
            let of_status = warnings.iter().filter(|w| w.contains("says that it has no status of it")).count();
            assert!(of_status <= 1, "{profile}: {warnings:?}");
        }
        scene.sim.tell("claim web/late off")?;
        scene.sim.tell("stop web/late")?;
        let exited = |t: &Reported| count(t, "web/late", EventType::Exited) == 1;
        scene.reported.wait_for("the exit", exited)?;
        scene.sim.tell("rm-pod web")?;
        scene.converges()?;
        scene.falls_silent(60)?;
        for name in ["web", "web/app", "web/late", "web/job"] {
            assert_eq!(scene.removals(name), 1, "{profile}: {name}: {:?}", scene.log);
        }
    }
    Ok(())
}

/// Row 7, healthy engines: at each removal the status is gone a moment before the list's entry.
#[test]
fn removals_are_reported_once_though_the_status_goes_first() -> Outcome {
    let mut scene = watching("containerd-2", &["run-pod web"])?;
    for n in 0..20 {
        scene.sim.tell(&format!("create web c{n} -- sh -c 'exit 1'"))?;
        scene.sim.tell(&format!("start web/c{n}"))?;
        scene.sim.tell(&format!("wait web/c{n} exited"))?;
        scene.sim.tell(&format!("claim web/c{n} no-status"))?;
        scene.sim.tell(&format!("tell deleted web/c{n}"))?;
        if n % 2 == 0 {
            scene.relists(1)?;
        }
        scene.sim.tell(&format!("rm web/c{n}"))?;
    }
    scene.converges()?;
    scene.falls_silent(200)?;
    for n in 0..20 {
        let name = format!("web/c{n}");
        let counts = [EventType::Started, EventType::Exited].map(|t| count(&scene.reported, &name, t));
        assert_eq!((counts, scene.removals(&name)), ([1, 1], 1), "{name}: {:?} {:?}", scene.reported, scene.log);
    }
    Ok(())
}

/// Row 13: for good, one way.
#[test]
fn a_list_that_says_exited_stands_after_a_while() -> Outcome {
    for profile in ["containerd-1.6", "containerd-2", "crio"] {
        let mut scene = watching(profile, &["pod web app other"])?;
        scene.converges()?;
        scene.sim.tell("claim web/app listed exited")?;
        let exited = |t: &Reported| count(t, "web/app", EventType::Exited) == 1;
        scene.reported.wait_for("the list to stand", exited)?;
        scene.falls_silent(8)?;
        assert_eq!(count(&scene.reported, "web/app", EventType::Exited), 1, "{profile}: {:?}", scene.reported);
        assert_eq!(count(&scene.reported, "web/app", EventType::Started), 1, "{profile}: {:?}", scene.reported);
        let of_state = |e: &Event| e.event_type == EventType::Updated && e.changed & CRI_CHANGED_STATE != 0;
        assert!(scene.reported.count("web/app", of_state) <= 1, "{profile}: {:?}", scene.reported);
        assert_eq!(scene.record("web/app")?.state, State::Exited, "{profile}: the cache has the state of the list");
        let warnings = scene.warnings("web/app");
        assert_eq!((scene.counter("contradictions")?, warnings.len()), (1, 1), "{profile}: {warnings:?}");
    }
    Ok(())
}

/// Row 13: for good, the other way: of what has exited, and of what is said to have exited though it runs.
#[test]
fn a_list_that_says_running_stands_after_a_while() -> Outcome {
    for profile in ["containerd-1.6", "containerd-2", "crio"] {
        let mut scene = watching(profile, &["pod web app other"])?;
        scene.converges()?;
        scene.sim.tell("claim web/app listed running")?;
        scene.sim.tell("stop web/app")?;
        let exited = |t: &Reported| count(t, "web/app", EventType::Exited) >= 1;
        // Where there is no event, the process that is gone makes the watcher ask.
        scene.reported.wait_for("the exit", exited)?;
        let again = |t: &Reported| count(t, "web/app", EventType::Started) == 2;
        scene.reported.wait_for("the list to stand", again)?;
        scene.falls_silent(14)?;
        let counts = [EventType::Started, EventType::Exited].map(|t| count(&scene.reported, "web/app", t));
        assert_eq!(counts, [2, 1], "{profile}: {:?}", scene.reported);
        assert_eq!(scene.record("web/app")?.state, State::Running, "{profile}: the cache has what the list shows");
        assert_eq!(scene.warnings("its exit was reported").len(), 1, "{profile}");
    }
    Ok(())
}

/// Row 13, from the start: the first list shows it running, and every status says that it has exited.
#[test]
fn a_status_that_says_exited_of_what_is_listed_as_running_is_reported_once() -> Outcome {
    for profile in ["containerd-1.6", "containerd-2"] {
        let mut scene = watching(profile, &["pod web app other", "claim web/app state exited"])?;
        let again = |t: &Reported| count(t, "web/app", EventType::Started) == 2;
        scene.reported.wait_for("the list to stand", again)?;
        scene.falls_silent(16)?;
        assert_eq!(count(&scene.reported, "web/app", EventType::Exited), 1, "{profile}: {:?}", scene.reported);
        assert_eq!(count(&scene.reported, "web/app", EventType::Started), 2, "{profile}: {:?}", scene.reported);
        assert_eq!(scene.record("web/app")?.state, State::Running, "{profile}: the cache has what the list shows");
        assert_eq!(scene.warnings("web/app").len(), 1, "{profile}: {:?}", scene.warnings("web/app"));
    }
    Ok(())
}

/// A sandbox's sibling of row 13: its list says "not ready", its status "ready".
#[test]
fn a_sandbox_that_is_listed_as_not_ready_is_so() -> Outcome {
    for profile in ["containerd-1.6", "containerd-2", "crio"] {
        let mut scene = watching(profile, &["pod web app"])?;
        scene.converges()?;
        scene.sim.tell("claim web listed exited")?;
        let exited = |t: &Reported| count(t, "web", EventType::Exited) == 1;
        scene.reported.wait_for("the sandbox's end", exited)?;
        scene.falls_silent(8)?;
        assert_eq!(count(&scene.reported, "web", EventType::Exited), 1, "{profile}: {:?}", scene.reported);
        assert_eq!(count(&scene.reported, "web", EventType::Started), 1, "{profile}: {:?}", scene.reported);
        assert_eq!(scene.record("web")?.state, State::Exited, "{profile}");
        assert!(scene.warnings("default/web ").len() <= 1, "{profile}");
    }
    Ok(())
}

/// Row 5: the shim has lost its process; the engine says "running" for ever.
#[test]
fn the_pid_of_a_process_that_is_gone_is_withdrawn() -> Outcome {
    for profile in ["containerd-1.6", "containerd-2", "crio", "cri-dockerd"] {
        let mut scene = watching(profile, &["pod web app other"])?;
        scene.converges()?;
        assert!(scene.record("web/app")?.pid.is_some());
        scene.sim.tell("vanish web/app")?;
        let is_withdrawn = |e: &Event| {
            let without = e.container.as_ref().is_some_and(|c| c.pid.is_none());
            e.event_type == EventType::Updated && e.changed & CRI_CHANGED_PID != 0 && without
        };
        scene.reported.wait_for("the pid's end", |t| t.count("web/app", is_withdrawn) == 1)?;
        scene.falls_silent(10)?;
        assert_eq!(scene.reported.count("web/app", is_withdrawn), 1, "{profile}: {:?}", scene.reported);
        let app = scene.record("web/app")?;
        assert_eq!((app.state, app.pid), (State::Running, None), "{profile}: the state stays the engine's");
        assert_eq!(scene.counter("vanishedProcesses")?, 1, "{profile}");
        assert_eq!(scene.warnings("web/app").len(), 1, "{profile}: {:?}", scene.warnings(""));
        assert_eq!(count(&scene.reported, "web/app", EventType::Exited), 0, "{profile}: {:?}", scene.reported);
        assert!(scene.record("web/other")?.pid.is_some(), "{profile}");
    }
    Ok(())
}
