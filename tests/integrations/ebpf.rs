//! execsnoop: programs that start in containers, as the kernel reports them, with the names that the library knows.

use std::collections::BTreeMap;
use std::process::Command;

use super::agent::Agent;
use super::support::containerd::Containerd;
use super::support::leftovers;
use super::support::pods::{ContainerSpec, PodSpec, Pods};
use super::support::wait;
use super::{Obstacle, Outcome, build, containerd};

/// The processes: each sleeps so many microseconds, which distinguishes it from the others, and from those of the other test.
const CONTAINERS: std::ops::Range<usize> = 5000..5100;
const PROCESSES: std::ops::Range<usize> = 5100..5200;
/// So many of them may go without a name.
const LENIENCE: usize = 1;
const WORKERS: usize = 4;
/// How the program ends where the kernel lets it load nothing.
const NO_BPF: i32 = 3;

/// A driver for pods in cgroups as the kubelet names them: an unknown id there is a container's that is being made.
fn pods_of(engine: &Containerd) -> Result<Pods, String> {
    let parent = format!("{}/kubepods/besteffort", leftovers::cgroup_parent(engine.dir()));
    Ok(engine.pods()?.with_cgroup_parent(&parent))
}

/// Containers whose only process runs for 5 ms, ten in each pod: their names are asked for before the engine reports them.
pub fn names_containers_that_live_5_ms() -> Outcome {
    let engine = containerd()?;
    let snoop = start(&engine)?;
    let pods = pods_of(&engine)?;
    let made = (0..10).map(|n| pods.run_pod(&PodSpec::new("short", &format!("pod-{n}"))));
    let made: Vec<_> = made.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    std::thread::scope(|scope| {
        let worker = |first: usize| {
            let (engine, made) = (&engine, &made);
            scope.spawn(move || -> Result<(), String> {
                let pods = pods_of(engine)?;
                for micros in CONTAINERS.skip(first).step_by(WORKERS) {
                    let spec = ContainerSpec::new(&format!("c-{micros}"), ["usleep", &micros.to_string()]);
                    pods.run(&made[micros % made.len()], &spec).map_err(|error| error.to_string())?;
                }
                Ok(())
            })
        };
        let workers: Vec<_> = (0..WORKERS).map(worker).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a worker panicked".to_owned())?)
    })?;
    let expected = CONTAINERS.map(|micros| (micros, format!("short/pod-{}/c-{micros}", micros % 10))).collect();
    hold(snoop, &expected)
}

/// Processes of 5 ms in a container that lasts.
pub fn names_processes_that_live_5_ms() -> Outcome {
    let engine = containerd()?;
    let snoop = start(&engine)?;
    let pods = pods_of(&engine)?;
    let script = format!(
        "i={}; while [ $i -lt {} ]; do /bin/usleep $i; i=$((i+1)); done; sleep 1000000",
        PROCESSES.start, PROCESSES.end
    );
    let pod = pods.run_pod(&PodSpec::new("lasting", "web")).map_err(|error| error.to_string())?;
    pods.run(&pod, &ContainerSpec::new("worker", ["sh", "-c", &script])).map_err(|error| error.to_string())?;
    hold(snoop, &PROCESSES.map(|micros| (micros, "lasting/web/worker".to_owned())).collect())
}

/// The program, when it sees each exec; or why this machine lets it not.
fn start(engine: &Containerd) -> Result<Agent, Obstacle> {
    let program = build::agent("ebpf")?.join("execsnoop");
    // All of them, so that one without a name is seen, too.
    let mut snoop = Agent::start(Command::new(program).arg("-a").arg(engine.endpoint()))?;
    let ready = wait::until("execsnoop to begin", wait::PATIENCE, || match snoop.ended() {
        Some(status) => Ok(Err(status)),
        None if snoop.lines().is_empty() => Err(snoop.last_error()),
        None => Ok(Ok(())),
    })?;
    match ready {
        Ok(()) => Ok(snoop),
        Err(status) if status.code() == Some(NO_BPF) => Err(Obstacle::Skip(snoop.last_error())),
        Err(status) => Err(Obstacle::Fail(format!("execsnoop: {status}: {}", snoop.last_error()))),
    }
}

/// Waits until all processes were shown, and compares their names.
fn hold(mut snoop: Agent, expected: &BTreeMap<usize, String>) -> Outcome {
    let is_expected = |(micros, _): &(usize, String)| expected.contains_key(micros);
    let shown = |lines: Vec<String>| -> BTreeMap<usize, String> {
        lines.iter().filter_map(|line| parse(line)).filter(is_expected).collect()
    };
    wait::until("each process to be shown", wait::PATIENCE, || {
        let lacking = expected.len() - shown(snoop.lines()).len();
        if lacking == 0 { Ok(()) } else { Err(format!("{lacking} are not; {}", snoop.last_error())) }
    })?;
    let shown = shown(snoop.lines());
    let wrong: Vec<_> = expected.iter().filter(|(micros, name)| shown.get(micros) != Some(name)).collect();
    println!("execsnoop: {} of {} processes of 5 ms have their names", expected.len() - wrong.len(), expected.len());
    let is_shown = |line: &&String| parse(line).is_some_and(|it| is_expected(&it));
    snoop.lines().iter().filter(is_shown).take(3).for_each(|line| println!("{line}"));
    snoop.end(libc::SIGTERM)?;
    if wrong.len() <= LENIENCE {
        return Ok(());
    }
    let wrong: Vec<_> = wrong.iter().map(|(micros, name)| format!("{name}: {:?}", shown.get(micros))).collect();
    Err(Obstacle::Fail(format!("{} names are wrong: {}", wrong.len(), wrong.join(", "))))
}

/// `TIME PID PPID NAMESPACE/POD/CONTAINER COMM ARGS`: the argument and the name of a usleep.
fn parse(line: &str) -> Option<(usize, String)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        [_, _, _, name, "usleep", "/bin/usleep", micros] => Some((micros.parse().ok()?, name.to_owned())),
        _ => None,
    }
}
