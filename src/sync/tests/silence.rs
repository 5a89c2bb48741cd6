//! Engines that do not answer, and event streams that report nothing.

use super::talk::{Talk, connected, list_failed, listed, started};
use crate::cri::StreamItem;
use crate::error::{CRI_E_RPC, CRI_E_TIMEOUT, Error};
use crate::model::*;
use crate::portfolio::Millis;
use crate::sync::machine::Input;

/// The option request.timeout_ms, by default.
const TIMEOUT: Millis = 10_000;

fn containerd() -> Talk {
    let mut talk = Talk::watching("containerd", "2.1.9", &["a"]);
    // The subscription is proven, and is settled when the next list begins.
    talk.pass(500);
    talk.feed(Input::Stream(StreamItem::Open));
    talk.feed(listed(&["a"]));
    talk.pass(60_000);
    talk.feed(listed(&["a"]));
    assert_eq!(talk.last_state(), "watching: the engine streams events");
    talk.lists();
    talk
}

fn unanswered(what: &str) -> Error {
    Error::new(CRI_E_TIMEOUT, format!("{what}: no answer from the engine within {TIMEOUT} ms")).retriable()
}

const STATUS: &str = "ContainerStatus: no answer from the engine within 10000 ms";

/// An engine that is frozen while a status request is under way.
fn frozen() -> Talk {
    let mut talk = containerd();
    let start = started(&talk, "b");
    talk.feed(start);
    let request = talk.requests.pop().expect("its pid is asked for");
    talk.lists();
    talk.pass(TIMEOUT);
    talk.feed(Input::Answered(request, Err(unanswered("ContainerStatus"))));
    assert_eq!(talk.last_state(), format!("backoff: {STATUS}"));
    assert!(talk.lists(), "the list shows whether it answers again");
    assert!(
        talk.logs
            .contains(&format!("warn {STATUS}; the watcher lists everything, to see whether the engine answers again"))
    );
    talk
}

#[test]
fn the_first_timeout_of_a_status_shows_that_the_engine_does_not_answer() {
    let mut talk = frozen();
    talk.feed(listed(&["a", "b"]));
    assert_eq!(talk.last_state(), "watching: the engine streams events");
    assert_eq!(talk.logs.last().map(String::as_str), Some("info the engine answers again"));
}

#[test]
fn an_event_or_a_refusal_shows_that_the_engine_answers_again() {
    let mut talk = frozen();
    let next = started(&talk, "c");
    talk.feed(next);
    assert_eq!(talk.last_state(), "watching: the engine streams events");
    let mut talk = frozen();
    let request = crate::portfolio::StatusRequest { id: "b".into(), kind: None, asked: 0 };
    talk.feed(Input::Answered(request, Err(Error::new(CRI_E_RPC, "ContainerStatus: Unknown: refused"))));
    assert_eq!(talk.last_state(), "watching: the engine streams events");
}

#[test]
fn a_list_without_an_answer_shows_that_the_engine_does_not_answer() {
    let mut talk = containerd();
    talk.pass(60_000);
    assert!(talk.lists());
    talk.pass(TIMEOUT);
    talk.feed(Input::Listed(Err(unanswered("ListContainers"))));
    assert_eq!(talk.last_state(), "backoff: ListContainers: no answer from the engine within 10000 ms");
    let next = started(&talk, "c");
    talk.feed(next);
    assert!(talk.last_state().starts_with("backoff: "), "only a list mends a list");
    talk.feed(list_failed(CRI_E_RPC, "ignored: none is under way"));
    talk.pass(200);
    talk.feed(listed(&["a", "c"]));
    assert_eq!(talk.last_state(), "watching: the engine streams events");
}

#[test]
fn a_callers_request_counts_if_it_waited_as_long_as_the_watchers_own() {
    let served = |waited| Input::Served { waited, error: Some(unanswered("RuntimeService/Status")) };
    let mut talk = containerd();
    talk.pass(TIMEOUT);
    talk.feed(served(TIMEOUT / 2));
    assert_eq!(talk.last_state(), "watching: the engine streams events", "the caller was in a hurry");
    talk.feed(served(TIMEOUT));
    assert!(talk.last_state().starts_with("backoff: RuntimeService/Status: no answer"), "{:?}", talk.states);
    let refused = Error::new(CRI_E_RPC, "RuntimeService/Status: Unknown: refused");
    talk.feed(Input::Served { waited: 1, error: Some(refused) });
    assert_eq!(talk.last_state(), "watching: the engine streams events", "a refusal is an answer");
}

#[test]
fn one_slow_request_does_not_mean_that_the_engine_does_not_answer() {
    let mut talk = containerd();
    talk.pass(TIMEOUT);
    let next = started(&talk, "b");
    talk.feed(next);
    talk.feed(Input::Served { waited: TIMEOUT, error: Some(unanswered("ImageService/PullImage")) });
    assert_eq!(talk.last_state(), "watching: the engine streams events");
    let late = Error::new(CRI_E_TIMEOUT, "RuntimeService/ExecSync: DeadlineExceeded").with_grpc_code(4);
    talk.pass(TIMEOUT);
    talk.feed(Input::Served { waited: TIMEOUT, error: Some(late) });
    assert_eq!(talk.last_state(), "watching: the engine streams events", "the engine said so itself");
}

