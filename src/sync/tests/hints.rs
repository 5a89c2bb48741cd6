//! Tests of hints from the host, by hand.

use std::collections::BTreeSet;

use super::talk::{Talk, connected, list_failed, listed, running, started};
use crate::cri::{Follow, Hint, Version};
use crate::error::CRI_E_CONNECT;
use crate::error::Error;
use crate::host::Refusal;
use crate::model::*;
use crate::sync::machine::{Action, Input};

/// The process that Talk's engine gives in its answers.
const PROCESS: (i32, u64) = (7, 1);
const WITNESSED: u32 = CRI_EVENT_FLAG_WITNESSED | CRI_EVENT_FLAG_SYNTHETIC;

fn exited(id: &str, process: (i32, u64), code: Option<i32>) -> Input {
    Input::Hints(vec![Hint::Exited { id: id.into(), process: Some(process), code }])
}

fn pid(id: &str, pid: i32) -> Input {
    let details = Details { pid: Some(pid), pid_start_ticks: Some(1), ..Details::default() };
    Input::Hints(vec![Hint::Pid(id.into(), details)])
}

fn lost() -> Input {
    let Input::Listed(Err(_)) = list_failed(CRI_E_CONNECT, "") else { unreachable!("it is made so") };
    Input::Listed(Err(Error::new(CRI_E_CONNECT, "the connection to the engine is lost").retriable()))
}

/// An engine that is away, with one container that the host can see.
fn away() -> Talk {
    let mut talk = Talk::watching("containerd", "2.1.9", &["run-a"]);
    let process = Follow { id: "run-a".into(), kind: Kind::Container, process: Some(PROCESS) };
    assert!(talk.actions.contains(&Action::Follow(vec![process])), "{:?}", talk.actions);
    talk.pass(1500);
    talk.feed(lost());
    assert!(talk.last_state().starts_with("backoff"), "{:?}", talk.states);
    talk.reported.clear();
    talk
}

/// Brings the engine back. Its list shows the container exited, and its status gives this code and reason.
fn back(talk: &mut Talk, code: i32, reason: &str) {
    talk.pass(5000);
    talk.feed(connected("containerd", "2.1.9"));
    let Input::Listed(Ok(mut listing)) = listed(&["run-a"]) else { unreachable!("it is made so") };
    listing.containers[0].state = State::Exited;
    let said = Observation {
        is_status: true,
        finished_at: Some(1),
        exit: Some(Exit { code: Some(code), reason: reason.into(), message: "".into() }),
        ..listing.containers[0].clone()
    };
    talk.feed(Input::Listed(Ok(listing)));
    let request = talk.requests.pop().expect("its status of the exit is asked for");
    talk.feed(Input::Answered(request, Ok(Some(said))));
}

#[test]
fn an_end_is_reported_at_once_while_the_engine_is_away() {
    let mut talk = away();
    talk.feed(exited("run-a", PROCESS, Some(42)));
    assert_eq!(talk.reported, [format!("Exited run-a {WITNESSED} 0 Some(7) Some(42)")]);
    talk.feed(exited("run-a", PROCESS, Some(42)));
    back(&mut talk, 255, "Unknown");
    assert_eq!(talk.reported.len(), 1, "containerd's 255 is worth less: {:?}", talk.reported);
}

#[test]
fn the_engines_better_word_corrects_what_was_witnessed() {
    let mut talk = away();
    talk.feed(exited("run-a", PROCESS, None));
    back(&mut talk, 3, "Error");
    let right = [
        format!("Exited run-a {WITNESSED} 0 Some(7) None"),
        format!("Updated run-a 0 {CRI_CHANGED_EXIT} Some(7) Some(3)"),
    ];
    assert_eq!(talk.reported, right);
}

#[test]
fn an_end_that_was_seen_just_before_the_engine_went_is_reported_when_it_is_gone() {
    let mut talk = Talk::watching("containerd", "2.1.9", &["run-a"]);
    talk.pass(1500);
    talk.reported.clear();
    talk.feed(exited("run-a", PROCESS, Some(9)));
    assert!(talk.reported.is_empty(), "the engine's statement is awaited: {:?}", talk.reported);
    talk.feed(lost());
    assert_eq!(talk.reported, [format!("Exited run-a {WITNESSED} 0 Some(7) Some(9)")]);
}

#[test]
fn trap_the_end_of_another_process_is_none_of_the_runs() {
    let mut talk = away();
    for process in [(8, 1), (7, 2)] {
        talk.feed(exited("run-a", process, Some(42)));
    }
    // CRI-O's exit file names an id, and proves nothing about a process.
    talk.feed(Input::Hints(vec![Hint::Exited { id: "run-a".into(), process: None, code: Some(1) }]));
    talk.feed(exited("run-stranger", (8, 1), Some(42)));
    assert!(talk.reported.is_empty(), "{:?}", talk.reported);
}

