//! What the host as second source is for, in figures, as a C program sees it. docs/reliability.md has those of one run.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use criwatch::host::below::Root;
use criwatch::host::proven::prove_file;
use criwatch::host::{PidView, Proc};

use crate::bare::BareStream;
use crate::hints::brief_runs;
use crate::support::c::Library;
use crate::support::leftovers;
use crate::support::pods::{ContainerSpec, PodSpec};
use crate::support::suite::{Outcome, Setup, unique};
use crate::support::wait::{self, PATIENCE};

/// How many containers the node has, in pods of twenty.
const CONTAINERS: usize = 200;
const POD: usize = 20;
/// How often a watcher is started on it.
const ROUNDS: usize = 20;

type Error = Box<dyn std::error::Error>;

/// The option that makes a watcher wait for events.
const STREAM: &str = "events=stream";

fn millis(nanos: i64) -> f64 {
    nanos as f64 / 1e6
}

/// The median and the least, in milliseconds.
fn summary(mut all: Vec<i64>) -> String {
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

/// The CPU time of this thread, in nanoseconds.
fn thread_cpu() -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a structure of ours is written.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// CPU time of the proofs of all pids, from their files on: most of what READY costs.
fn proofs(setup: &Setup) -> Outcome {
    let Some(engine) = &setup.engine.containerd else { return Ok(()) };
    let tasks = leftovers::tasks(engine.dir());
    assert!(tasks.len() >= CONTAINERS, "only {} tasks have folders", tasks.len());
    let (proc, root) = (Proc::new(Path::new("/")), Root::open(Path::new("/"))?);
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let began = thread_cpu();
        for task in &tasks {
            let id = task.file_name().unwrap_or_default().to_string_lossy();
            prove_file(&proc, PidView::Same, &root, &task.join("init.pid"), &id)?;
        }
        took.push(thread_cpu() - began);
    }
    setup.figure(&format!("the proofs of {} pids alone: CPU {}", tasks.len(), summary(took)));
    Ok(())
}

/// A C program that follows events.
struct Host {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// A report, with the times in nanoseconds since 1970.
#[derive(Debug)]
struct Report {
    pid: i32,
    code: i32,
    /// When it was, as the engine says.
    time: i64,
    /// When the program had it.
    came: i64,
}

/// What was reported of one container.
#[derive(Debug, Default)]
struct Seen {
    started: Vec<Report>,
    exited: Vec<Report>,
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
            let [what, id, pid, code, time, came] = line.split(' ').collect::<Vec<_>>()[..] else { continue };
            let of = seen.entry(id.into()).or_default();
            let report = Report { pid: pid.parse()?, code: code.parse()?, time: time.parse()?, came: came.parse()? };
            if what == "STARTED" { of.started.push(report) } else { of.exited.push(report) }
        }
        self.child.wait()?;
        Ok(seen)
    }
}

/// Short runs: which were reported, how soon, with a pid and the right code. Beside a stream of events, a client that does nothing
/// but read it: what that needs is the engine's time, and the rest is ours.
fn lives(setup: &Setup, what: &str, options: &[&str], (workers, each): (usize, usize)) -> Outcome {
    let host = Host::start(setup, options)?;
    let bare = options.contains(&STREAM).then(|| BareStream::start(&setup.engine.endpoint)).transpose()?;
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
    let bare = bare.map(BareStream::finish).transpose()?.unwrap_or_default();
    let (mut with_pid, mut coded, mut whole) = (0, 0, 0);
    let [mut since_start, mut since_event, mut bares, mut ours] = [const { Vec::new() }; 4];
    for (id, code) in &made {
        let Some(seen) = seen.get(id) else { continue };
        assert!(seen.started.len() <= 1 && seen.exited.len() <= 1, "{id}: {seen:?}");
        whole += usize::from(seen.started.len() == 1 && seen.exited.len() == 1);
        with_pid += seen.started.iter().filter(|report| report.pid > 0).count();
        coded += seen.exited.iter().filter(|report| report.code == *code).count();
        for started in &seen.started {
            since_start.push(started.came - started.time);
            if let Some(bare) = bare.get(id) {
                since_event.push(started.came - bare.made);
                bares.push(bare.came - bare.made);
                ours.push(started.came - bare.came);
            }
        }
    }
    let count = made.len();
    setup.figure(&format!(
        "{what}, {workers} at a time: {whole} of {count} reported, {with_pid} with a pid, {coded} codes right, STARTED {} after \
         the container's start",
        summary(since_start)
    ));
    if !bares.is_empty() {
        setup.figure(&format!(
            "{what}, {workers} at a time: STARTED {} after the engine made the event; a bare stream {}; ours after that {}",
            summary(since_event),
            summary(bares),
            summary(ours)
        ));
    }
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
    proofs(setup)?;
    let each_gets_all = setup.engine.containerd.as_ref().is_some_and(|engine| engine.sends_all_events_to_each());
    for load in [(1, 40), (24, 4)] {
        if each_gets_all {
            lives(setup, "by events", &[STREAM], load)?;
        }
        lives(setup, "by polling", &["events=poll"], load)?;
    }
    Ok(())
}
