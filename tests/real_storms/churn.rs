//! Many short runs at once.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

use crate::support::churn::{Churn, Run, Span, for_all};
use crate::support::pods::{ContainerSpec, PodSpec};
use crate::support::probe::Events;
use crate::support::suite::{Outcome, Setup, unique};
use crate::support::tap::Tap;
use crate::support::wait::{self, PATIENCE};

const WORKERS: usize = 24;

pub fn reports_every_run_of_a_churn(setup: &mut Setup) -> Outcome {
    let events = setup.follow()?;
    if events.list()?["engine"]["events"] == "stream" { streamed(setup, events) } else { polled(setup, events) }
}

/// With events, no run is too short; and it does not matter how lists and events follow each other.
fn streamed(setup: &Setup, events: Events) -> Outcome {
    let tap = Tap::where_all_get_all(setup.engine.containerd.as_ref())?;
    let churn = Churn::new(&setup.engine.pods, 4)?;
    let (errors, resyncs) = while_resyncing(&events, || churn.run(WORKERS, 216, Span::Brief))?;
    fail_on(errors)?;
    let runs = churn.runs();
    wait_for_exits(&events, &runs)?;
    let mut account = setup.account(events.finish()?);
    let reported_by_engine = tap.map(|tap| tap.delivered().exited);
    account.are_reported_with_their_facts(&runs, reported_by_engine.as_ref());
    let fallen = churn.pods_are_reported(&mut account)?;
    account.invents_nothing(&all_ids(&churn));
    let unknown = account.unknown_codes();
    assert!(unknown < runs.len() / 10, "{unknown} of {} exit codes are unknown", runs.len());
    setup.figure(&format!(
        "runs reported {}, of them containers over at once {}, during {resyncs} resyncs; unobservable 0, sandboxes that fell \
         {fallen}, exit codes that the \
         engine gave nobody {unknown}",
        account.runs(),
        runs.len()
    ));
    Ok(account.close()?)
}

/// Does it while the watcher lists without a pause. Also, how often it did.
fn while_resyncing<T: Send>(events: &Events, act: impl FnOnce() -> T + Send) -> Result<(T, usize), String> {
    thread::scope(|scope| {
        let act = scope.spawn(act);
        let mut resyncs = 0;
        while !act.is_finished() {
            events.resync()?;
            resyncs += 1;
        }
        Ok((act.join().expect("it reports its errors"), resyncs))
    })
}

/// Whole pods, each with a container that its pod's end kills.
pub fn reports_every_pod_of_a_churn(setup: &mut Setup) -> Outcome {
    const PODS: usize = 40;
    let events = setup.follow()?;
    let streams = events.list()?["engine"]["events"] == "stream";
    let driver = &setup.engine.pods;
    let made = Mutex::new(BTreeSet::new());
    let one_pod = |_: &()| -> Outcome {
        let pod = driver.run_pod(&PodSpec::new("cri-lab", &unique("pod")))?;
        let container = driver.run(&pod, &ContainerSpec::lasting(&unique("of-pod")))?;
        made.lock().expect("no worker panics").extend([pod.id.clone(), container]);
        if !streams {
            outlast_two_polls(&events, || false)?;
        }
        Ok(driver.remove_pod(&pod.id)?)
    };
    let all = || for_all(&[(); PODS], 6, |it| one_pod(it).map_err(|error| error.to_string()));
    let resyncs = if streams {
        let (outcome, resyncs) = while_resyncing(&events, all)?;
        outcome?;
        resyncs
    } else {
        all()?;
        0
    };
    let made = made.into_inner().expect("no worker panics");
    events.wait_for("exits", PATIENCE, |lines| {
        made.iter().all(|id| lines.iter().any(|line| line.id == *id && line.event_type == "EXITED"))
    })?;
    events.resync()?;
    let mut account = setup.account(events.finish()?);
    made.iter().for_each(|id| account.is_reported_to_its_end(id));
    account.invents_nothing(&made);
    setup.figure(&format!(
        "runs reported {}: {PODS} pods and their containers, during {resyncs} resyncs; unobservable 0",
        account.runs()
    ));
    Ok(account.close()?)
}

/// Without events, every run that outlasts two polls is reported; of the shorter ones, those that happen to be seen.
fn polled(setup: &Setup, events: Events) -> Outcome {
    let churn = Churn::new(&setup.engine.pods, 2)?;
    fail_on(churn.run(8, 32, Span::While(&|| outlast_two_polls(&events, || false))))?;
    let lasting = churn.runs();
    fail_on(churn.run(WORKERS, 48, Span::Brief))?;
    wait_for_exits(&events, &lasting)?;
    // Nothing is left: each STARTED has to be followed by its EXITED.
    events.resync()?;
    events.wait_for("exits of all that were reported", PATIENCE, |lines| {
        let of = |event_type: &str| -> BTreeSet<&str> {
            let lines = lines.iter().filter(|line| line.kind == "container" && line.event_type == event_type);
            lines.map(|line| line.id.as_str()).collect()
        };
        of("STARTED") == of("EXITED")
    })?;
    let mut account = setup.account(events.finish()?);
    account.are_reported_with_their_facts(&lasting, None);
    let brief = churn.runs().split_off(lasting.len());
    let (seen, unseen): (Vec<&Run>, Vec<&Run>) = brief.iter().partition(|run| account.knows(&run.id));
    account.are_reported_with_their_facts(seen, None);
    let fallen = churn.pods_are_reported(&mut account)?;
    account.invents_nothing(&all_ids(&churn));
    setup.figure(&format!(
        "runs reported {}, of them containers that outlast two polls {}; unobservable {}, sandboxes that fell {fallen}, exit \
         codes that no poll showed {}",
        account.runs(),
        lasting.len(),
        unseen.len(),
        account.unknown_codes()
    ));
    Ok(account.close()?)
}

/// Two lists have come; the second of them began after now. An error once the engine `is_gone`.
pub fn outlast_two_polls(events: &Events, is_gone: impl Fn() -> bool) -> Result<(), String> {
    for _ in 0..2 {
        let before = events.list()?["asOf"].clone();
        wait::until("the next poll", PATIENCE, || match events.list()?["asOf"] {
            ref now if *now != before => Ok(Ok(())),
            _ if is_gone() => Ok(Err("the engine is gone".to_owned())),
            ref now => Err(format!("the newest list is still of {now}")),
        })??;
    }
    Ok(())
}

/// Waits until the exits of these runs are reported.
pub fn wait_for_exits(events: &Events, runs: &[Run]) -> Result<(), String> {
    let expected: BTreeSet<&str> = runs.iter().map(|run| run.id.as_str()).collect();
    events.wait_for("exits", PATIENCE, |lines| {
        let exited = lines.iter().filter(|line| line.event_type == "EXITED").map(|line| line.id.as_str());
        expected.is_subset(&exited.collect())
    })
}

/// All that a churn has made.
pub fn all_ids(churn: &Churn) -> BTreeSet<String> {
    let runs = churn.runs().into_iter().map(|run| run.id);
    runs.chain(churn.pods().iter().map(|pod| pod.id.clone())).collect()
}

/// A worker's error where none is expected.
pub fn fail_on(errors: Vec<String>) -> Result<(), String> {
    errors.into_iter().next().map_or(Ok(()), Err)
}
