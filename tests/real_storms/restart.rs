//! The engine ends and comes back, while runs begin and end.

use std::collections::BTreeSet;
use std::io;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use criwatch::cri::proto::ContainerState;
use criwatch::model::CRI_EVENT_FLAG_SYNTHETIC;
use serde_json::Value;

use crate::churn::{fail_on, outlast_two_polls, wait_for_exits};
use crate::support::churn::{Churn, Run, Span, Stage};
use crate::support::containerd::Containerd;
use crate::support::pods::{ContainerSpec, Pod, Pods};
use crate::support::probe::{Events, Line};
use crate::support::suite::{Outcome, Setup, Skipped, unique};
use crate::support::tap::Tap;
use crate::support::wait::{self, PATIENCE};

const WORKERS: usize = 8;

pub fn survives_sigterm(setup: &mut Setup) -> Outcome {
    survives(setup, Containerd::terminate)
}

pub fn survives_sigkill(setup: &mut Setup) -> Outcome {
    survives(setup, Containerd::kill)
}

fn survives(setup: &mut Setup, end: fn(&mut Containerd) -> io::Result<ExitStatus>) -> Outcome {
    let Some(mut containerd) = setup.engine.containerd.take() else {
        return Err(Skipped("an engine that is not ours is not restarted").into());
    };
    let outcome = survives_end_of(&mut containerd, setup, end);
    setup.engine.containerd = Some(containerd);
    outcome
}

fn survives_end_of(
    containerd: &mut Containerd,
    setup: &Setup,
    end: fn(&mut Containerd) -> io::Result<ExitStatus>,
) -> Outcome {
    let driver = &setup.engine.pods;
    let tap = Tap::where_all_get_all(Some(containerd))?;
    let events = setup.follow()?;
    let streams = events.list()?["engine"]["events"] == "stream";
    let churn = Churn::new(driver, 2)?;
    let pod = &churn.pods()[0];
    let (doomed, lasting) = (ContainerSpec::lasting(&unique("doomed")), ContainerSpec::lasting(&unique("lasting")));
    let (doomed, lasting) = (driver.run(pod, &doomed)?, driver.run(pod, &lasting)?);
    let doomed_pid = pid_of(driver, &doomed)?;
    let mut sentinels = BTreeSet::new();
    if streams {
        sentinels.extend(wait_for_the_stream(driver, &events, pod)?);
    }

    // The end, in the midst of it all.
    let is_gone = AtomicBool::new(false);
    let lasts = || outlast_two_polls(&events, || is_gone.load(Ordering::Relaxed));
    let span = if streams { Span::Brief } else { Span::While(&lasts) };
    let (removed, runs) = thread::scope(|scope| -> Result<_, Box<dyn std::error::Error>> {
        let workers = scope.spawn(|| churn.run(WORKERS, usize::MAX, span));
        let some = wait::for_condition("some runs", PATIENCE, || reached(&churn, Stage::Removed).len() >= 24);
        let removed = reached(&churn, Stage::Removed);
        let ended = end(containerd);
        is_gone.store(true, Ordering::Relaxed);
        churn.stop();
        workers.join().expect("the churn reports its errors");
        some?;
        ended?;
        Ok((removed, churn.runs()))
    })?;
    // SAFETY: kill takes plain numbers. The process is the container's first one, which nobody waits for meanwhile.
    assert_eq!(unsafe { libc::kill(doomed_pid, libc::SIGKILL) }, 0, "{}", io::Error::last_os_error());
    containerd.start_again()?;
    wait::until("the engine to be reached again", PATIENCE, || driver.version().map_err(|error| error.to_string()))?;
    let left = Left::on(driver)?;

    // It goes on after the restart.
    events.wait_for("exit while the engine was away", PATIENCE, |lines| {
        lines.iter().any(|line| line.id == doomed && line.event_type == "EXITED")
    })?;
    if streams {
        sentinels.extend(wait_for_the_stream(driver, &events, pod)?);
    }
    is_gone.store(false, Ordering::Relaxed);
    fail_on(churn.run(WORKERS, 24, span))?;
    let later = churn.runs().split_off(runs.len());
    wait_for_exits(&events, &later)?;
    events.resync()?;

    let mut account = setup.account(events.finish()?);
    // Before the end the events of what was removed had been sent to the library, and after it there are new ones.
    let delivered = tap.map(|tap| tap.delivered());
    account
        .are_reported_with_their_facts(removed.iter().chain(&later), delivered.as_ref().map(|events| &events.exited));
    left.exited.iter().for_each(|id| account.is_reported_to_its_end(id));
    left.running.iter().for_each(|id| account.is_reported_running(id));
    delivered.iter().flat_map(|events| &events.exited).for_each(|id| account.is_reported_to_its_end(id));
    let all = churn.runs().into_iter().map(|run| run.id);
    let pods = churn.pods().iter().map(|pod| pod.id.clone());
    let known: BTreeSet<String> = all.chain(pods).chain(left.all.clone()).chain(sentinels).collect();
    account.invents_nothing(&known);
    assert!(left.exited.contains(&doomed) && left.running.contains(&lasting), "as it was done");
    let started = runs.iter().filter(|run| run.stage >= Stage::Started);
    let unobservable: Vec<&Run> = started.filter(|run| !account.knows(&run.id)).collect();
    setup.figure(&format!(
        "runs reported {}: {} over before the end, {} found after it, {} begun afterwards; unobservable {}",
        account.runs(),
        removed.len(),
        left.exited.len() + left.running.len(),
        later.len(),
        unobservable.len()
    ));
    Ok(account.close()?)
}