/// A verbose status which says that the container runs, while its process is gone.
fn without_process(id: &str) -> Observation {
    let gone = Details { engine_pid: Some(PROCESS.0), ..Details::default() };
    Observation { is_status: true, details: Some(gone), ..running(id) }
}

/// An engine that is back after the host saw the end of the run's process.
fn back_after_an_end() -> Talk {
    let mut talk = away();
    talk.feed(exited("run-a", PROCESS, Some(42)));
    talk.pass(5000);
    talk.feed(connected("containerd", "2.1.9"));
    talk.reported.clear();
    talk
}

#[test]
fn what_the_engine_still_calls_running_for_a_moment_stays_ended() {
    let mut talk = back_after_an_end();
    talk.feed(listed(&["run-a"]));
    let request = talk.requests.pop().expect("the contradiction is asked about");
    talk.feed(Input::Answered(request, Ok(Some(without_process("run-a")))));
    talk.pass(9000);
    talk.feed(listed(&["run-a"]));
    assert!(talk.reported.is_empty(), "it may have heard of the end a moment later than we: {:?}", talk.reported);
    talk.pass(5000);
    back(&mut talk, 42, "Error");
    assert_eq!(talk.reported, [format!("Updated run-a 0 {CRI_CHANGED_EXIT} Some(7) Some(42)")], "its time of the end");
}

#[test]
fn what_the_engine_goes_on_to_list_as_running_stands() {
    let mut talk = back_after_an_end();
    talk.feed(listed(&["run-a"]));
    while let Some(request) = talk.requests.pop() {
        talk.feed(Input::Answered(request, Ok(Some(without_process("run-a")))));
    }
    talk.pass(10_001);
    talk.feed(listed(&["run-a"]));
    let request = talk.requests.pop().expect("its process is looked for");
    talk.feed(Input::Answered(request, Ok(Some(without_process("run-a")))));
    let flags = CRI_EVENT_FLAG_SYNTHETIC | CRI_EVENT_FLAG_REAPPEARED;
    assert_eq!(talk.reported, [format!("Started run-a {flags} 0 None None")]);
    talk.pass(61_000);
    talk.feed(listed(&["run-a"]));
    assert_eq!((talk.reported.len(), talk.portfolio.counts().contradictions), (1, 1), "{:?}", talk.reported);
}

/// Docker restarts what ended while its daemon was down.
#[test]
fn another_run_of_what_ended_while_the_engine_was_away_is_reported_at_once() {
    let mut talk = back_after_an_end();
    talk.feed(listed(&["run-a"]));
    let request = talk.requests.pop().expect("the contradiction is asked about");
    let details = Details { pid: Some(9), pid_start_ticks: Some(5), ..Details::default() };
    let again =
        Observation { is_status: true, started_at: Some(Time::MAX), details: Some(details), ..running("run-a") };
    talk.feed(Input::Answered(request, Ok(Some(again))));
    assert!(
        talk.reported[0].starts_with("Started run-a") && talk.reported[0].ends_with("Some(9) None"),
        "{:?}",
        talk.reported
    );
}

#[test]
fn a_live_engine_has_a_quarter_of_a_second_for_its_word() {
    let mut talk = Talk::watching("containerd", "2.1.9", &["run-a"]);
    talk.pass(2000);
    talk.feed(listed(&["run-a"]));
    (talk.reported, talk.requests) = Default::default();
    talk.feed(exited("run-a", PROCESS, Some(42)));
    talk.pass(249);
    assert!(talk.reported.is_empty() && talk.requests.is_empty(), "{:?} {:?}", talk.reported, talk.requests);
    talk.pass(1);
    assert!(talk.reported.is_empty(), "its exit may be on its way, and keeps the pid: {:?}", talk.reported);
    let request = talk.requests.pop().expect("its status is asked for");
    assert!(talk.requests.is_empty());
    talk.feed(Input::Answered(request, Ok(Some(without_process("run-a")))));
    assert_eq!(talk.reported, [format!("Updated run-a 0 {CRI_CHANGED_PID} None None")], "its pid may be another's");
    is_withdrawn_once(&mut talk);
}

