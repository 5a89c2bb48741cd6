//! Exits: as the engine reports them while it runs, and as the host shows them while it is away.

use std::time::{Duration, Instant};

use criwatch::host::pidfd::Abilities;
use criwatch::model::{CRI_CHANGED_EXIT, CRI_EVENT_FLAG_WITNESSED, EventType, WatcherState};

use crate::seen::Seen;
use crate::support::pods::{ContainerSpec, PodSpec};
use crate::support::suite::{Outcome, Setup, Skipped, unique};
use crate::support::wait::{self, PATIENCE};

const CODES: [i32; 6] = [0, 1, 3, 42, 77, 255];

/// Containers that exit with these codes when they are asked to.
fn run_stoppable(setup: &Setup) -> Result<Vec<(String, i32)>, Box<dyn std::error::Error>> {
    let pod = setup.engine.pods.run_pod(&PodSpec::new("cri-lab", &unique("exits")))?;
    let run = |(n, code): (usize, &i32)| {
        let id = setup.engine.pods.run(&pod, &ContainerSpec::stoppable(&format!("c{n}"), *code))?;
        Ok((id, *code))
    };
    CODES.iter().enumerate().map(run).collect()
}

pub fn pid_of(seen: &Seen, id: &str) -> Result<i32, Box<dyn std::error::Error>> {
    let known = seen.watcher.containers()?;
    let found = known.iter().find(|c| &*c.id == id).and_then(|c| c.pid);
    found.ok_or_else(|| format!("no pid of {id}: {known:?}").into())
}

pub fn end(pid: i32) {
    // SAFETY: plain numbers; the process is one of the test's own containers.
    unsafe { libc::kill(pid, libc::SIGTERM) };
}

pub fn reported_while_away(setup: &mut Setup) -> Outcome {
    if setup.engine.containerd.is_none() {
        return Err(Skipped("only an engine of our own may be killed").into());
    }
    let ids = run_stoppable(setup)?;
    let mut seen = Seen::of(&setup.engine.endpoint, &[])?;
    // The containers and their sandbox are followed.
    seen.wait_for_means("pidfds")?;
    let pids = ids.iter().map(|(id, _)| pid_of(&seen, id)).collect::<Result<Vec<_>, _>>()?;
    let engine = setup.engine.containerd.as_mut().ok_or("no engine of our own")?;
    engine.kill()?;
    wait::until("the watcher to notice", PATIENCE, || match seen.watcher.state() {
        WatcherState::Backoff => Ok(()),
        state => Err(format!("{state:?}")),
    })?;
    let began = Instant::now();
    pids.iter().for_each(|pid| end(*pid));
    let has_codes = Abilities::get().exit.is_yes();
    for (id, code) in &ids {
        let exited = seen.event(EventType::Exited, id)?;
        assert_ne!(exited.flags & CRI_EVENT_FLAG_WITNESSED, 0, "{exited:?}");
        let container = exited.container.ok_or("no container")?;
        if has_codes {
            assert_eq!(container.exit.as_ref().and_then(|e| e.code), Some(*code), "{container:?}");
        }
        assert!(container.finished_at.is_some(), "{container:?}");
    }
    setup.figure(&format!("{} exits reported while the engine is away, in {:?}", ids.len(), began.elapsed()));
    assert!(began.elapsed() < Duration::from_secs(30), "not before the engine is back");
    assert_eq!(seen.watcher.state(), WatcherState::Backoff);

    seen.engine_returns(setup)?;
    for (id, code) in &ids {
        let about = |e: &&criwatch::model::Event| e.container.as_ref().is_some_and(|c| *c.id == **id);
        let told: Vec<_> = seen.events.iter().filter(about).collect();
        let count = |kind| told.iter().filter(|e| e.event_type == kind).count();
        assert_eq!((count(EventType::Started), count(EventType::Exited)), (1, 1), "{told:?}");
        let record = seen.watcher.get(id)?;
        let record: serde_json::Value = serde_json::from_str(record.as_str())?;
        if has_codes {
            // containerd's `255 Unknown` is worth less than what the host saw.
            assert_eq!(record["container"]["exitCode"], *code, "{record:#}");
            let spoiled = |e: &&&criwatch::model::Event| {
                e.event_type == EventType::Updated
                    && e.changed & CRI_CHANGED_EXIT != 0
                    && e.container.as_ref().and_then(|c| c.exit.as_ref()).and_then(|x| x.code) != Some(*code)
            };
            assert_eq!(told.iter().filter(spoiled).count(), 0, "{told:?}");
        }
    }
    assert_eq!(seen.counter("witnessedExits")?, ids.len() as u64);
    Ok(())
}

pub fn engine_first(setup: &mut Setup) -> Outcome {
    let ids = run_stoppable(setup)?;
    let mut seen = Seen::of(&setup.engine.endpoint, &[])?;
    if setup.engine.containerd.is_some() {
        seen.wait_for_means("pidfds")?;
    }
    for (id, code) in &ids {
        end(pid_of(&seen, id)?);
        let exited = seen.event(EventType::Exited, id)?;
        assert_eq!(exited.flags & CRI_EVENT_FLAG_WITNESSED, 0, "{exited:?}");
        let exit = exited.container.and_then(|c| c.exit.clone());
        assert_eq!(exit.and_then(|e| e.code), Some(*code));
    }
    assert_eq!(seen.counter("witnessedExits")?, 0);
    Ok(())
}

pub fn without_witness(setup: &mut Setup) -> Outcome {
    for (options, lack) in [(("host.witness", "off"), "all"), (("host.max_descriptors", "1"), "")] {
        let ids = run_stoppable(setup)?;
        let mut seen = Seen::of(&setup.engine.endpoint, &[options, ("poll.interval_ms", "100")])?;
        for (id, code) in &ids {
            end(pid_of(&seen, id)?);
            let exit = seen.event(EventType::Exited, id)?.container.and_then(|c| c.exit.clone());
            assert_eq!(exit.and_then(|e| e.code), Some(*code));
        }
        if !lack.is_empty() {
            let witness = seen.witness()?;
            assert!(witness["lacks"][lack].as_str().is_some_and(|why| why.contains(options.0)), "{witness:#}");
            assert_eq!(witness["means"], serde_json::json!([]), "{witness:#}");
        }
    }
    Ok(())
}
