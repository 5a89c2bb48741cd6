//! Lookups by the id that cgroup v2 gives a cgroup.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::super::cgroup_paths::CgroupPaths;
use super::*;
use crate::host::CgroupText;
use crate::host::cgroup::Mode;
use crate::portfolio::HostReader;

/// A host with cgroup v2 alone, whose kernel gives ids by pidfds and paths by handles.
#[derive(Debug, Default)]
struct Unified {
    paths_asked: AtomicUsize,
    files_asked: AtomicUsize,
    paths: CgroupPaths,
    /// Whether all cgroups are gone.
    is_over: AtomicBool,
}

impl HostReader for Unified {
    fn mode(&self) -> Option<Mode> {
        Some(Mode::Unified)
    }

    /// Each cgroup has its process's pid as its id.
    fn v2_id(&self, pid: i32) -> Option<u64> {
        Some(pid as u64)
    }

    fn start_ticks(&self, _: i32) -> Result<u64, Unproven> {
        Ok(1)
    }

    fn cgroups_of(&self, pid: i32, with: &mut dyn FnMut(CgroupText<'_>)) -> Result<(), Unproven> {
        self.files_asked.fetch_add(1, Ordering::Relaxed);
        let text = format!("0::{} (deleted)\n", self.v2_path(if pid == 13 { 11 } else { 10 })?);
        with(CgroupText { text: &text, is_own_view: false });
        Ok(())
    }

    fn v2_path(&self, id: u64) -> Result<String, Unproven> {
        self.paths_asked.fetch_add(1, Ordering::Relaxed);
        match id {
            _ if self.is_over.load(Ordering::Relaxed) => self.paths.get(id).ok_or(Unproven::NoCgroup),
            10 => Ok("/system.slice/sshd.service".into()),
            11 => Ok(format!("/kubepods/pod{UID}/crio-{A}.scope/container")),
            12 => Ok(format!("/kubepods/pod{UID}/crio-{B}.scope/container")),
            _ => Err(Unproven::NoCgroup),
        }
    }

    fn keep_v2_path(&self, id: u64, path: &str) {
        self.paths.keep(id, path);
    }

    fn own_v2_id(&self) -> Option<u64> {
        None
    }

    fn host_namespace(&self, _: NamespaceKind) -> Option<u64> {
        None
    }
}

#[test]
fn what_a_cgroup_is_is_asked_once_for_each_snapshot() {
    let host = Arc::new(Unified::default());
    let snapshot = Snapshot::of(node(), |_| true).with_reader(host.clone());
    let asked = || (host.paths_asked.load(Ordering::Relaxed), host.files_asked.load(Ordering::Relaxed));
    for _ in 0..3 {
        assert_eq!(said(snapshot.find_pid(10, 0)), "host");
        assert_eq!(said(snapshot.find_cgroup(10)), "host");
        assert_eq!(said(snapshot.find_pid(11, 1)), "aaaa", "the leaf that crun makes");
        assert_eq!(said(snapshot.find_cgroup(11)), "aaaa");
        assert_eq!(said(snapshot.find_cgroup(9_000_001)), "aaaa");
    }
    assert_eq!(asked(), (2, 0));
    // What is not known yet is not remembered: the kernel is asked again.
    for _ in 0..3 {
        assert_eq!(said(snapshot.find_cgroup(12)), "not yet");
    }
    assert_eq!(asked(), (5, 0));
    // The cgroup is gone, and its zombie still exists.
    assert_eq!(said(snapshot.find_cgroup(13)), "NoCgroup");
    assert_eq!(said(snapshot.find_pid(13, 0)), "aaaa");
    assert_eq!(said(snapshot.find_pid(13, 2)), "NoProcess");
}

/// A run may be over before the engine reports it. Its cgroup's id is all that an event of the kernel gives.
#[test]
fn a_cgroup_that_was_looked_up_in_time_is_found_after_its_end() {
    let host = Arc::new(Unified::default());
    let before = Snapshot::of(node(), |_| true).with_reader(host.clone());
    assert_eq!(said(before.find_cgroup(12)), "not yet");
    host.is_over.store(true, Ordering::Relaxed);
    assert_eq!(said(before.find_cgroup(12)), "not yet", "it still is one of a container to come");
    assert_eq!(said(before.find_cgroup(10)), "NoCgroup");
    let mut containers = node();
    containers.push(container(B, Kind::Container, &pod(SANDBOX, UID)));
    let after = Snapshot::of(containers, |_| true).with_reader(host);
    assert_eq!(said(after.find_cgroup(12)), "bbbb");
}