/// Checks that the pid of run-a was withdrawn, with one warning and nothing else.
fn is_withdrawn_once(talk: &mut Talk) {
    talk.pass(300_000);
    while let Some(request) = talk.requests.pop() {
        talk.feed(Input::Answered(request, Ok(Some(without_process("run-a")))));
        talk.pass(300_000);
    }
    let warnings: Vec<_> = talk.logs.iter().filter(|line| line.starts_with("warn")).collect();
    assert!(matches!(warnings[..], [one] if one.contains("its process is gone")), "{warnings:?}");
    assert_eq!((talk.reported.len(), talk.portfolio.counts().vanished_processes), (1, 1), "{:?}", talk.reported);
    assert_eq!(talk.portfolio.get("run-a").map(|c| (c.state, c.pid, c.missing)), Some((State::Running, None, 0)));
}

#[test]
fn a_pid_that_an_answer_withdraws_is_a_vanished_process_too() {
    let mut talk = Talk::watching("containerd", "1.6.20", &["run-a"]);
    talk.pass(2000);
    (talk.reported, talk.requests) = Default::default();
    talk.feed(exited("run-a", PROCESS, Some(42)));
    talk.pass(10);
    let request = talk.requests.pop().expect("an engine without events is asked at once");
    talk.feed(Input::Answered(request, Ok(Some(without_process("run-a")))));
    assert_eq!(talk.reported, [format!("Updated run-a 0 {CRI_CHANGED_PID} None None")]);
    is_withdrawn_once(&mut talk);
}

/// A busy engine without events notices the exit after its first answers: no list has to come first.
#[test]
fn an_engine_that_notices_late_is_asked_again() {
    let mut talk = Talk::watching("containerd", "1.6.20", &["run-a"]);
    talk.feed(exited("run-a", PROCESS, Some(42)));
    let began = talk.mono;
    let mut answers = 0;
    while talk.mono < began + 2000 && !talk.reported.iter().any(|line| line.starts_with("Exited")) {
        talk.pass(10);
        for request in std::mem::take(&mut talk.requests) {
            answers += 1;
            let gone = Observation { state: State::Exited, ..without_process("run-a") };
            let answer = if answers < 3 { without_process("run-a") } else { gone };
            talk.feed(Input::Answered(request, Ok(Some(answer))));
        }
    }
    assert_eq!(
        talk.reported.iter().filter(|line| line.starts_with("Exited")).count(),
        1,
        "{answers} {:?}",
        talk.reported
    );
}

/// Where the answer comes between the end of the process and the moment in which the engine notices it.
#[test]
fn an_exit_shows_the_pid_that_was_withdrawn() {
    for (version, wait) in [("1.6.20", 10), ("2.1.9", 250)] {
        let mut talk = Talk::watching("containerd", version, &["run-a"]);
        let before = talk.portfolio.get("run-a").expect("it runs").clone();
        talk.feed(exited("run-a", PROCESS, None));
        talk.pass(wait);
        let request = talk.requests.pop().expect("the engine is asked how it ended");
        talk.feed(Input::Answered(request, Ok(Some(without_process("run-a")))));
        talk.reported.clear();
        talk.pass(1000);
        let request = talk.requests.pop().expect("it is asked again");
        let over = Observation { state: State::Exited, ..without_process("run-a") };
        talk.feed(Input::Answered(request, Ok(Some(over))));
        assert_eq!(talk.reported.len(), 1, "{version}: {:?}", talk.reported);
        let after = talk.portfolio.get("run-a").expect("it is still there");
        assert_eq!(
            (after.state, after.pid, after.pid_start_ticks, after.engine_pid, after.namespaces),
            (State::Exited, before.pid, before.pid_start_ticks, None, before.namespaces),
            "{version}"
        );
    }
}

/// The host shows the end of the process only after the engine's answer: the code is still the run's.
#[test]
fn the_end_of_a_process_whose_pid_was_withdrawn_is_the_runs() {
    let mut talk = Talk::watching("containerd", "1.6.20", &["run-a"]);
    talk.pass(2000);
    talk.feed(exited("run-a", PROCESS, None));
    talk.pass(10);
    let request = talk.requests.pop().expect("an engine without events is asked at once");
    talk.actions.clear();
    talk.feed(Input::Answered(request, Ok(Some(without_process("run-a")))));
    let follows = |action: &Action| matches!(action, Action::Follow(_));
    assert!(!talk.actions.iter().any(follows), "its end is still waited for: {:?}", talk.actions);
    talk.reported.clear();
    talk.feed(exited("run-a", PROCESS, Some(42)));
    talk.feed(lost());
    assert_eq!(talk.reported, [format!("Exited run-a {WITNESSED} 0 Some(7) Some(42)")]);
}