fn reached(churn: &Churn, stage: Stage) -> Vec<Run> {
    churn.runs().into_iter().filter(|run| run.stage >= stage).collect()
}

fn pid_of(driver: &Pods, id: &str) -> Result<i32, Box<dyn std::error::Error>> {
    let status = driver.container_status(id)?;
    let info: Value = serde_json::from_str(status.info.get("info").ok_or("a verbose status has information")?)?;
    Ok(info["pid"].as_i64().ok_or("a running container has a pid")? as i32)
}

/// Waits until a run is reported from the event stream, and not from a list: the subscription is there. Returns the
/// containers that it took to see that.
fn wait_for_the_stream(driver: &Pods, events: &Events, pod: &Pod) -> Result<Vec<String>, String> {
    let mut sentinels = Vec::new();
    wait::until("a start reported from the event stream", PATIENCE, || {
        let spec = ContainerSpec::new(&unique("sentinel"), ["true"]);
        let id = driver.run(pod, &spec).map_err(|error| error.to_string())?;
        sentinels.push(id.clone());
        let is_start = |line: &&Line| line.id == id && line.event_type == "STARTED";
        events.wait_for("start of the sentinel", PATIENCE, |lines| lines.iter().any(|line| is_start(&line)))?;
        let lines = events.so_far();
        let start = lines.iter().find(is_start).expect("it was waited for");
        if start.flags & CRI_EVENT_FLAG_SYNTHETIC == 0 { Ok(()) } else { Err("it came from a list".into()) }
    })?;
    Ok(sentinels)
}

/// The containers that the engine has after its restart.
struct Left {
    all: BTreeSet<String>,
    running: BTreeSet<String>,
    /// Has run, and does no more.
    exited: BTreeSet<String>,
}

impl Left {
    fn on(driver: &Pods) -> Result<Left, Box<dyn std::error::Error>> {
        let (mut all, mut running, mut exited) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for container in driver.containers()? {
            let status = driver.brief_status(&container.id)?;
            match status.state() {
                ContainerState::ContainerRunning => running.insert(container.id.clone()),
                ContainerState::ContainerExited if status.started_at > 0 => exited.insert(container.id.clone()),
                _ => false,
            };
            all.insert(container.id);
        }
        Ok(Left { all, running, exited })
    }
}
