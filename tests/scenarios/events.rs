//! Events as engines really send them: late, early, twice, bare, and with nonsense in them.

use criwatch::model::*;

use crate::Outcome;
use crate::reported::{Reported, is_sequence};
use crate::scene::Scene;
use crate::support::wait::PATIENCE;

/// A job that ends at once is created in a pod; its start is yet to come.
fn with_a_job(profile: &str) -> Outcome<Scene> {
    let mut scene = Scene::streaming(profile)?;
    scene.sim.tell("run-pod web")?;
    scene.sim.tell("create web job -- true")?;
    Ok(scene)
}

const JOB: &[(&str, &str)] = &[("web", "STARTED"), ("web/job", "STARTED EXITED(?)")];

fn ended_well(scene: &Scene, name: &str) {
    let exit = scene.reported.newest(name).exit.clone().unwrap_or_default();
    assert_eq!((exit.code, &*exit.reason), (Some(0), "Completed"), "{:?}", scene.reported);
}

#[test]
fn started_may_carry_exited() -> Outcome {
    let mut scene = with_a_job("containerd-2")?;
    scene.sim.tell("fault drop-events 2")?;
    scene.sim.tell("start job")?;
    scene.sim.tell("wait job exited")?;
    scene.sim.tell("fault drop-events 0")?;
    scene.sim.tell("tell started job")?;
    scene.ends_with(JOB)?;
    ended_well(&scene, "web/job");
    Ok(())
}

#[test]
fn stopped_may_come_before_started() -> Outcome {
    for profile in ["containerd-2", "crio"] {
        let mut scene = with_a_job(profile)?;
        scene.sim.tell("fault reorder-events on")?;
        scene.sim.tell("start job")?;
        scene.ends_with(JOB)?;
        scene.sim.tell("fault reorder-events off")?;
        // And once more, when all is over.
        scene.sim.tell("tell started job")?;
        scene.sim.tell("tell stopped job")?;
        scene.hears_all_but(0)?;
        scene.ends_with(JOB)?;
        ended_well(&scene, "web/job");
    }
    Ok(())
}

#[test]
fn deleted_may_come_before_stopped() -> Outcome {
    let mut scene = Scene::streaming("containerd-2")?;
    scene.sim.tell("pod web app")?;
    scene.reported.wait_for_events("web/app", "STARTED")?;
    scene.sim.tell("fault reorder-events on")?;
    scene.sim.tell("rm app")?;
    scene.reported.wait_for("the exit", |t| t.stories().iter().any(|(n, s)| n == "web/app" && s.contains("EXITED")))?;
    scene.converges()?;
    // How it ended was in the event that came too late.
    assert_eq!(scene.reported.count("web/app", |e| e.event_type == EventType::Exited), 1);
    let exit = scene.reported.newest("web/app").exit.clone().unwrap_or_default();
    assert_eq!(exit.code, Some(137), "{:?}", scene.reported);
    Ok(())
}

#[test]
fn deleted_may_be_sent_for_what_still_runs() -> Outcome {
    let mut scene = Scene::streaming("containerd-2")?;
    scene.sim.tell("pod web app")?;
    scene.sim.tell("tell deleted app")?;
    scene.sim.tell("tell deleted web")?;
    scene.hears_all_but(0)?;
    scene.ends_with(&[("web", "STARTED"), ("web/app", "STARTED")])
}

fn runs_without(left_out: &str) -> Outcome {
    let mut scene = Scene::streaming("containerd-2")?;
    scene.sim.tell(&format!("fault statusless {left_out}"))?;
    // Each event is waited for, so that each is the first to report the container.
    scene.sim.tell("run-pod web")?;
    scene.reported.wait_for_events("web", "STARTED")?;
    scene.sim.tell("create web app")?;
    scene.sim.tell("start app")?;
    scene.reported.wait_for_events("web/app", "STARTED")?;
    scene.sim.tell("stop app")?;
    let exited =
        |name: &'static str| move |t: &Reported| t.stories().iter().any(|(n, s)| n == name && s.contains("EXITED"));
    scene.reported.wait_for("the exit", exited("web/app"))?;
    scene.sim.tell("rm app")?;
    scene.sim.tell("create web job -- true")?;
    scene.sim.tell("start job")?;
    scene.reported.wait_for("the exit", exited("web/job"))?;
    scene.sim.tell("rm-pod web")?;
    scene.reported.wait_for("the exit", exited("web"))?;
    scene.converges()?;
    let reported = scene.stories();
    for (name, story) in &reported {
        assert!(story.starts_with("STARTED") && story.split(' ').count() == 2, "{name}: {story}; {:?}", scene.reported);
    }
    assert_eq!(reported.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["web", "web/app", "web/job"]);
    Ok(())
}