#[test]
fn what_has_exited_has_no_pid_in_the_engines_words() {
    let mut talk = Talk::watching("containerd", "1.6.20", &["run-a"]);
    talk.feed(exited("run-a", PROCESS, Some(42)));
    talk.pass(10);
    let request = talk.requests.pop().expect("an engine without events is asked at once");
    talk.feed(Input::Answered(request, Ok(Some(without_process("run-a")))));
    assert_eq!(talk.portfolio.get("run-a").and_then(|c| c.engine_pid), Some(PROCESS.0));
    talk.pass(1500);
    talk.feed(lost());
    assert_eq!(talk.portfolio.get("run-a").map(|c| (c.state, c.engine_pid)), Some((State::Exited, None)));
}

#[test]
fn an_engine_without_events_is_asked_until_what_is_made_runs() {
    let mut talk = Talk::watching("containerd", "1.6.20", &["run-a"]);
    talk.feed(Input::Hints(vec![Hint::Created("new".into())]));
    let mut asked = Vec::new();
    let began = talk.mono;
    while talk.mono < began + 700 {
        talk.pass(10);
        if let Some(request) = talk.requests.pop() {
            asked.push(talk.mono - began);
            talk.feed(Input::Answered(request, Ok(None)));
        }
    }
    assert_eq!(asked, [10, 20, 40, 80, 160, 320], "and then no more");
}

/// A container that is being created may take long to start, and end soon.
#[test]
fn an_engine_without_events_is_asked_as_soon_as_there_is_a_pid() {
    let mut talk = Talk::watching("containerd", "1.6.20", &["run-a"]);
    let strangers = (0..33).map(|n| Hint::Created(format!("new{n}").into()));
    talk.feed(Input::Hints(strangers.chain([Hint::Created("new".into())]).collect()));
    let request = |talk: &mut Talk| {
        talk.pass(10);
        talk.requests.pop().filter(|request| &*request.id == "new")
    };
    assert!(request(&mut talk).is_none() && talk.lists(), "there are so many that a list is asked for");
    talk.feed(pid("new", 7));
    assert!(request(&mut talk).is_some(), "{:?}", talk.requests);
    // The list that is under way may have been made before the hint.
    talk.feed(pid("new", 7));
    talk.feed(listed(&["run-a"]));
    assert!(request(&mut talk).is_some() || talk.portfolio.open_status_requests() > 0, "{:?}", talk.requests);
}

/// *create* makes a cgroup or the engine's folder. The start comes later, or never.
#[test]
fn trap_what_is_made_has_not_started() {
    let mut talk = Talk::watching("containerd", "1.6.20", &["run-a"]);
    talk.reported.clear();
    talk.feed(Input::Hints(vec![Hint::Created("new".into())]));
    talk.pass(10);
    let request = talk.requests.pop().expect("its status is asked for");
    let created = Observation { is_status: true, state: State::Created, ..running("new") };
    talk.feed(Input::Answered(request, Ok(Some(created))));
    let starts = |talk: &Talk| talk.reported.iter().filter(|told| told.starts_with("Started")).count();
    assert_eq!(starts(&talk), 0, "{:?}", talk.reported);
    talk.pass(10);
    talk.answer_all();
    assert_eq!(starts(&talk), 1, "{:?}", talk.reported);
}

/// A container may move its processes elsewhere. Then its cgroup goes, and it still runs.
#[test]
fn trap_a_cgroup_or_a_folder_that_goes_ends_nothing() {
    for version in ["1.6.20", "2.1.9"] {
        let mut talk = Talk::watching("containerd", version, &["run-a"]);
        (talk.reported, talk.requests) = Default::default();
        talk.feed(Input::Hints(vec![Hint::Gone("run-a".into())]));
        talk.pass(400);
        talk.answer_all();
        assert!(talk.reported.is_empty(), "{version}: {:?}", talk.reported);
        assert_eq!(talk.portfolio.get("run-a").map(|c| (c.state, c.pid)), Some((State::Running, Some(7))), "{version}");
        // Nothing ends while the engine is away, either.
        talk.feed(lost());
        talk.feed(Input::Hints(vec![Hint::Gone("run-a".into())]));
        talk.pass(400);
        assert!(!talk.reported.iter().any(|told| told.starts_with("Exited")), "{version}: {:?}", talk.reported);
    }
}

#[test]
fn many_hints_are_one_list() {
    let mut talk = Talk::watching("containerd", "1.6.20", &["run-a"]);
    talk.lists();
    let hint = |n| Hint::Created(format!("new{n}").into());
    talk.feed(Input::Hints((0..33).map(hint).collect()));
    talk.pass(60);
    assert!(talk.lists() && talk.requests.is_empty(), "{:?}", talk.requests);
}

