//! What this node's /proc says, read apart from the library.

use std::fs;
use std::path::PathBuf;

use criwatch::config::Config;
use criwatch::watcher::{Owner, Unproven, Watcher};

use crate::support::leftovers;
use crate::support::suite::Setup;
use crate::support::wait::PATIENCE;

/// A watcher that is ready.
pub fn watcher(setup: &Setup) -> Result<Watcher, String> {
    let watcher = Watcher::new(Some(&setup.engine.endpoint), Config::default()).map_err(|error| error.to_string())?;
    watcher.start().and_then(|()| watcher.wait_ready(Some(PATIENCE))).map_err(|error| error.to_string())?;
    Ok(watcher)
}

/// Whose a process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    Container(String),
    Host,
    NotYet,
}

/// The answer of a lookup.
pub fn whose(owner: Result<Owner<'_>, Unproven>) -> Result<Whose, Unproven> {
    owner.map(|owner| match owner {
        Owner::Container(container) => Whose::Container(container.id.to_string()),
        Owner::Host => Whose::Host,
        _ => Whose::NotYet,
    })
}

/// All pids that there are now.
pub fn pids() -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The processes in the cgroups below this parent: of the containers of one engine.
pub fn pids_below(parent: &str) -> Vec<i32> {
    let mut pids = Vec::new();
    for mount in leftovers::cgroup_mounts() {
        for dir in fs::read_dir(mount.join(parent)).into_iter().flatten().flatten() {
            let text = fs::read_to_string(dir.path().join("cgroup.procs")).unwrap_or_default();
            pids.extend(text.lines().filter_map(|line| line.parse::<i32>().ok()).filter(|pid| *pid > 0));
        }
        // Every hierarchy of a host with several has them.
        if !pids.is_empty() {
            break;
        }
    }
    pids
}

pub fn start_ticks(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

pub fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}

pub fn state(pid: i32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Whose a process of the engine with this cgroup parent is: the component right below that parent is the container.
/// All engines of these tests make their cgroups so. `None`: there is no such process, or it is another engine's.
pub fn proc_says(pid: i32, parent: &str) -> Option<Whose> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let below = format!(":/{parent}/");
    let id = text.lines().find_map(|line| line.split_once(&below)).map(|(_, rest)| rest[..64].to_owned());
    let is_foreign = id.is_none() && ["/kubepods", "/k8s.io/", "/crio"].iter().any(|parent| text.contains(parent));
    (!is_foreign).then(|| id.map_or(Whose::Host, Whose::Container))
}

/// The cgroup parent of the engine, where it is ours.
pub fn parent(setup: &Setup) -> Option<String> {
    setup.engine.containerd.as_ref().map(|containerd| leftovers::cgroup_parent(containerd.dir()))
}

/// The directories of a process's cgroups, one for each hierarchy.
pub fn cgroup_dirs(pid: i32) -> Vec<PathBuf> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut dirs = Vec::new();
    for line in text.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let is_its = |mount: &&str| match mount.split_once(" - ") {
            Some((_, rest)) if controllers.is_empty() => rest.starts_with("cgroup2 "),
            Some((_, rest)) => {
                rest.starts_with("cgroup ") && controllers.split(',').all(|c| rest.split([' ', ',']).any(|w| w == c))
            }
            None => false,
        };
        if let Some(point) = mounts.lines().find(is_its).and_then(|mount| mount.split(' ').nth(4)) {
            dirs.push(PathBuf::from(point).join(path.trim_start_matches('/')));
        }
    }
    dirs
}

/// Where cgroup v2 is mounted.
pub fn v2() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let is_v2 = |line: &&str| line.contains(" - cgroup2 ");
    mounts.lines().find(is_v2).and_then(|line| line.split(' ').nth(4)).map(PathBuf::from)
}
