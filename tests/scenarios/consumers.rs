//! Consumers that are slow, blocked, or come late.

use criwatch::hub::Next;
use criwatch::model::*;

use crate::Outcome;
use crate::reported::Reported;
use crate::scene::Scene;

/// 48 MiB of events: three times the window, and containerd waits for those who do not read. The answer of `replay`
/// comes when the queue has taken them all.
#[test]
fn a_consumer_that_never_reads_is_in_nobodys_way() -> Outcome {
    let mut scene = Scene::streaming("containerd-2")?;
    let blocked = scene.watcher.subscribe(0, 0, 8)?;
    scene.sim.tell(&format!("run-pod big annotation=words={}", "x".repeat(96 << 10)))?;
    scene.reported.wait_for_events("big", "STARTED")?;
    let heard = scene.counter("engineEvents")?;
    for _ in 0..256 {
        assert_eq!(scene.sim.tell("fault replay 2")?, "ok fault events=2");
    }
    for n in 0..30 {
        scene.sim.tell(&format!("pod web-{n} app"))?;
    }
    scene.wait_for_counter("engineEvents", heard + 512 + 120)?;
    // The other consumer missed nothing.
    scene.converges()?;
    assert_eq!(scene.stories().len(), 1 + 60);
    // Now it reads: what it lost is counted, and what runs is shown.
    let mut late = Reported::by(blocked);
    late.drain();
    let lost: u64 = late.events.iter().map(|e| e.lost).sum();
    assert!(lost > 8, "{late:?}");
    assert_eq!(scene.counter("eventsLost")?, lost);
    assert_eq!(late.living(), scene.reported.living());
    Ok(())
}

#[test]
fn a_tiny_queue_overflows_and_knows_the_right_set_in_the_end() -> Outcome {
    let mut scene = Scene::streaming("containerd-2")?;
    let queue = scene.watcher.subscribe(0, 0, 2)?;
    let mut tiny = Reported::by(queue);
    tiny.drain();
    for round in 0..10 {
        scene.sim.tell(&format!("pod web-{round} app"))?;
        scene.sim.tell(&format!("create web-{round} job -- true"))?;
        scene.sim.tell(&format!("start web-{round}/job"))?;
        scene.sim.tell(&format!("wait web-{round}/job exited"))?;
        if round > 4 {
            scene.sim.tell(&format!("rm-pod web-{}", round - 5))?;
        }
        scene.converges()?;
        if round % 3 == 2 {
            tiny.drain();
            assert_eq!(tiny.living(), scene.reported.living(), "{tiny:?}");
        }
    }
    tiny.drain();
    assert_eq!(tiny.living(), scene.reported.living());
    let types: Vec<_> = tiny.events.iter().map(|e| e.event_type).collect();
    let overflows = types.iter().filter(|t| **t == EventType::Overflow).count();
    let replays = types.iter().filter(|t| **t == EventType::ReplayBegin).count();
    assert!(overflows > 1 && replays == overflows + 1, "{tiny:?}");
    for (n, _) in types.iter().enumerate().filter(|(_, t)| **t == EventType::Overflow) {
        assert_eq!(types[n + 1], EventType::ReplayBegin, "{tiny:?}");
    }
    assert!(tiny.events.is_sorted_by(|a, b| a.seq < b.seq));
    Ok(())
}

#[test]
fn a_late_consumer_is_shown_what_runs() -> Outcome {
    let mut scene = Scene::streaming("containerd-2")?;
    scene.sim.tell("pod web app")?;
    scene.sim.tell("create web job -- true")?;
    scene.sim.tell("start job")?;
    scene.reported.wait_for_events("web/job", "STARTED EXITED(?)")?;
    scene.reported.wait_for_events("web/app", "STARTED")?;
    let mut late = Reported::by(scene.watcher.subscribe(0, 0, 0)?);
    let mut live_only = Reported::by(scene.watcher.subscribe(0, CRI_SUBSCRIBE_LIVE_ONLY, 0)?);
    late.drain();
    assert_eq!(late.living(), scene.reported.living());
    assert!(late.stories().iter().all(|(_, story)| story == "STARTED(initial)"), "{late:?}");
    scene.sim.tell("stop app")?;
    late.wait_for_events("web/app", "STARTED(initial) EXITED")?;
    live_only.wait_for_events("web/app", "EXITED")?;
    assert_eq!(live_only.events.iter().filter(|e| e.event_type != EventType::Updated).count(), 1);
    scene.converges()
}

#[test]
fn the_end_closes_every_queue_after_what_is_in_it() -> Outcome {
    let mut scene = Scene::streaming("containerd-2")?;
    let queue = scene.watcher.subscribe(0, 0, 0)?;
    scene.sim.tell("pod web app")?;
    scene.converges()?;
    scene.watcher.stop()?;
    let mut states = Vec::new();
    loop {
        match queue.next(None) {
            Next::Event(event) => states.push(event.state),
            Next::Closed => break,
            Next::Again => return Err("a wait for ever that did not wait".into()),
        }
    }
    assert_eq!(states.last(), Some(&WatcherState::Stopped));
    Ok(())
}
