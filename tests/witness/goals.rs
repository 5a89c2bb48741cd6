//! What the host as second source is for, in figures, as a C program sees it. docs/reliability.md has those of one run.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::hints::brief_runs;
use crate::support::c::Library;
use crate::support::pods::{ContainerSpec, PodSpec};
use crate::support::suite::{Outcome, Setup, unique};
use crate::support::wait::{self, PATIENCE};

/// How many containers the node has, in pods of twenty.
const CONTAINERS: usize = 200;
const POD: usize = 20;
/// How often a watcher is started on it.
const ROUNDS: usize = 20;

type Error = Box<dyn std::error::Error>;

fn millis(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

/// The median and the least, in milliseconds.
fn summary(mut all: Vec<u64>) -> String {
    all.sort_unstable();
    match all.as_slice() {
        [] => "none".into(),
        all => format!("{:.2} ms (least {:.2})", millis(all[all.len() / 2]), millis(all[0])),
    }
}

fn program(setup: &Setup, arguments: &[&str]) -> Result<Command, Error> {
    let mut command = Command::new(Library::of_this_build().build("tests/c/goals.c")?);
    command.arg(&setup.engine.endpoint).args(arguments);
    Ok(command)
}

/// Time, CPU time and requests until READY.
fn ready(setup: &Setup, what: &str, options: &[&str]) -> Outcome {
    let rounds = ROUNDS.to_string();
    let output = program(setup, &[&["ready", &rounds], options].concat())?.output()?;
    assert!(output.status.success(), "{output:?}");
    let (mut took, mut cpu, mut requests) = (Vec::new(), Vec::new(), 0);
    for line in String::from_utf8(output.stdout)?.lines() {
        let [_, time, cpu_time, stats] = line.splitn(4, ' ').collect::<Vec<_>>()[..] else {
            return Err(format!("not as it should be: {line}").into());
        };
        took.push(time.parse()?);
        cpu.push(cpu_time.parse()?);
        let stats: serde_json::Value = serde_json::from_str(stats)?;
        let counts = stats["requests"].as_object().ok_or("no requests")?;
        requests = counts.values().filter_map(|cost| cost["count"].as_u64()).sum();
    }
    assert_eq!(took.len(), ROUNDS);
    setup.figure(&format!("{what}: ready after {}, own CPU {}, {requests} requests", summary(took), summary(cpu)));
    Ok(())
}

/// A C program that follows events.
struct Host {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// What was reported of one container.
#[derive(Debug, Default)]
struct Seen {
    started: Vec<(i32, u64)>,
    exited: Vec<(i32, u64)>,
}

impl Host {
    fn start(setup: &Setup, options: &[&str]) -> Result<Host, Error> {
        let mut command = program(setup, &[&["events"], options].concat())?;
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("its output")?).lines();
        while lines.next().ok_or("it ended before it was ready")?? != "replayed" {}
        Ok(Host { child, lines })
    }

    /// Ends it, and takes what was reported.
    fn finish(mut self) -> Result<HashMap<String, Seen>, Error> {
        drop(self.child.stdin.take());
        let mut seen: HashMap<String, Seen> = HashMap::new();
        for line in self.lines.by_ref() {
            let line = line?;
            let [what, id, pid, code, late] = line.split(' ').collect::<Vec<_>>()[..] else { continue };
            let of = seen.entry(id.into()).or_default();
            let late = late.parse::<i64>()?.max(0) as u64;
            match what {
                "STARTED" => of.started.push((pid.parse()?, late)),
                _ => of.exited.push((code.parse()?, late)),
            }
        }
        self.child.wait()?;
        Ok(seen)
    }
}

/// Short runs: which were reported, how soon, with a pid and the right code.
fn lives(setup: &Setup, what: &str, options: &[&str], (workers, each): (usize, usize)) -> Outcome {
    let host = Host::start(setup, options)?;
    let made = brief_runs(setup, workers, each)?;
    // Where it polls, the last of them may still be under way.
    let marker = setup.engine.pods.run_pod(&PodSpec::new("cri-lab", &unique("marker")))?;
    let last = setup.engine.pods.run(&marker, &ContainerSpec::lasting("last"))?;
    wait::until("the engine to show the last", PATIENCE, || {
        let is_there = setup.engine.pods.container_status(&last).is_ok();
        if is_there { Ok(()) } else { Err("it does not".into()) }
    })?;
    std::thread::sleep(Duration::from_secs(3));
    let seen = host.finish()?;
    let (mut starts, mut with_pid, mut coded, mut whole) = (Vec::new(), 0, 0, 0);
    for (id, code) in &made {
        let Some(seen) = seen.get(id) else { continue };
        assert!(seen.started.len() <= 1 && seen.exited.len() <= 1, "{id}: {seen:?}");
        whole += usize::from(seen.started.len() == 1 && seen.exited.len() == 1);
        with_pid += seen.started.iter().filter(|(pid, _)| *pid > 0).count();
        coded += seen.exited.iter().filter(|(told, _)| told == code).count();
        starts.extend(seen.started.iter().map(|(_, late)| *late));
    }
    let count = made.len();
    setup.figure(&format!(
        "{what}, {workers} at a time: {whole} of {count} reported, {with_pid} with a pid, {coded} codes right, STARTED {} after \
         the engine's time of it",
        summary(starts)
    ));
    Ok(())
}

pub fn figures(setup: &mut Setup) -> Outcome {
    for n in 0..CONTAINERS / POD {
        let pod = setup.engine.pods.run_pod(&PodSpec::new("cri-lab", &unique(&format!("goals{n}"))))?;
        for c in 1..POD {
            setup.engine.pods.run(&pod, &ContainerSpec::lasting(&format!("c{c}")))?;
        }
    }
    let node = format!("{CONTAINERS} containers and sandboxes");
    ready(setup, &format!("{node}, pid files"), &[])?;
    ready(setup, &format!("{node}, without pid files"), &["pid.source=engine", "host.witness=off"])?;
    for load in [(1, 40), (24, 4)] {
        lives(setup, "by events", &["events=stream"], load)?;
        lives(setup, "by polling", &["events=poll"], load)?;
    }
    Ok(())
}
