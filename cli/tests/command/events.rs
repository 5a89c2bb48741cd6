//! events, and ps --watch: what follows.

use std::process::Command;

use crate::sim::Sim;
use crate::support::*;

fn engine() -> Sim {
    let mut sim = Sim::start(&[]).unwrap();
    sim.tell("pod web ns=shop label=tier=front app proxy").unwrap();
    sim
}

fn started(sim: &Sim, words: &[&str]) -> Running {
    Running::start(bare(&[&["events", "-r", sim.endpoint()], words].concat()))
}

fn interrupt(running: &Running) {
    let status = Command::new("kill").args(["-INT", &running.child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn lines() {
    let mut sim = engine();
    let mut events = started(&sim, &[]);
    // A replay has no order between its containers.
    for _ in 0..3 {
        events.until(|line| line.contains("Z started  ") && line.contains(" shop/web") && line.ends_with(" (initial)"));
    }
    sim.tell("kill app KILL").unwrap();
    events.until(|line| {
        line.contains("Z exited   ")
            && line.contains(" shop/web/app exit=137 reason=Error ran=")
            && line.ends_with(" (provisional)")
    });
    interrupt(&events);
    assert_eq!(events.end().err, "");
}

#[test]
fn json_lines_are_the_librarys() {
    let sim = engine();
    let mut events = started(&sim, &["-o", "json"]);
    let lines = documents(&events.until(|line| line.contains("replayEnd")).join("\n"));
    assert!(lines.iter().all(|line| line["schema"] == "criwatch.event/1"));
    let initial = lines
        .iter()
        .filter(|line| line["flags"].as_array().is_some_and(|flags| flags.iter().any(|it| it == "initial")));
    let mut names: Vec<&str> = initial.map(|line| line["container"]["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["app", "proxy", "web"]);
}

#[test]
fn without_a_replay() {
    let mut sim = engine();
    let mut events = started(&sim, &["--no-replay", "-o", "json", "-t", "started,removed,state"]);
    // It follows once it has subscribed.
    sim.tell("wait-subscribed 1").unwrap();
    sim.tell("pod late ns=shop job").unwrap();
    let lines = documents(&events.until(|line| line.contains("\"name\":\"job\"")).join("\n"));
    let names = lines.iter().filter_map(|line| line["container"]["name"].as_str());
    assert!(names.clone().count() > 0 && names.clone().all(|name| ["late", "job"].contains(&name)), "{lines:?}");
}

#[test]
fn an_end_that_has_been() {
    let mut sim = engine();
    sim.tell("kill app KILL").unwrap();
    sim.tell("wait app exited").unwrap();
    for name in ["app", "shop/web/app"] {
        assert!(!on(&sim, &["events", "--until-exit", name, "-t", "state"]).well().contains("exited"));
    }
}

#[test]
fn a_selection_of_nothing_says_so_and_waits() {
    let mut sim = engine();
    let mut events = started(&sim, &["-p", "late", "-t", "started"]);
    sim.tell("wait-subscribed 1").unwrap();
    sim.tell("pod late ns=shop job").unwrap();
    events.until(|line| line.contains("Z started  ") && line.contains(" shop/late"));
    interrupt(&events);
    let expected = "criwatch: nothing matches --pod late (there is: shop/web, web) (waiting for what comes)\n";
    assert_eq!(events.end().err, expected);
}

#[test]
fn selections() {
    let mut sim = engine();
    sim.tell("create web late -- exit 0").unwrap();
    let words = ["-l", "tier=front", "--kind", "container", "--name", "app", "-t", "exited", "--until-exit", "late"];
    let events = started(&sim, &words);
    sim.tell("wait-subscribed 1").unwrap();
    for line in ["kill proxy KILL", "kill app KILL", "pod other ns=x app2", "kill app2 KILL", "start late"] {
        sim.tell(line).unwrap();
    }
    let printed = events.end().well();
    let paths: Vec<&str> = printed.lines().map(|line| line.split_whitespace().nth(3).unwrap()).collect();
    assert_eq!(paths, ["shop/web/app"]);
}

#[test]
fn a_reader_that_leaves_ends_it_without_a_word() {
    let sim = engine();
    let mut command = bare(&["events", "-r", sim.endpoint()]);
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut first).unwrap();
    assert!(first.contains("started"), "{first}");
    // Nothing more happens on this engine: the leaving itself is noticed.
    drop(stdout);
    assert_eq!(Ran::of(&child.wait_with_output().unwrap()).code, 141);
}

#[test]
fn an_engine_that_is_lost_and_comes_back() {
    let mut sim = engine();
    let mut events = started(&sim, &["-t", "state"]);
    sim.tell("wait-subscribed 1").unwrap();
    sim.tell("down").unwrap();
    events.until(|line| line.contains("Z state    backoff ") && line.contains("connect"));
    sim.tell("up").unwrap();
    events.until(|line| line.contains("Z state    watching"));
}

#[test]
fn a_watched_list_gets_a_row_for_each_change() {
    let mut sim = engine();
    let mut list = Running::start(bare(&["ps", "--watch", "--name", "app", "-r", sim.endpoint()]));
    let head = list.until(|line| line.starts_with("app "));
    assert!(head[0].starts_with("NAME ") && head.len() == 2, "{head:?}");
    sim.tell("kill app KILL").unwrap();
    list.until(|line| line.starts_with("app ") && line.contains(" exited ") && line.contains(" Error(137) "));
}