#[test]
fn the_sandboxs_status_may_be_absent() -> Outcome {
    runs_without("sandbox")
}

/// The run is over before anybody could be asked which pod it was in.
#[test]
fn the_pod_of_a_short_run_may_become_known_late() -> Outcome {
    let mut scene = with_a_job("containerd-2")?;
    scene.sim.tell("fault slow 300ms")?;
    scene.sim.tell("fault statusless sandbox")?;
    scene.sim.tell("create web brief -- true")?;
    scene.sim.tell("start brief")?;
    let is_reported =
        |e: &Event| e.event_type == EventType::Exited && e.container.as_ref().is_some_and(|c| c.pod.is_none());
    scene.reported.wait_for("the exit, without a pod", |t| t.events.iter().any(is_reported))?;
    let is_news = |e: &Event| e.event_type == EventType::Updated && e.changed & CRI_CHANGED_POD != 0;
    scene.reported.wait_for("the pod", |t| t.count("web/brief", is_news) == 1)?;
    scene.sim.tell("fault slow off")?;
    scene.ends_with(&[("web", "STARTED"), ("web/brief", "STARTED EXITED(?)")])?;
    assert_eq!(scene.reported.count("web/brief", is_news), 1);
    Ok(())
}

#[test]
fn all_statuses_may_be_absent() -> Outcome {
    runs_without("on")
}

/// CRI-O looks for the containers of an event by the pod's uid as label.
#[test]
fn no_statuses_does_not_mean_no_containers() -> Outcome {
    let mut scene = Scene::streaming("crio")?;
    scene.sim.tell("run-pod web")?;
    scene.sim.tell("create web app label=io.kubernetes.pod.uid=another")?;
    scene.sim.tell("start app")?;
    scene.reported.wait_for_events("web/app", "STARTED")?;
    // The events of a second one do not show the first one either.
    scene.sim.tell("create web sidecar")?;
    scene.sim.tell("start sidecar")?;
    scene.ends_with(&[("web", "STARTED"), ("web/app", "STARTED"), ("web/sidecar", "STARTED")])
}

#[test]
fn a_sandbox_may_be_listed_after_its_end_was_reported() -> Outcome {
    let mut scene = Scene::streaming("containerd-2")?;
    scene.sim.tell("pod web app")?;
    scene.sim.tell("stop-pod web")?;
    scene.sim.tell("wait web notready")?;
    let stories = [("web", "STARTED EXITED(?)"), ("web/app", "STARTED EXITED(?)")];
    scene.ends_with(&stories)?;
    scene.sim.tell("tell deleted web")?;
    scene.hears_all_but(0)?;
    scene.ends_with(&stories)?;
    scene.sim.tell("rm-pod web")?;
    scene.ends_with(&stories)
}

#[test]
fn a_sandbox_may_get_no_deleted_event() -> Outcome {
    let mut scene = Scene::streaming("crio")?;
    scene.sim.tell("pod web app")?;
    scene.reported.wait_for_events("web/app", "STARTED")?;
    scene.sim.tell("stop-pod web")?;
    let stories = [("web", "STARTED EXITED(?)"), ("web/app", "STARTED EXITED(?)")];
    scene.ends_with(&stories)?;
    scene.sim.tell("rm-pod web")?;
    scene.ends_with(&stories)?;
    // Its tombstones are kept, and nothing is asked about them.
    let questions = scene.questions()?;
    scene.resync()?;
    assert_eq!(scene.questions()?, questions);
    Ok(())
}

