//! An engine whose bytes are not what HTTP/2, gRPC or CRI allow: whatever comes of them, the watcher neither panics nor
//! hangs, and sees what is there as soon as the bytes are right.

use criwatch::model::{Kind, WatcherState};

use crate::Outcome;
use crate::relay::Relay;
use crate::scene::Scene;
use crate::support::sim::Sim;
use crate::support::wait::{self, PATIENCE};

/// `CRI_GARBLE_SEED` repeats a run, `CRI_GARBLE_ROUNDS` makes it longer.
#[test]
fn bytes_that_no_engine_sends_are_survived() -> Outcome {
    let number = |key: &str| std::env::var(key).ok().and_then(|n| n.parse::<u64>().ok());
    let seed = number("CRI_GARBLE_SEED").unwrap_or_else(|| std::process::id().into());
    let rounds = number("CRI_GARBLE_ROUNDS").unwrap_or(6);
    println!("CRI_GARBLE_SEED={seed}");
    let sim = Sim::start(&[])?;
    let relay = Relay::to(&sim)?;
    let options = [
        ("connect.timeout_ms", "300"),
        ("request.timeout_ms", "300"),
        ("reconnect.min_delay_ms", "10"),
        ("reconnect.max_delay_ms", "50"),
        ("relist.interval_ms", "200"),
    ];
    let mut scene = Scene::watching_through(&relay.endpoint(), sim, &options)?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    for round in 0..rounds {
        relay.garble(seed + round);
        scene.sim.tell(&format!("pod web{round} app"))?;
        wait::for_condition("garbled frames", PATIENCE, || relay.garbled() >= 12)?;
        scene.sim.tell(&format!("stop web{round}/app"))?;
        assert_ne!(scene.watcher.state(), WatcherState::Stopped, "a panic");
        relay.be_honest();
        shows_what_is(&mut scene)?;
    }
    let stats = scene.watcher.stats()?;
    scene.watcher.stop()?;
    println!("{stats}");
    Ok(())
}

/// What was reported may be as wrong as the bytes were; but everything that was reported as begun and is not there has ended.
fn shows_what_is(scene: &mut Scene) -> Outcome {
    // The first list may still fail with the connection that was closed.
    let resynced = || scene.watcher.resync(Some(PATIENCE)).is_ok();
    wait::for_condition("a list", PATIENCE, resynced)?;
    scene.reported.drain().is_well_formed()?;
    let mut there: Vec<String> = scene.sim.living()?.into_iter().map(|thing| thing.id).collect();
    let cache = scene.watcher.containers()?;
    let mut shown: Vec<String> = cache.iter().map(|c| c.id.to_string()).collect();
    there.sort();
    shown.sort();
    assert_eq!(shown, there, "the cache; reported:\n{:?}", scene.reported);
    let mut living: Vec<String> = scene.reported.living().into_iter().collect();
    living.sort();
    assert_eq!(living, there, "what consumers know of; reported:\n{:?}", scene.reported);
    assert!(cache.iter().all(|c| c.kind == Kind::Sandbox || c.pid.is_some() || c.missing != 0), "{cache:?}");
    Ok(())
}