#[test]
fn an_overflow_is_one_list() {
    let mut talk = Talk::watching("containerd", "2.1.9", &["run-a"]);
    talk.pass(2000);
    talk.feed(listed(&["run-a"]));
    talk.lists();
    talk.feed(Input::Hints(vec![Hint::Lost]));
    talk.pass(60);
    assert!(talk.lists());
}

fn with_files() -> Input {
    let version = Version { runtime_name: "containerd".into(), runtime_version: "2.1.9".into(), ..Version::default() };
    Input::Connected { version, can_stream_lists: false, pid_files: true }
}

#[test]
fn a_pid_that_comes_before_its_start_costs_nothing() {
    let mut talk = Talk::new(|c| c.details = crate::config::DetailRequests::None);
    talk.feed(Input::Watch { packs: false });
    talk.feed(with_files());
    talk.feed(listed(&[]));
    talk.actions.clear();
    talk.feed(pid("new", 99));
    // The process may be over when its event is read. Its pid is the run's nevertheless.
    talk.feed(exited("new", (99, 1), Some(0)));
    let start = started(&talk, "new");
    talk.feed(start);
    assert!(
        talk.reported.iter().any(|reported| reported.starts_with("Started new 0 0 Some(99)")),
        "{:?}",
        talk.reported
    );
    let is_question = |action: &Action| matches!(action, Action::FindProcesses(_) | Action::Ask(_));
    assert!(!talk.actions.iter().any(is_question), "{:?}", talk.actions);
}

#[test]
fn a_pid_that_is_disproved_is_asked_for() {
    let mut talk = Talk::new(|_| {});
    talk.feed(Input::Watch { packs: false });
    talk.feed(with_files());
    talk.feed(listed(&["run-a"]));
    let lookups = talk.actions.iter().find_map(|action| match action {
        Action::FindProcesses(lookups) => Some(lookups.clone()),
        _ => None,
    });
    let lookup = lookups.expect("it is looked for").remove(0);
    assert!(talk.requests.is_empty() && !talk.portfolio.is_settled());
    talk.feed(Input::Found(vec![(lookup, Err(Refusal::ForeignCgroup(7)))]));
    assert_eq!(talk.requests.len(), 1);
    assert_eq!((talk.portfolio.counts().proofs_refused, talk.portfolio.is_settled()), (1, false));
    talk.answer_all();
    assert!(talk.portfolio.is_settled());
    assert_eq!(talk.portfolio.counts().pids_from_engine, 1);
}

#[test]
fn pids_that_came_before_the_first_list_need_no_look_and_are_followed_from_ready_on() {
    let mut talk = Talk::new(|_| {});
    talk.feed(Input::Watch { packs: false });
    let Input::Connected { version, .. } = connected("containerd", "2.1.9") else { unreachable!("it is made so") };
    talk.feed(Input::Connected { version, can_stream_lists: false, pid_files: true });
    talk.feed(pid("run-a", PROCESS.0));
    talk.feed(pid("run-stranger", 8));
    talk.feed(listed(&["run-a", "run-b"]));
    let looks_for = |action: &Action| match action {
        Action::FindProcesses(lookups) => lookups.iter().map(|it| it.id.to_string()).collect(),
        _ => Vec::new(),
    };
    let looked_for: Vec<String> = talk.actions.iter().flat_map(looks_for).collect();
    assert_eq!(looked_for, ["run-b"]);
    let follows = |talk: &Talk| talk.actions.iter().any(|action| matches!(action, Action::Follow(_)));
    assert!(!talk.machine.is_ready() && !follows(&talk), "{:?}", talk.actions);
    let lookup = talk.actions.iter().find_map(|action| match action {
        Action::FindProcesses(lookups) => lookups.first().cloned(),
        _ => None,
    });
    let b = Details { pid: Some(9), pid_start_ticks: Some(1), ..Details::default() };
    talk.feed(Input::Found(vec![(lookup.expect("one is looked for"), Ok(b))]));
    talk.answer_all();
    assert!(talk.machine.is_ready());
    let followed = talk.actions.iter().flat_map(|action| match action {
        Action::Follow(follows) => follows.iter().map(|it| it.id.to_string()).collect(),
        _ => Vec::new(),
    });
    assert_eq!(followed.collect::<BTreeSet<String>>(), BTreeSet::from(["run-a".to_owned(), "run-b".to_owned()]));
    assert_eq!(talk.portfolio.run(&"run-a".into()).and_then(|it| it.pid), Some(PROCESS.0));
}