#[test]
fn a_pod_may_be_removed_with_all_that_runs_in_it() -> Outcome {
    for profile in ["containerd-2", "containerd-1.7", "crio"] {
        let mut scene = Scene::streaming(profile)?;
        scene.sim.tell("pod web app sidecar")?;
        scene.reported.wait_for_events("web/sidecar", "STARTED")?;
        scene.reported.wait_for_events("web/app", "STARTED")?;
        scene.sim.tell("rm-pod web")?;
        scene.converges()?;
        let reported = scene.stories();
        let ended = |(_, story): &(String, String)| is_sequence(story, "STARTED EXITED(?)");
        assert!(reported.len() == 3 && reported.iter().all(ended), "{profile}: {:?}", scene.reported);
    }
    Ok(())
}

#[test]
fn times_may_be_nonsense() -> Outcome {
    // Go's zero time: in the status of a sandbox that is deleted, and where cri-dockerd knows no time.
    for profile in ["containerd-2", "cri-dockerd"] {
        let mut scene = Scene::ready(profile, &[("poll.interval_ms", "50")])?;
        scene.sim.tell("pod web app")?;
        scene.sim.tell("create web idle")?;
        let reported = |name: &'static str, what: &'static str| {
            move |t: &Reported| t.stories().iter().any(|(n, s)| n == name && s.contains(what))
        };
        scene.reported.wait_for("a start", reported("web/app", "STARTED"))?;
        scene.reported.wait_for("a start", reported("web", "STARTED"))?;
        scene.sim.tell("rm-pod web")?;
        scene.reported.wait_for("an end", reported("web/app", "EXITED"))?;
        scene.reported.wait_for("an end", reported("web", "EXITED"))?;
        scene.converges()?;
        for event in &scene.reported.events {
            let of = event.container.iter().flat_map(|c| [c.created_at, c.started_at, c.finished_at]);
            let of = of.chain(event.container.iter().filter_map(|c| c.pod.as_ref()).map(|pod| pod.created_at));
            assert!(event.time > 0 && of.flatten().all(|time| time > 0), "{profile}: {event:?}");
        }
    }
    Ok(())
}

/// An event that says it is of 1912 is a hint, and no more.
#[test]
fn events_of_negative_times_are_asked_about() -> Outcome {
    let mut scene = Scene::streaming("containerd-2")?;
    scene.sim.tell("fault drop-events 4")?;
    scene.sim.tell("pod web app")?;
    scene.sim.tell("fault clock-step -1000000h")?;
    scene.sim.tell("tell started web")?;
    scene.sim.tell("tell started app")?;
    scene
        .reported
        .wait_for("a start", |t| t.stories().iter().filter(|(_, s)| s == "STARTED(synthetic)").count() == 2)?;
    scene.ends_with(&[("web", "STARTED(synthetic)"), ("web/app", "STARTED(synthetic)")])
}

#[test]
fn the_engines_clock_may_step_back_an_hour() -> Outcome {
    let mut scene = Scene::streaming("containerd-2")?;
    scene.sim.tell("pod web app")?;
    scene.reported.wait_for_events("web/app", "STARTED")?;
    scene.sim.tell("fault clock-step -1h")?;
    scene.sim.tell("stop app")?;
    scene.sim.tell("create web job -- true")?;
    scene.sim.tell("start job")?;
    scene.sim.tell("wait job exited")?;
    let lists = scene.sim.stat("ListContainers")?;
    scene.reported.wait_for("the ends", |t| t.stories().iter().filter(|(_, s)| s.contains("EXITED")).count() == 2)?;
    assert_eq!(scene.sim.stat("ListContainers")?, lists, "a few hints need no list");
    scene.sim.tell("fault clock-step 1h")?;
    scene.sim.tell("create web after")?;
    scene.sim.tell("start after")?;
    scene.ends_with(&[
        ("web", "STARTED"),
        ("web/after", "STARTED"),
        ("web/app", "STARTED EXITED(synthetic)"),
        ("web/job", "STARTED(synthetic) EXITED(synthetic)"),
    ])
}

