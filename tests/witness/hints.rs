//! Containers that run for a moment.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;

use criwatch::cri::proto::ContainerState;
use criwatch::model::{EventType, Kind, State};

use crate::seen::Seen;
use crate::support::pods::{ContainerSpec, PodSpec};
use crate::support::suite::{Outcome, Setup, Skipped, unique};
use crate::support::wait::{self, PATIENCE};

/// Runs containers that exit at once with some code, `workers` at a time, and removes each when the engine shows its exit.
/// Returns id and code.
pub fn brief_runs(setup: &Setup, workers: usize, each: usize) -> Result<BTreeMap<String, i32>, String> {
    brief_runs_kept(setup, workers, each, &|_| Ok(()))
}

/// Returns when the container with this id may be removed.
type Keep<'a> = &'a (dyn Fn(&str) -> Result<(), String> + Sync);

/// As above; each is kept until `keep` returns.
fn brief_runs_kept(setup: &Setup, workers: usize, each: usize, keep: Keep) -> Result<BTreeMap<String, i32>, String> {
    let made = Mutex::new(BTreeMap::new());
    thread::scope(|threads| {
        let work = |worker: usize| {
            let pods = &setup.engine.pods;
            let made = &made;
            move || -> Result<(), String> {
                let text = |error: &dyn std::fmt::Display| error.to_string();
                let pod = pods.run_pod(&PodSpec::new("cri-lab", &unique("brief"))).map_err(|e| text(&e))?;
                for n in 0..each {
                    let code = ((worker * each + n) % 100) as i32;
                    let script = format!("exit {code}");
                    let spec = ContainerSpec::new(&format!("c{n}"), ["sh", "-c", &script]);
                    let id = pods.create(&pod, &spec).map_err(|e| text(&e))?;
                    pods.start(&id).map_err(|e| text(&e))?;
                    wait::until("the engine to show the exit", PATIENCE, || {
                        let status = pods.brief_status(&id).map_err(|e| text(&e))?;
                        let is_over = status.state == ContainerState::ContainerExited as i32;
                        if is_over { Ok(()) } else { Err(format!("state {}", status.state)) }
                    })?;
                    keep(&id)?;
                    pods.remove(&id).map_err(|e| text(&e))?;
                    made.lock().map_err(|e| text(&e))?.insert(id, code);
                }
                pods.remove_pod(&pod.id).map_err(|e| text(&e))
            }
        };
        let handles: Vec<_> = (0..workers).map(|worker| threads.spawn(work(worker))).collect();
        handles.into_iter().try_for_each(|handle| handle.join().map_err(|_| "a worker panicked".to_owned())?)
    })?;
    made.into_inner().map_err(|e| e.to_string())
}

/// How many of these were reported to start and to exit, with the right code, and with a pid.
fn tally(seen: &mut Seen, made: &BTreeMap<String, i32>) -> Result<(usize, usize, usize), Box<dyn std::error::Error>> {
    seen.watcher.resync(Some(PATIENCE))?;
    seen.drain();
    let told = |event_type: EventType, id: &str| {
        let is_it = |e: &&criwatch::model::Event| {
            e.event_type == event_type
                && e.container.as_ref().is_some_and(|c| &*c.id == id && c.kind == Kind::Container)
        };
        seen.events.iter().filter(is_it).collect::<Vec<_>>()
    };
    let (mut whole, mut coded, mut with_pid) = (0, 0, 0);
    for (id, code) in made {
        let (started, exited) = (told(EventType::Started, id), told(EventType::Exited, id));
        assert!(started.len() <= 1 && exited.len() <= 1, "{id} twice: {started:?} {exited:?}");
        whole += usize::from(started.len() == 1 && exited.len() == 1);
        let exit = |e: &criwatch::model::Event| e.container.as_ref().and_then(|c| c.exit.clone()).and_then(|x| x.code);
        // An EXITED without a code is followed by an UPDATED with it, where the engine has it.
        let last = exited.iter().chain(&told(EventType::Updated, id)).max_by_key(|e| e.seq).copied();
        coded += usize::from(last.is_some_and(|e| exit(e) == Some(*code)));
        with_pid += usize::from(started.first().is_some_and(|e| e.container.as_ref().is_some_and(|c| c.pid.is_some())));
    }
    Ok((whole, coded, with_pid))
}

