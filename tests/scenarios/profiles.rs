//! What is particular to one engine or another: who is polled and why, which pids are reported, what an `info` lacks.

use criwatch::model::*;

use crate::Outcome;
use crate::scene::Scene;

const POLL: &[(&str, &str)] = &[("poll.interval_ms", "50"), ("relist.interval_ms", "200")];

/// Lives through a pod on an engine that has to be polled, which says so.
fn is_polled(profile: &str, why: &str, calls: u64) -> Outcome {
    let mut scene = Scene::ready(profile, POLL)?;
    scene.wait_for_state(WatcherState::Polling)?;
    let engine = scene.engine()?;
    assert_eq!(engine["events"], "poll", "{profile}");
    assert!(engine["eventsReason"].as_str().is_some_and(|reason| reason.contains(why)), "{engine}");
    scene.sim.tell("pod web app")?;
    scene.reported.wait_for_events("web/app", "STARTED(synthetic)")?;
    scene.sim.tell("stop app")?;
    scene.reported.wait_for_events("web/app", "STARTED(synthetic) EXITED(synthetic)")?;
    scene.sim.tell("create web job -- true")?;
    scene.sim.tell("start job")?;
    scene.sim.tell("wait job exited")?;
    let stories = [
        ("web", "STARTED(synthetic)"),
        ("web/app", "STARTED(synthetic) EXITED(synthetic)"),
        ("web/job", "STARTED(synthetic) EXITED(synthetic)"),
    ];
    scene.ends_with(&stories)?;
    scene.sim.tell("rm-pod web")?;
    scene.ends_with(&[("web", "STARTED(synthetic) EXITED(synthetic)"), stories[1], stories[2]])?;
    assert_eq!(scene.sim.stat("GetContainerEvents")?, calls, "{profile}");
    assert_eq!(scene.sim.stat("subscriptions")?, 0, "{profile}");
    assert_eq!(scene.counter("blindWindows")?, 1, "{profile}: polling is one");
    Ok(())
}

#[test]
fn containerd_1_6_is_polled_unasked() -> Outcome {
    is_polled("containerd-1.6", "containerd before 1.7 has no container events", 0)
}

#[test]
fn crio_1_30_is_polled_and_never_subscribed_to() -> Outcome {
    is_polled("crio-1.30", "can crash when a subscriber leaves", 0)
}

#[test]
fn crio_without_events_is_polled_and_says_what_to_set() -> Outcome {
    is_polled("crio-events-off", "set enable_pod_events=true", 1)
}

#[test]
fn cri_dockerd_is_polled() -> Outcome {
    is_polled("cri-dockerd", "method GetContainerEvents not implemented", 1)
}

#[test]
fn events_can_be_insisted_on_and_refused() -> Outcome {
    let mut insisted = Scene::ready("containerd-1.6", &[("events", "stream"), ("poll.interval_ms", "50")])?;
    insisted.wait_for_state(WatcherState::Polling)?;
    insisted.converges()?;
    assert_eq!(insisted.sim.stat("GetContainerEvents")?, 1);
    let crio = Scene::ready("crio-1.30", &[("events", "stream")])?;
    crio.wait_for_state(WatcherState::Watching)?;
    let mut refused = Scene::ready("containerd-2", &[("events", "poll"), ("poll.interval_ms", "50")])?;
    refused.wait_for_state(WatcherState::Polling)?;
    refused.sim.tell("pod web app")?;
    refused.ends_with(&[("web", "STARTED(synthetic)"), ("web/app", "STARTED(synthetic)")])?;
    assert_eq!(refused.sim.stat("GetContainerEvents")?, 0);
    Ok(())
}

/// Pods that have no process, or of which the engine reports none: each is asked about once.
#[test]
fn pods_without_a_pid_are_not_asked_about_for_ever() -> Outcome {
    for profile in ["crio", "crio-1.30", "cri-dockerd"] {
        let mut scene = Scene::ready(profile, POLL)?;
        for n in 0..5 {
            scene.sim.tell(&format!("pod web-{n} app"))?;
        }
        scene.converges()?;
        // What is not urgent is asked for one after the other.
        scene.wait_until_nothing_is_open()?;
        let asked = (scene.sim.stat("PodSandboxStatus")?, scene.sim.stat("ContainerStatus")?);
        assert!(asked.1 >= 5, "{profile}: {asked:?}");
        assert_eq!(asked.0, 5, "{profile}");
        scene.wait_for_counter("lists", scene.counter("lists")? + 5)?;
        scene.converges()?;
        for c in scene.watcher.containers()? {
            assert_eq!((c.pid.is_some(), c.missing), (c.kind == Kind::Container, 0), "{profile}: {c:?}");
        }
        scene.wait_until_nothing_is_open()?;
        let again = (scene.sim.stat("PodSandboxStatus")?, scene.sim.stat("ContainerStatus")?);
        assert_eq!(again, asked, "{profile}");
    }
    Ok(())
}

/// containerd 2.3 sends an `info` with pid 0 where none was asked for.
#[test]
fn pods_of_containerd_have_the_pids_that_it_reports() -> Outcome {
    for profile in ["containerd-1.6", "containerd-1.7", "containerd-2", "containerd-2.3"] {
        let mut scene = Scene::ready(profile, POLL)?;
        scene.sim.tell("pod web app")?;
        scene.converges()?;
        let there = scene.sim.living()?;
        let reported: Vec<_> = scene.watcher.containers()?.iter().map(|c| (c.id.to_string(), c.pid)).collect();
        assert!(
            there.iter().all(|thing| reported.contains(&(thing.id.clone(), Some(thing.pid)))),
            "{profile}: {reported:?}"
        );
        assert_eq!(reported.len(), 2, "{profile}");
    }
    Ok(())
}

/// CRI-O reports the former pid of what has exited, and one of what is not started yet.
#[test]
fn a_pid_is_believed_only_of_what_runs() -> Outcome {
    let mut scene = Scene::streaming("crio")?;
    scene.sim.tell("run-pod web")?;
    scene.sim.tell("create web job -- true")?;
    scene.sim.tell("fault drop-events 2")?;
    scene.sim.tell("start job")?;
    scene.sim.tell("wait job exited")?;
    // STOPPED comes a moment after the end.
    scene.sim.tell("sleep 100ms")?;
    scene.sim.tell("fault drop-events 0")?;
    scene.ends_with_after_resync(&[("web", "STARTED"), ("web/job", "STARTED(synthetic) EXITED(synthetic)")])?;
    let ever = |e: &Event| e.container.as_ref().is_some_and(|c| c.pid.is_some());
    assert_eq!(scene.reported.count("web/job", ever), 0, "{:?}", scene.reported);
    let job = scene.sim.things()?.into_iter().find(|thing| thing.path.ends_with("/job")).ok_or("no job")?;
    assert!(job.pid > 0, "the engine does tell one");
    scene.sim.tell("create web idle")?;
    scene.hears_all_but(2)?;
    scene.converges()?;
    scene.sim.tell("start idle")?;
    scene.reported.wait_for_events("web/idle", "STARTED")?;
    scene.converges()
}