#[test]
fn events_sent_twice_cause_nothing_new() -> Outcome {
    let mut scene = Scene::streaming("containerd-2")?;
    scene.sim.tell("fault duplicate-events on")?;
    scene.sim.tell("pod web app")?;
    scene.sim.tell("create web job -- true")?;
    scene.sim.tell("start job")?;
    scene.reported.wait_for_events("web/job", "STARTED EXITED(?)")?;
    scene.sim.tell("rm-pod web")?;
    scene.ends_with(&[
        ("web", "STARTED EXITED(?)"),
        ("web/app", "STARTED EXITED(?)"),
        ("web/job", "STARTED EXITED(?)"),
    ])?;
    let questions = scene.questions()?;
    let replayed = scene.counter("engineEvents")?;
    // All of the above once more, when it is over.
    scene.sim.tell("fault replay 1000")?;
    scene.wait_for_counter("engineEvents", replayed + 20)?;
    scene.ends_with(&[
        ("web", "STARTED EXITED(?)"),
        ("web/app", "STARTED EXITED(?)"),
        ("web/job", "STARTED EXITED(?)"),
    ])?;
    // Events of a moment are settled by one request. On a busy machine, they may come one by one.
    let (asked, events) = (scene.questions()? - questions, scene.counter("engineEvents")? - replayed);
    assert!(asked < events, "{asked} requests for {events} events");
    Ok(())
}

#[test]
fn lost_events_are_made_up_for_by_lists() -> Outcome {
    let mut scene = with_a_job("containerd-2")?;
    scene.sim.tell("create web app")?;
    scene.sim.tell("create web broken -- no-such-program")?;
    scene.sim.tell("fault drop-events 3")?;
    scene.sim.tell("start job")?;
    scene.sim.tell("wait job exited")?;
    scene.sim.tell("start app")?;
    scene.sim.tell("fault drop-events 0")?;
    assert!(scene.sim.tell("start broken").unwrap_err().contains("executable file not found"));
    scene.ends_with_after_resync(&[
        ("web", "STARTED"),
        ("web/app", "STARTED(synthetic)"),
        // A failed start is never reported by events.
        ("web/broken", "EXITED(synthetic,never-started)"),
        ("web/job", "STARTED(synthetic) EXITED(synthetic)"),
    ])?;
    let broken = scene.reported.newest("web/broken").exit.clone().unwrap_or_default();
    assert_eq!((broken.code, &*broken.reason), (Some(128), "StartError"));
    Ok(())
}

#[test]
fn a_reason_that_changes_late_is_updated_once() -> Outcome {
    let mut scene = Scene::streaming("containerd-2")?;
    scene.sim.tell("pod web app error")?;
    scene.reported.wait_for_events("web/error", "STARTED")?;
    scene.reported.wait_for_events("web/app", "STARTED")?;
    scene.sim.tell("oom app")?;
    scene.sim.tell("kill error KILL")?;
    let is_confirmed = |e: &Event| {
        let is_update = e.event_type == EventType::Updated && e.changed & CRI_CHANGED_EXIT != 0;
        assert_eq!(is_update, e.flags & CRI_EVENT_FLAG_CONFIRMED != 0, "an update of an exit that was not final");
        is_update
    };
    for (name, reason) in [("web/app", "OOMKilled"), ("web/error", "Error")] {
        let confirmed = |t: &Reported| t.count(name, is_confirmed) == 1;
        scene.reported.wait_for("the last event on the exit", confirmed)?;
        let exits = scene.reported.events.iter().filter(|e| e.event_type == EventType::Exited);
        let first =
            exits.filter(|e| e.container.as_ref().is_some_and(|c| c.path().ends_with(name))).collect::<Vec<_>>();
        assert_eq!(first.len(), 1);
        // On a busy machine the host shows the end before the event comes: then it is synthetic, too.
        assert_ne!(first[0].flags & CRI_EVENT_FLAG_PROVISIONAL, 0);
        assert_eq!(first[0].container.as_ref().and_then(|c| c.exit.as_ref()).map(|e| &*e.reason), Some("Error"));
        let exit = scene.reported.newest(name).exit.clone().unwrap_or_default();
        assert_eq!((exit.code, &*exit.reason), (Some(137), reason));
    }
    scene.ends_with(&[("web", "STARTED"), ("web/app", "STARTED EXITED(?)"), ("web/error", "STARTED EXITED(?)")])?;
    scene.watcher.resync(Some(PATIENCE))?;
    scene.reported.drain();
    assert_eq!(
        (scene.reported.count("web/app", is_confirmed), scene.reported.count("web/error", is_confirmed)),
        (1, 1)
    );
    Ok(())
}
