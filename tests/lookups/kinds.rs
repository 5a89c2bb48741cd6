//! Every kind of process that a container may have, and those that look like one.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use criwatch::cri::proto::ExecSyncRequest;
use criwatch::host::namespace::NamespaceKind;
use criwatch::watcher::{Owned, Owner, Unproven};

use crate::node::{self, Whose, whose};
use crate::support::pods::{ContainerSpec, PodSpec};
use crate::support::suite::{Outcome, Setup, Skipped, unique};
use crate::support::wait::{self, PATIENCE};

const NO_PARENT: Skipped = Skipped("the cgroups of an engine that is not ours are not known here");

/// Children, one that was exec'd, one that is dead and not waited for, and one in a cgroup within.
const SCRIPT: &str = "sleep 1000000 & sleep 1000001 & sleep 1000002 & true & exec sleep 1000003";

pub fn every_kind_of_process_is_known(setup: &mut Setup) -> Outcome {
    let parent = node::parent(setup).ok_or(NO_PARENT)?;
    let pods = &setup.engine.pods;
    let pod = pods.run_pod(&PodSpec::new("cri-lab", &unique("kinds")))?;
    let id = pods.run(&pod, &ContainerSpec::new(&unique("many"), ["sh", "-c", SCRIPT]))?;
    let other = pods.run(&pod, &ContainerSpec::lasting(&unique("other")))?;
    let request = ExecSyncRequest {
        container_id: id.clone(),
        cmd: ["sh", "-c", "sleep 1000004 >/dev/null 2>&1 &"].map(str::to_owned).into(),
        timeout: 30,
    };
    pods.call("ExecSync", |mut client| async move { client.exec_sync(request).await })?;

    let of = |id: &str| -> Vec<i32> {
        let its = |pid: &i32| node::proc_says(*pid, &parent) == Some(Whose::Container(id.to_owned()));
        node::pids().into_iter().filter(its).collect()
    };
    // Its first process, three children, a zombie, and the exec'd one.
    wait::for_condition("all its processes", PATIENCE, || {
        of(&id).len() == 6 && of(&id).iter().any(|pid| node::state(*pid) == Some('Z'))
    })?;
    let watcher = node::watcher(setup)?;
    let init = watcher.find(&id)?.pid.ok_or("no pid")?;
    let child = of(&id).into_iter().find(|pid| *pid != init && node::state(*pid) != Some('Z')).ok_or("a child")?;
    let nested = put_into_a_cgroup_within(child)?;
    let shims: Vec<i32> = node::pids().into_iter().filter(|pid| is_shim(*pid)).collect();
    let guest = Command::new("nsenter")
        .args(["-t", &init.to_string(), "-m", "-p", "-n", "sleep", "1000005"])
        .stdin(Stdio::null())
        .spawn();

    let snapshot = watcher.snapshot()?;
    let mut counts = (0, 0);
    for pid in node::pids() {
        let Some(expected) = node::proc_says(pid, &parent) else { continue };
        let start = node::start_ticks(pid).unwrap_or_default();
        for start in [0, start] {
            match whose(snapshot.find_pid(pid, start)) {
                Ok(found) => assert_eq!(found, expected, "pid {pid} {start}, {:?}", node::cgroup_dirs(pid)),
                Err(Unproven::NoProcess) if node::start_ticks(pid).is_none() => {}
                Err(why) => panic!("pid {pid} {start}: {why}"),
            }
        }
        assert_eq!(whose(snapshot.find_pid(pid, start + 1)), Err(Unproven::NoProcess), "another process had pid {pid}");
        match expected {
            Whose::Container(_) => counts.0 += 1,
            _ => counts.1 += 1,
        }
    }
    assert!(counts.0 >= 8 && counts.1 >= 8, "{counts:?}: what is tested is there");
    assert!(!shims.is_empty(), "a shim");
    let is_host = |pid: i32| whose(snapshot.find_pid(pid, 0)) == Ok(Whose::Host);
    // Other engines of this node may end theirs meanwhile.
    let is_there = |pid: &i32| is_shim(*pid);
    assert!(shims.into_iter().filter(is_there).all(|pid| is_host(pid) || !is_shim(pid)), "shims are the host's");
    if let Ok(mut guest) = guest {
        // Where it is put by its cgroup, whatever namespaces it has entered.
        assert!(is_host(guest.id() as i32));
        guest.kill()?;
        guest.wait()?;
    }
    // Threads: of this program, all the host's.
    for task in fs::read_dir("/proc/self/task")?.flatten() {
        let tid: i32 = task.file_name().to_string_lossy().parse()?;
        assert!(is_host(tid), "thread {tid}");
    }
    let sandbox = watcher.find(&pod.id)?;
    assert_eq!(whose(snapshot.find_pid(sandbox.pid.ok_or("no pid")?, 0)), Ok(Whose::Container(pod.id.clone())));
    by_other_keys(&snapshot, init, child, &id)?;

    // What is left of a removed cgroup.
    end_within(child, &nested)?;
    let text = fs::read_to_string(format!("/proc/{child}/cgroup")).unwrap_or_default();
    if text.contains(" (deleted)") {
        assert_eq!(whose(snapshot.find_pid(child, 0)), Ok(Whose::Container(id.clone())), "{text}");
    }
    // The dead, by the id of a cgroup only.
    let dead = watcher.find(&other)?;
    pods.stop(&other, 0)?;
    wait::for_condition("the exit", PATIENCE, || watcher.find(&other).is_ok_and(|c| !c.is_running()))?;
    let snapshot = watcher.snapshot()?;
    let (pid, start) = (dead.pid.ok_or("no pid")?, dead.pid_start_ticks.unwrap_or_default());
    assert_eq!(whose(snapshot.find_pid(pid, start)), Err(Unproven::NoProcess));
    if let Some(cgroup) = dead.cgroup_id {
        assert_eq!(whose(snapshot.find_cgroup(cgroup)), Ok(Whose::Container(other.clone())));
    }
    setup.figure(&format!("processes of containers {}, of the host {}", counts.0, counts.1));
    Ok(())
}