pub fn short_runs_are_reported(setup: &mut Setup) -> Outcome {
    let seen = Seen::of(&setup.engine.endpoint, &[])?;
    if seen.watcher.engine()?.events.streaming {
        return Err(Skipped("this engine has events").into());
    }
    // On a machine that is short of CPUs, the engine may have dropped some before anybody could ask; 99 are usual.
    short_runs(setup, seen, "by the engine's folders", (80, 60))
}

/// Where each is kept until it was reported, none waits for the next list by time, however busy the machine is.
pub fn short_runs_wait_for_no_list(setup: &mut Setup) -> Outcome {
    let mut seen = Seen::of(&setup.engine.endpoint, &[("poll.interval_ms", "86400000")])?;
    if seen.watcher.engine()?.events.streaming {
        return Err(Skipped("this engine has events").into());
    }
    seen.wait_for_means("folders")?;
    let watcher = &seen.watcher;
    let is_shown = |id: &str| {
        wait::until(&format!("the watcher to show the exit of {id}"), PATIENCE, || {
            let snapshot = watcher.snapshot().map_err(|e| e.to_string())?;
            let container = snapshot.find(id).map_err(|e| e.to_string())?;
            let is_over = container.state == State::Exited && container.exit.as_ref().is_some_and(|x| x.code.is_some());
            if is_over { Ok(()) } else { Err(format!("{container:?}")) }
        })
    };
    let made = brief_runs_kept(setup, 24, 2, &is_shown)?;
    let lists = seen.calls()?.get("ListContainers").copied().unwrap_or_default();
    setup.figure(&format!("kept until reported, 24 at a time: {} runs cost {lists} lists", made.len()));
    let (whole, coded, _) = tally(&mut seen, &made)?;
    assert_eq!((whole, coded), (made.len(), made.len()));
    Ok(())
}

/// As above, where the engine's folders are not to be seen.
pub fn short_runs_by_cgroups(setup: &mut Setup) -> Outcome {
    let seen = Seen::of(&setup.engine.endpoint, &[("pid.source", "engine"), ("events", "poll")])?;
    if seen.wait_for_means("fanotify").is_err() {
        return Err(Skipped("this program may not mark cgroups here, or the kernel cannot").into());
    }
    // Only the engine reports the pid here, and followed by nobody.
    short_runs(setup, seen, "by a mark on cgroups", (75, 0))
}

/// So many of a hundred have to be reported, and with their codes.
fn short_runs(setup: &mut Setup, mut seen: Seen, how: &str, (least_whole, least_coded): (usize, usize)) -> Outcome {
    let mut all = (0, 0, 0, 0);
    for (workers, each) in [(1, 20), (24, 3)] {
        let made = brief_runs(setup, workers, each)?;
        let (whole, coded, pids) = tally(&mut seen, &made)?;
        setup.figure(&format!(
            "{how}, {workers} at a time: {whole} of {} runs reported, {coded} exit codes right, {pids} with a pid",
            made.len()
        ));
        all = (all.0 + made.len(), all.1 + whole, all.2 + coded, all.3 + pids);
    }
    let (made, whole, coded, _) = all;
    assert!(
        whole * 100 >= made * least_whole && coded * 100 >= made * least_coded,
        "of {made} runs {whole} were reported, {coded} with code"
    );
    Ok(())
}

pub fn a_pid_is_known_before(setup: &mut Setup) -> Outcome {
    let mut seen = Seen::of(&setup.engine.endpoint, &[])?;
    if !seen.watcher.engine()?.events.streaming {
        return Err(Skipped("this engine has no events").into());
    }
    seen.wait_for_means("folders")?;
    let made = brief_runs(setup, 8, 5)?;
    let (whole, coded, pids) = tally(&mut seen, &made)?;
    setup.figure(&format!(
        "8 at a time: {whole} of {} runs reported, {coded} codes right, {pids} with a pid",
        made.len()
    ));
    assert_eq!(whole, made.len());
    // 95 of 100 are usual. On a machine that is short of CPUs, a process may be over before anybody can look at it.
    assert!(pids * 100 >= made.len() * 60, "{pids} of {} have a pid", made.len());
    Ok(())
}
