//! What a ready watcher reports about requests that are still unanswered.

use super::engine::Flavour;
use super::talk::{Talk, connected, listed};
use super::world::World;
use crate::model::json::Readiness;
use crate::sync::machine::Input;

const PID_WAIT: u64 = 500;

fn readiness(world: &World) -> Option<Readiness> {
    world.shared.latest().readiness
}

#[test]
fn an_early_ready_counts_the_unanswered_requests() {
    let mut world = World::new(Flavour::Containerd, |c| c.ready_pid_wait = std::time::Duration::from_millis(PID_WAIT));
    for _ in 0..30 {
        world.act(|engine, now| engine.run_pod(now));
    }
    world.watch(false).unwrap();
    world.connect().unwrap();
    world.reply_list().unwrap();
    assert_eq!(readiness(&world), None, "it waits for pids");
    world.answer(0, false).unwrap();
    world.pass(PID_WAIT).unwrap();
    assert_eq!(readiness(&world), Some(Readiness::new(false, 29)));
    let counted = || world.shared.read().status.stats.ready_unanswered;
    assert_eq!(counted(), 29);
    world.settle().unwrap();
    assert_eq!(readiness(&world), Some(Readiness::new(true, 0)));
    assert_eq!(world.shared.read().status.stats.ready_unanswered, 29, "as it was then");
}

#[test]
fn a_ready_with_all_answers_is_complete() {
    let mut world = World::new(Flavour::Containerd, |_| {});
    world.act(|engine, now| engine.run_pod(now));
    world.watch(false).unwrap();
    world.connect().unwrap();
    world.settle().unwrap();
    assert_eq!(readiness(&world), Some(Readiness::new(true, 0)));
    assert_eq!(world.shared.read().status.stats.ready_unanswered, 0);
}

#[test]
fn an_early_ready_is_logged_with_the_option_and_the_number() {
    let mut talk = Talk::new(|c| c.ready_pid_wait = std::time::Duration::from_millis(PID_WAIT));
    talk.feed(Input::Watch { packs: false });
    talk.feed(connected("containerd", "2.1.9"));
    talk.feed(listed(&["a", "b"]));
    talk.pass(PID_WAIT);
    let warning = "warn ready after 500 ms (option ready.pid_wait_ms) with 2 status requests unanswered: UPDATED events bring \
                   what is missing, such as pids, when the engine answers";
    assert!(talk.logs.iter().any(|line| line == warning), "{:?}", talk.logs);
}