/// By the ids and paths of its cgroups, and its namespaces.
fn by_other_keys(snapshot: &criwatch::watcher::Snapshot, init: i32, child: i32, id: &str) -> Outcome {
    let expected = Whose::Container(id.to_owned());
    for pid in [init, child] {
        for line in fs::read_to_string(format!("/proc/{pid}/cgroup"))?.lines() {
            let path = line.splitn(3, ':').nth(2).unwrap_or_default();
            if path.contains(id) {
                assert_eq!(whose(Ok(snapshot.find_cgroup_path(path))), Ok(expected.clone()), "{path}");
            }
        }
        let Some(dir) = node::v2().and_then(|v2| node::cgroup_dirs(pid).into_iter().find(|dir| dir.starts_with(&v2)))
        else {
            continue;
        };
        if dir.to_string_lossy().contains(id) {
            let cgroup = fs::metadata(&dir)?.ino();
            assert_eq!(whose(snapshot.find_cgroup(cgroup)), Ok(expected.clone()), "{}", dir.display());
        }
    }
    let inode = |kind: &str| fs::metadata(format!("/proc/{init}/ns/{kind}")).map(|meta| meta.ino());
    let found = snapshot.find_namespace(NamespaceKind::Mount, inode("mnt")?);
    assert!(matches!(found, Ok((Owner::Container(c), 1)) if *c.id == *id), "{found:?}");
    // These pods are in the host's network.
    let found = snapshot.find_namespace(NamespaceKind::Net, inode("net")?);
    assert!(matches!(found, Ok((Owner::Host, _))), "{found:?}");
    Ok(())
}

fn is_shim(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.starts_with("containerd-shim"))
}

/// As systemd or Docker in a container do: a cgroup in each hierarchy.
fn put_into_a_cgroup_within(pid: i32) -> Result<Vec<std::path::PathBuf>, String> {
    let mut made = Vec::new();
    for dir in node::cgroup_dirs(pid) {
        let within = dir.join("within.scope");
        // Where a hierarchy does not permit it (cpuset wants its files filled first), the process stays in the container's.
        if fs::create_dir(&within).is_ok() {
            let _ = fs::write(within.join("cgroup.procs"), pid.to_string());
            made.push(within);
        }
    }
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    if text.contains("/within.scope") { Ok(made) } else { Err(format!("no cgroup within a container: {text}")) }
}

/// Ends the process, whose parent does not wait for it, and removes its cgroups.
fn end_within(pid: i32, cgroups: &[std::path::PathBuf]) -> Result<(), String> {
    // SAFETY: kill takes plain numbers; the process is a container's of ours.
    unsafe { libc::kill(pid, libc::SIGKILL) };
    wait::for_condition("a zombie", PATIENCE, || node::state(pid) == Some('Z'))?;
    wait::until("the cgroups to go", PATIENCE, || {
        let left: Vec<_> = cgroups.iter().filter(|dir| fs::remove_dir(dir).is_err() && dir.exists()).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    })
}

/// A snapshot does not have it; a lookup that waits does, also on engines that are polled.
pub fn one_that_is_born_is_found(setup: &mut Setup) -> Outcome {
    let parent = node::parent(setup).ok_or(NO_PARENT)?;
    let pods = &setup.engine.pods;
    let pod = pods.run_pod(&PodSpec::new("cri-lab", &unique("born")))?;
    let watcher = node::watcher(setup)?;
    for _ in 0..5 {
        let before = watcher.snapshot()?;
        let id = pods.run(&pod, &ContainerSpec::lasting(&unique("new")))?;
        let expected = Some(Whose::Container(id.clone()));
        let pid = node::pids().into_iter().find(|pid| node::proc_says(*pid, &parent) == expected).ok_or("its pid")?;
        let start = node::start_ticks(pid).ok_or("its start")?;
        assert_eq!(whose(before.find_pid(pid, start)), Ok(Whose::NotYet));
        match watcher.lookup_pid(pid, start, Some(PATIENCE))? {
            Owned::Container(container) => assert_eq!(*container.id, *id),
            other => panic!("pid {pid}: {other:?}"),
        }
        let dir = node::v2().and_then(|v2| node::cgroup_dirs(pid).into_iter().find(|dir| dir.starts_with(&v2)));
        if let Some(dir) = dir.filter(|dir| dir.to_string_lossy().contains(&id)) {
            let cgroup = fs::metadata(&dir)?.ino();
            assert_eq!(whose(before.find_cgroup(cgroup)), Ok(Whose::NotYet));
            let found = watcher.lookup_cgroup(cgroup, Some(Duration::ZERO))?;
            assert!(matches!(found, Owned::Container(c) if *c.id == *id));
        }
        pods.stop(&id, 0)?;
    }
    Ok(())
}
