//! Every message of the machine in STATE and LOG events, word for word. None repeats itself, and none is about a fault
//! that is over.

use super::talk::{Talk, connected, list_failed, listed, started};
use crate::cri::{StreamEnd, StreamItem};
use crate::error::*;
use crate::model::*;
use crate::sync::machine::Input;

/// An error as `cri` makes it: it begins with the RPC.
fn lost(what: &str) -> Error {
    Error::new(CRI_E_CONNECT, format!("{what}: the connection to the engine is lost: transport error: broken pipe"))
}

fn refused() -> Input {
    Input::ConnectFailed(Error::new(CRI_E_CONNECT, "connect unix:///run/x.sock: not connected"))
}

fn stream(item: StreamItem) -> Input {
    Input::Stream(item)
}

/// Whether a part of the message occurs in it twice.
fn repeats(message: &str) -> bool {
    let parts: Vec<&str> = message.split([':', ';']).map(str::trim).filter(|part| !part.is_empty()).collect();
    parts.iter().enumerate().any(|(n, part)| parts[..n].contains(part))
        || ["connection", "answer", "again"].iter().any(|word| message.matches(word).count() > 1)
}

/// The states and logs of these inputs, one each second.
fn said(mut talk: Talk, inputs: Vec<Input>) -> (Vec<String>, Vec<String>) {
    (talk.states, talk.logs) = Default::default();
    for input in inputs {
        talk.mono += 1000;
        talk.feed(input);
    }
    let (states, logs) = (talk.states, talk.logs);
    for message in states.iter().chain(&logs) {
        assert!(!repeats(message), "it repeats itself: {message}");
    }
    (states, logs)
}

fn fresh() -> Talk {
    let mut talk = Talk::new(|_| {});
    talk.feed(Input::Watch { packs: false });
    talk
}

fn containerd() -> Talk {
    Talk::watching("containerd", "2.1.9", &["run-a"])
}

#[test]
fn an_engine_that_cannot_be_reached_is_reported_with_the_cause_alone() {
    let (states, logs) = said(fresh(), vec![refused(), refused(), connected("containerd", "2.1.9"), listed(&[])]);
    assert_eq!(
        states,
        ["backoff: connect unix:///run/x.sock: not connected", "syncing", "watching: the engine streams events",]
    );
    assert_eq!(
        logs,
        [
            "warn connect unix:///run/x.sock: not connected; the watcher tries again until it succeeds",
            "debug another attempt to connect failed: connect unix:///run/x.sock: not connected",
            "info connected: the engine is containerd 2.1.9, CRI v1",
            "info the watcher notices changes by the engine's event stream: the engine streams events",
        ]
    );
}

#[test]
fn a_list_that_fails_is_reported_once_for_each_cause() {
    let not_yet = || list_failed(CRI_E_RPC, "ListContainers: Unknown: server is not initialized yet");
    let (states, logs) =
        said(containerd(), vec![Input::Tick, not_yet(), Input::Tick, not_yet(), Input::Tick, listed(&["run-a"])]);
    let (cause, streaming) = ("ListContainers: Unknown: server is not initialized yet", "the engine streams events");
    assert_eq!(states, [format!("backoff: {cause}"), format!("watching: {streaming}")]);
    assert_eq!(
        logs,
        [
            format!("warn a list of all containers failed: {cause}; the watcher lists again"),
            format!("debug another list failed: {cause}"),
        ]
    );
}

#[test]
fn a_lost_connection_is_reported_once() {
    let lost = || lost("ListContainers");
    let inputs = vec![Input::Tick, Input::Listed(Err(lost())), connected("containerd", "2.1.9"), listed(&["run-a"])];
    let (states, logs) = said(containerd(), inputs);
    let cause = lost().to_string();
    assert_eq!(states, [format!("backoff: {cause}"), "syncing".into(), "watching: the engine streams events".into()]);
    assert_eq!(
        logs,
        [
            format!("warn {cause}; the watcher connects again, and the cache stays readable"),
            "info connected: the engine is containerd 2.1.9, CRI v1".into(),
        ]
    );
}

/// "watching" never carries the message of the failure before it.
#[test]
fn a_stream_that_breaks_is_reported_until_it_is_open_again() {
    let broke =
        || stream(StreamItem::End(StreamEnd::Failed(Error::new(CRI_E_RPC, "GetContainerEvents: Internal: cut"))));
    for (end, why) in [
        (broke(), "the event stream broke, and the watcher opens it again: GetContainerEvents: Internal: cut"),
        (
            stream(StreamItem::End(StreamEnd::Finished)),
            "the engine ended the event stream, and the watcher opens it again",
        ),
    ] {
        let (states, logs) = said(containerd(), vec![stream(StreamItem::Open), end, Input::Tick]);
        assert_eq!(states, [format!("polling: {why}"), "watching: the engine streams events".into()]);
        assert_eq!(
            logs,
            [
                format!("info the watcher notices changes by listing at intervals: {why}"),
                "info the watcher notices changes by the engine's event stream: the engine streams events".into(),
            ]
        );
    }
}

