//! Streams that end, break, and are shared.

use criwatch::model::*;

use crate::Outcome;
use crate::relay::Relay;
use crate::scene::Scene;
use crate::support::sim::Sim;
use crate::support::wait::PATIENCE;

/// Something happens, then the stream ends this way; what comes later is reported as well, and nothing twice.
fn goes_on_after(profile: &str, end: &str) -> Outcome {
    let mut scene = Scene::streaming(profile)?;
    scene.sim.tell("pod web app")?;
    scene.reported.wait_for_events("web/app", "STARTED")?;
    let subscriptions = scene.sim.stat("subscriptions")?;
    scene.sim.tell(end)?;
    // Into the gap, or after it.
    scene.sim.tell("create web job -- true")?;
    scene.sim.tell("start job")?;
    scene.sim.tell("stop app")?;
    scene.sim.tell(&format!("wait-subscribed {}", subscriptions + 1))?;
    scene.wait_for_state(WatcherState::Watching)?;
    scene.converges()?;
    let reported = scene.stories();
    let reported: Vec<_> = reported.iter().map(|(name, s)| (name.as_str(), s.replace("(synthetic)", ""))).collect();
    let once = |s: &str| s.to_owned();
    assert_eq!(
        reported,
        [("web", once("STARTED")), ("web/app", once("STARTED EXITED")), ("web/job", once("STARTED EXITED"))],
        "{:?}",
        scene.reported
    );
    // The new stream is drained: containerd's would block otherwise, after 100 events.
    for n in 0..30 {
        scene.sim.tell(&format!("pod later-{n} app"))?;
    }
    scene.converges()?;
    assert_eq!(scene.counter("connects")?, 1, "the connection was not at fault");
    Ok(())
}

#[test]
fn an_end_without_an_error_after_events_is_not_the_end_of_events() -> Outcome {
    goes_on_after("containerd-2", "fault end-stream")?;
    // CRI-O's way to say goodbye, and, without events, to say that there will be none.
    goes_on_after("crio", "fault end-stream")
}

#[test]
fn a_stream_that_breaks_is_opened_again() -> Outcome {
    goes_on_after("containerd-2", "fault break-stream")
}

fn through_a_relay() -> Outcome<(Scene, Relay)> {
    let sim = Sim::start(&[])?;
    let relay = Relay::to(&sim)?;
    let mut scene = Scene::watching_through(&relay.endpoint(), sim, &[])?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    scene.events_arrive()?;
    scene.sim.tell("pod web app")?;
    scene.reported.wait_for_events("web/app", "STARTED")?;
    Ok((scene, relay))
}

#[test]
fn a_connection_may_break_in_the_middle_of_an_event() -> Outcome {
    let (mut scene, relay) = through_a_relay()?;
    relay.cut_the_next_message();
    scene.sim.tell("stop app")?;
    scene.wait_for_counter("connects", 2)?;
    scene.wait_for_state(WatcherState::Watching)?;
    scene.ends_with(&[("web", "STARTED"), ("web/app", "STARTED EXITED(synthetic)")])?;
    let exit = scene.reported.newest("web/app").exit.clone().unwrap_or_default();
    assert_eq!(exit.code, Some(143));
    assert_eq!(scene.counter("blindWindows")?, 1);
    Ok(())
}

#[test]
fn enhance_your_calm_is_one_more_lost_connection() -> Outcome {
    let (mut scene, relay) = through_a_relay()?;
    relay.enhance_your_calm()?;
    scene.wait_for_counter("connects", 2)?;
    scene.wait_for_state(WatcherState::Watching)?;
    scene.sim.tell("stop app")?;
    scene.reported.wait_for("the exit", |t| t.stories().iter().any(|(n, s)| n == "web/app" && s.contains("EXITED")))?;
    scene.converges()?;
    assert_eq!(scene.reported.count("web/app", |e| e.event_type == EventType::Exited), 1);
    assert_eq!(scene.reported.count("web/app", |e| e.event_type == EventType::Started), 1);
    assert_eq!(scene.counter("blindWindows")?, 1);
    Ok(())
}

/// On containerd 1.7 each subscriber gets what the others do not.
#[test]
fn subscribers_that_compete_miss_nothing_in_the_end() -> Outcome {
    let mut scene = Scene::ready("containerd-1.7", &[("relist.interval_ms", "300")])?;
    let why = scene.engine()?["eventsReason"].to_string();
    assert!(why.contains("to one subscriber only"), "{why}");
    let rival = crate::scene::watcher(scene.sim.endpoint(), &[("relist.interval_ms", "300")])?;
    let mut rivals = crate::reported::Reported::by(rival.subscribe(0, 0, 0)?);
    rival.start()?;
    rival.wait_ready(Some(PATIENCE))?;
    scene.sim.tell("wait-subscribed 2")?;
    let mut expected = Vec::new();
    for n in 0..8 {
        scene.sim.tell(&format!("pod web-{n} app"))?;
        scene.sim.tell(&format!("create web-{n} job -- true"))?;
        scene.sim.tell(&format!("start web-{n}/job"))?;
        expected.extend([(format!("web-{n}"), "STARTED"), (format!("web-{n}/app"), "STARTED")]);
        expected.push((format!("web-{n}/job"), "STARTED EXITED"));
    }
    scene.converges()?;
    rival.resync(Some(PATIENCE))?;
    rivals.drain();
    let plain = |reported: Vec<(String, String)>| {
        reported.into_iter().map(|(name, story)| (name, story.replace("(synthetic)", ""))).collect::<Vec<_>>()
    };
    let expected: Vec<_> = expected.into_iter().map(|(name, story)| (name, story.to_owned())).collect();
    assert_eq!(plain(scene.stories()), expected);
    assert_eq!(plain(rivals.stories()), expected);
    let (ours, theirs) = (scene.counter("engineEvents")?, rivals.events.len());
    assert!(ours < scene.sim.stat("events")? && theirs > 0, "nothing was taken from us: {ours}");
    Ok(())
}
