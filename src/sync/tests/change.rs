//! Tests of following another engine, or the same one at a socket that was made anew.

use super::talk::{Talk, connected};
use crate::error::{CRI_E_CONNECT, Error};
use crate::sync::machine::{Action, Input};

fn reconnects(talk: &mut Talk) -> bool {
    let actions = std::mem::take(&mut talk.actions);
    let place = |wanted: &Action| actions.iter().position(|action| action == wanted);
    let (old, new) = (place(&Action::Disconnect), place(&Action::Connect));
    new.is_some() && old < new
}

#[test]
fn a_socket_made_anew_is_connected_to_at_once() {
    let mut talk = Talk::watching("containerd", "2.1.9", &["a"]);
    talk.actions.clear();
    talk.feed(Input::SocketMade);
    assert!(reconnects(&mut talk), "without a wait");
    assert!(talk.last_state().starts_with("backoff: the engine's socket was replaced"), "{:?}", talk.states);
}

#[test]
fn failures_of_the_socket_before_say_nothing_of_the_new_one() {
    let mut talk = Talk::new(|_| {});
    talk.feed(Input::Watch { packs: false });
    let refused = || Input::ConnectFailed(Error::new(CRI_E_CONNECT, "nobody").retriable());
    for _ in 0..8 {
        talk.feed(refused());
        talk.pass(10_000);
    }
    talk.feed(refused());
    talk.actions.clear();
    talk.feed(Input::SocketMade);
    assert!(talk.actions.contains(&Action::Connect));
    // The engine does not listen yet. The next attempt comes soon, not after the longest wait.
    talk.feed(refused());
    talk.actions.clear();
    talk.pass(100);
    assert!(talk.actions.contains(&Action::Connect), "within reconnect.min_delay_ms");
}

#[test]
fn a_change_of_engine_is_a_state_with_its_reason_in_every_state() {
    let reason = || Input::Leave("the watcher changes from the engine at A to B: it has 3 sandboxes".into());
    let reported =
        |talk: &Talk| talk.states.iter().filter(|state| state.contains("changes from the engine at A to B")).count();
    let mut talk = Talk::watching("containerd", "2.1.9", &[]);
    talk.actions.clear();
    talk.feed(reason());
    assert!(reconnects(&mut talk) && reported(&talk) == 1, "{:?}", talk.states);
    talk.feed(connected("containerd", "2.1.9"));
    assert_eq!(reported(&talk), 1, "once");
    // The connection is lost already.
    let mut talk = Talk::new(|_| {});
    talk.feed(Input::Watch { packs: false });
    talk.feed(Input::ConnectFailed(Error::new(CRI_E_CONNECT, "nobody").retriable()));
    talk.feed(reason());
    assert_eq!(reported(&talk), 1, "{:?}", talk.states);
}