#[test]
fn an_engine_that_is_polled_is_reported_with_the_reason() {
    let unimplemented = || Error::new(CRI_E_UNSUPPORTED, "GetContainerEvents: Unimplemented: not implemented");
    for (version, end, why) in [
        ("1.6.38", None, "containerd before 1.7 has no container events"),
        (
            "2.1.9",
            Some(StreamEnd::Empty),
            "the engine ends its event stream at once without an error: its events are switched off",
        ),
        (
            "2.1.9",
            Some(StreamEnd::Unimplemented(unimplemented())),
            "GetContainerEvents: Unimplemented: not implemented",
        ),
    ] {
        let mut inputs = vec![connected("containerd", version)];
        inputs.extend(end.map(|end| stream(StreamItem::End(end))));
        inputs.push(listed(&[]));
        let (states, logs) = said(fresh(), inputs);
        assert_eq!(states.last(), Some(&format!("polling: {why}")));
        assert_eq!(logs.last(), Some(&format!("info the watcher notices changes by listing at intervals: {why}")));
    }
}

#[test]
fn events_that_are_lost_are_counted_in_words() {
    let (_, logs) = said(containerd(), vec![stream(StreamItem::Lost(7))]);
    assert_eq!(
        logs,
        [
            "warn the watcher dropped 7 events of the engine, which came faster than it could apply them; it lists everything now"
        ]
    );
}

#[test]
fn a_status_request_that_fails_names_the_id_once() {
    for (message, logged) in [
        (
            "ContainerStatus: Unknown: refused",
            "debug run-b: ContainerStatus: Unknown: refused; the watcher asks again if it still needs the answer",
        ),
        (
            "status of run-b: the engine's reply is about \"x\"",
            "debug status of run-b: the engine's reply is about \"x\"; the watcher asks again if it still needs the answer",
        ),
    ] {
        let mut talk = containerd();
        let start = started(&talk, "run-b");
        talk.feed(start);
        let request = talk.requests.pop().expect("its pid is asked for");
        let (_, logs) = said(talk, vec![Input::Answered(request, Err(Error::new(CRI_E_RPC, message)))]);
        assert_eq!(logs[0], logged);
    }
}

#[test]
fn what_the_engine_never_says_is_reported_once() {
    let mut talk = containerd();
    let start = started(&talk, "run-b");
    talk.feed(start);
    for _ in 0..12 {
        talk.pass(61_000);
        while let Some(request) = talk.requests.pop() {
            let status = Observation { state: State::Running, ..Observation::of(request.id.clone(), Kind::Container) };
            talk.feed(Input::Answered(request, Ok(Some(status))));
        }
    }
    let asked: Vec<&String> = talk.logs.iter().filter(|line| line.contains("no longer asks")).collect();
    assert_eq!(asked.len(), 1, "{:?}", talk.logs);
    assert!(
        asked[0].starts_with("warn ")
            && asked[0]
                .contains("(run-b): the engine answered 3 times without pid, startedAt: the watcher no longer asks"),
        "{asked:?}"
    );
}

#[test]
fn a_rucksack_that_does_not_come_names_the_id_once() {
    use crate::sync::machine::Action;
    for (error, logged) in [
        (
            Error::new(CRI_E_INVALID_ARGUMENT, "expected value at line 1"),
            "warn the library drops the packer's rucksack: run-a: expected value at line 1",
        ),
        (
            Error::new(CRI_E_RPC, "ContainerStatus: Unknown: refused"),
            "warn no rucksack yet: run-a: ContainerStatus: Unknown: refused; the watcher tries again after the next list",
        ),
    ] {
        let mut talk = Talk::new(|_| {});
        talk.feed(Input::Watch { packs: true });
        talk.feed(connected("containerd", "2.1.9"));
        talk.feed(listed(&["run-a"]));
        let packed = talk.actions.iter().find_map(|action| match action {
            Action::Pack(request) => Some(request.clone()),
            _ => None,
        });
        let (_, logs) = said(talk, vec![Input::Packed(packed.expect("there is a packer"), Err(error))]);
        assert_eq!(logs[0], logged);
    }
}
