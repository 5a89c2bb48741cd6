//! Pids from the engine's pid files.

use criwatch::model::EventType;

use crate::seen::Seen;
use crate::support::pods::{ContainerSpec, Pod, PodSpec};
use crate::support::suite::{Outcome, Setup, Skipped, unique};
use crate::support::wait::{self, PATIENCE};

/// Whether the engine's pid files are known, and lie on this machine.
fn needs_files(setup: &Setup) -> Outcome {
    match setup.engine.containerd {
        Some(_) => Ok(()),
        None => Err(Skipped("only the pid files of an engine of our own are sure to be readable").into()),
    }
}

pub fn run_some(setup: &Setup, count: usize) -> Result<(Pod, Vec<String>), Box<dyn std::error::Error>> {
    let pod = setup.engine.pods.run_pod(&PodSpec::new("cri-lab", &unique("witness")))?;
    let run = |n| setup.engine.pods.run(&pod, &ContainerSpec::lasting(&format!("c{n}")));
    let ids = (0..count).map(run).collect::<Result<Vec<_>, _>>()?;
    Ok((pod, ids))
}

/// The pid that the engine reports.
pub fn engines_pid(setup: &Setup, id: &str) -> Result<Option<i32>, Box<dyn std::error::Error>> {
    let status = setup.engine.pods.container_status(id)?;
    let info: serde_json::Value = serde_json::from_str(status.info.get("info").map_or("{}", String::as_str))?;
    Ok(info["pid"].as_i64().map(|pid| pid as i32))
}

pub fn a_cold_sync_is_two_lists(setup: &mut Setup) -> Outcome {
    needs_files(setup)?;
    let (pod, ids) = run_some(setup, 6)?;
    let began = std::time::Instant::now();
    let seen = Seen::of(&setup.engine.endpoint, &[("details", "none")])?;
    setup.figure(&format!("ready with {} containers after {:?}", ids.len() + 1, began.elapsed()));
    let calls = seen.calls()?;
    let allowed = ["Version", "Status", "ListContainers", "ListPodSandbox", "GetContainerEvents"];
    assert!(calls.keys().all(|name| allowed.contains(&name.as_str())), "{calls:?}");
    assert_eq!(calls["Version"], 1, "{calls:?}");
    // Where the pid files are beside the socket, the engine is asked for its folders after READY.
    wait::until("one Status", PATIENCE, || match seen.calls().map_err(|error| error.to_string())?.get("Status") {
        Some(1) => Ok(()),
        other => Err(format!("{other:?}")),
    })?;
    let known = seen.watcher.containers()?;
    assert_eq!(known.len(), ids.len() + 1, "{known:?}");
    for container in &known {
        let (pid, start) = (container.pid, container.pid_start_ticks);
        assert!(pid.is_some() && start.is_some() && container.namespaces.net != 0, "{container:?}");
        assert_eq!(container.missing, 0, "{container:?}");
        let cgroup = container.cgroup_path.as_deref().unwrap_or_default();
        assert!(cgroup.starts_with('/') && cgroup.contains(&*container.id), "{container:?}");
    }
    for id in &ids {
        let known = known.iter().find(|c| *c.id == **id).ok_or("it is not listed")?;
        assert_eq!(known.pid, engines_pid(setup, id)?, "{known:?}");
    }
    assert!(known.iter().any(|c| *c.id == *pod.id), "the sandbox has a pid file, too");
    assert_eq!(seen.counter("pidsFromFiles")?, known.len() as u64);
    assert_eq!(seen.counter("pidsFromEngine")?, 0);
    seen.wait_for_means("pidfds")?;
    holds_no_namespace()
}

/// A namespace that is held open lives on, with its mounts and its network: it blocks whoever takes the container down.
fn holds_no_namespace() -> Outcome {
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let link = std::fs::read_link(entry?.path()).unwrap_or_default();
        let link = link.to_string_lossy().into_owned();
        let is_namespace =
            link.split_once(":[").is_some_and(|(kind, _)| !matches!(kind, "pipe" | "socket" | "anon_inode"));
        assert!(!is_namespace, "{link} is held open");
    }
    Ok(())
}

pub fn a_start_costs_no_request(setup: &mut Setup) -> Outcome {
    needs_files(setup)?;
    let mut seen = Seen::of(&setup.engine.endpoint, &[("details", "none")])?;
    if !seen.watcher.engine()?.events.streaming {
        return Err(Skipped("this engine has no events: a start is found by a list").into());
    }
    let (_, ids) = run_some(setup, 3)?;
    for id in &ids {
        let started = seen.event(EventType::Started, id)?;
        let container = started.container.ok_or("no container")?;
        assert_eq!(container.pid, engines_pid(setup, id)?, "{container:?}");
        assert!(container.started_at.is_some() && container.pid_start_ticks.is_some(), "{container:?}");
    }
    let calls = seen.calls()?;
    assert!(!calls.contains_key("ContainerStatus") && !calls.contains_key("PodSandboxStatus"), "{calls:?}");
    Ok(())
}

pub fn details_come_later(setup: &mut Setup) -> Outcome {
    needs_files(setup)?;
    let (_, ids) = run_some(setup, 3)?;
    let seen = Seen::of(&setup.engine.endpoint, &[])?;
    wait::until("the command of each container", PATIENCE, || {
        let known = seen.watcher.containers().map_err(|e| e.to_string())?;
        let told =
            |c: &&std::sync::Arc<criwatch::model::Container>| !c.spec.command.is_empty() && c.started_at.is_some();
        match known.iter().filter(told).filter(|c| ids.iter().any(|id| *c.id == **id)).count() {
            n if n == ids.len() => Ok(()),
            n => Err(format!("{n} have one")),
        }
    })?;
    // On a slow machine an event of the starts comes after the first list: it asks for the same status.
    wait::until("all details", PATIENCE, || {
        let asked = |reason| seen.counter(reason).map_err(|error| error.to_string());
        let (for_details, for_events) = (asked("statusRequestsForDetails")?, asked("statusRequestsForEvent")?);
        let is_each = for_details + for_events >= 4;
        if is_each { Ok(()) } else { Err(format!("{:#}", seen.stats().map_err(|error| error.to_string())?["stats"])) }
    })?;
    assert_eq!(seen.counter("statusRequestsForStart")?, 0);
    Ok(())
}

pub fn without_pid_files(setup: &mut Setup) -> Outcome {
    let (_, ids) = run_some(setup, 3)?;
    let seen = Seen::of(&setup.engine.endpoint, &[("pid.source", "engine")])?;
    let known = seen.watcher.containers()?;
    for id in &ids {
        let known = known.iter().find(|c| *c.id == **id).ok_or("it is not listed")?;
        assert_eq!(known.pid, engines_pid(setup, id)?, "{known:?}");
    }
    assert_eq!(seen.counter("pidsFromFiles")?, 0);
    assert!(seen.counter("pidsFromEngine")? >= 3);
    Ok(())
}