/// One container hangs, and the engine answers everything else: that is reported once, not at every retry.
#[test]
fn a_container_that_hangs_does_not_make_the_state_flap() {
    let mut talk = frozen();
    talk.feed(listed(&["a", "b"]));
    let states = talk.states.len();
    for _ in 0..3 {
        talk.pass(120_000);
        talk.feed(listed(&["a", "b"]));
        let request = talk.requests.pop().expect("it is asked about again");
        talk.pass(TIMEOUT);
        talk.feed(Input::Answered(request, Err(unanswered("ContainerStatus"))));
    }
    assert_eq!(talk.states.len(), states, "{:?}", talk.states);
    // Once it has answered, it counts like any other container.
    talk.pass(120_000);
    talk.feed(listed(&["a", "b"]));
    let request = talk.requests.pop().expect("it is asked about again");
    talk.feed(Input::Answered(request.clone(), Err(Error::new(CRI_E_RPC, "ContainerStatus: Unknown: refused"))));
    talk.pass(TIMEOUT);
    talk.feed(Input::Answered(request, Err(unanswered("ContainerStatus"))));
    assert_eq!(talk.last_state(), format!("backoff: {STATUS}"));
}

const SILENT: &str = "the event stream is open, but reported none of the 1 starts and ends that lists show: the watcher \
                      polls until the stream reports one";

#[test]
fn a_stream_that_reports_nothing_is_polled_until_it_does() {
    let mut talk = containerd();
    talk.pass(60_000);
    assert!(talk.lists());
    talk.feed(listed(&["a", "b"]));
    talk.answer_all();
    assert_eq!(talk.last_state(), "watching: the engine streams events", "the event may be under way");
    talk.pass(2000);
    assert_eq!(talk.last_state(), format!("polling: {SILENT}"));
    assert_eq!(talk.machine.events(), Events { streaming: false, reason: SILENT.into() });
    assert_eq!(talk.machine.stats().blind_windows, 1);
    assert!(talk.lists());
    talk.feed(listed(&["a", "b"]));
    for round in 0..3 {
        talk.pass(1000);
        assert!(talk.lists(), "round {round}: it is polled");
        talk.feed(listed(&["a", "b"]));
    }
    talk.feed(Input::Stream(StreamItem::Open));
    assert_eq!(talk.last_state(), format!("polling: {SILENT}"), "headers are no event");
    let next = started(&talk, "c");
    talk.feed(next);
    assert_eq!(talk.last_state(), "watching: the engine streams events");
}

#[test]
fn an_event_soon_after_the_list_casts_no_doubt() {
    let mut talk = containerd();
    talk.pass(60_000);
    talk.feed(listed(&["a", "b"]));
    talk.pass(1000);
    let late = started(&talk, "b");
    talk.feed(late);
    talk.pass(5000);
    assert_eq!(talk.last_state(), "watching: the engine streams events");
}

#[test]
fn an_idle_engine_casts_no_doubt() {
    let mut talk = containerd();
    for _ in 0..5 {
        talk.pass(60_000);
        assert!(talk.lists());
        talk.feed(listed(&["a"]));
    }
    assert_eq!(talk.states.last().map(String::as_str), Some("watching: the engine streams events"));
}

/// containerd 2.1 does this at the first subscription. Lists settle what came and went before.
#[test]
fn events_of_what_was_gone_before_the_first_list_cost_no_status_request() {
    let mut talk = Talk::new(|_| {});
    talk.mono = 10_000;
    talk.feed(Input::Watch { packs: false });
    talk.feed(connected("containerd", "2.1.9"));
    let history = |talk: &mut Talk, ids: std::ops::Range<u32>| {
        let now = std::mem::replace(&mut talk.mono, 5000);
        let events: Vec<Input> = ids.map(|n| started(talk, &format!("gone-{n}"))).collect();
        talk.mono = now;
        events.into_iter().for_each(|event| talk.feed(event));
    };
    history(&mut talk, 0..24);
    talk.feed(listed(&["a"]));
    talk.answer_all();
    // These are late: they come while the list that follows the first event is under way.
    history(&mut talk, 24..30);
    talk.feed(listed(&["a"]));
    talk.lists();
    talk.pass(900);
    assert!(talk.requests.is_empty() && !talk.lists(), "{:?}", talk.requests);
    talk.pass(200);
    assert!(talk.requests.is_empty() && talk.lists(), "one list settles the late ones: {:?}", talk.requests);
    talk.feed(listed(&["a"]));
    talk.pass(5000);
    assert!(talk.requests.is_empty(), "{:?}", talk.requests);
}

/// An engine whose clock was set back makes events that look like history.
#[test]
fn a_few_old_events_of_unknown_ids_are_asked_about_a_second_later() {
    let mut talk = containerd();
    let now = talk.mono;
    talk.mono = 0;
    let mut event = started(&talk, "new");
    if let Input::Stream(StreamItem::Event(event)) = &mut event {
        event.created_at = event.created_at.map(|at| at - 1);
    }
    talk.mono = now;
    talk.feed(event);
    talk.pass(900);
    assert!(talk.requests.is_empty());
    talk.pass(200);
    let asked: Vec<String> = talk.requests.iter().map(|request| request.id.to_string()).collect();
    assert_eq!(asked, ["new"]);
}
