//! The cgroup file systems: where they are mounted, what is in them, and which directory a process's path means.

mod files;
mod ids;
mod mounts;
mod place;
#[cfg(test)]
mod tests;
mod walk;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub use files::{Events, Procs, events, procs};
pub use ids::{id_of, id_of_open};
pub use mounts::{CgroupMount, Hierarchy, Mounts};
pub use place::{Place, Unplaced};
pub use walk::{Found, Walk};

use super::namespace::{NamespaceKind, Whose, whose_namespace};

/// Where cgroup v2 is mounted, below a root: on hosts with v2 alone, and with both versions.
const USUAL_V2: [&str; 2] = ["sys/fs/cgroup", "sys/fs/cgroup/unified"];

/// How a host uses the two versions of cgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Version 2 alone. Its ids name containers.
    Unified,
    /// Both. Only some runtimes (runc since 1.1) make a container's directory in the v2 tree too, and processes that enter
    /// later may not be put there: a v2 id names a container only where its first process was seen to have that id.
    Hybrid,
    /// Version 1 alone. Each hierarchy has ids of its own; one number stands for different cgroups in different ones.
    Legacy,
}

/// The cgroup file systems below `host.root`.
#[derive(Debug)]
pub struct Cgroups {
    mounts: Mounts,
    /// For each mount, the names that lead from its root to that of our own cgroup namespace.
    own: Vec<OnceLock<Result<Vec<String>, Unplaced>>>,
}

impl Cgroups {
    /// The cgroup file systems that this process sees below `root` (`host.root`). None is no error, see [`Cgroups::mode`].
    ///
    /// Reads /proc/self/mountinfo; where nothing is mounted below the root, because that is another process's
    /// (`/proc/1/root`), the table of process 1 as that root shows it. Costs about as much as the table is long: keep it.
    pub fn read(root: &Path) -> io::Result<Self> {
        let own = Mounts::parse(&read_table(Path::new("/proc/self/mountinfo"))?, root, Path::new("/"));
        let mut mounts = own.visible();
        if mounts.is_empty() && root != Path::new("/") {
            // Below such a root everything is as the process there has it: its paths go on from the root.
            if let Ok(table) = read_table(&root.join("proc/1/mountinfo")) {
                mounts = Mounts::parse(&table, Path::new("/"), root).visible();
            }
        }
        Ok(Cgroups::new(mounts))
    }

    /// cgroup v2 alone, if all of it is mounted where it usually is. `None`: only the table of mounts tells.
    ///
    /// At most seven system calls, and none of them takes longer where many things are mounted.
    pub fn usual_v2(root: &Path) -> Option<Self> {
        // In a cgroup namespace of our own, paths of /proc do not begin at the mount's root.
        if own_namespace() != Whose::Host {
            return None;
        }
        let mounts =
            USUAL_V2.map(|dir| CgroupMount { hierarchy: Hierarchy::V2, root: "/".into(), dir: root.join(dir) });
        let whole = mounts.into_iter().find(CgroupMount::is_all_of_v2)?;
        Some(Cgroups::new(Mounts::only(whole)))
    }

    /// The cgroup file systems of a table that was read already. Nothing of it is checked.
    pub fn new(mounts: Mounts) -> Self {
        let own = mounts.iter().map(|_| OnceLock::new()).collect();
        Cgroups { mounts, own }
    }

    /// Which versions there are; `None`: no cgroup file system is mounted below the root.
    pub fn mode(&self) -> Option<Mode> {
        let v2 = self.v2().is_some();
        let v1 = self.mounts.iter().any(|mount| mount.hierarchy != Hierarchy::V2);
        match (v2, v1) {
            (true, false) => Some(Mode::Unified),
            (true, true) => Some(Mode::Hybrid),
            (false, true) => Some(Mode::Legacy),
            (false, false) => None,
        }
    }

    /// The mounts, one for each hierarchy: the one that shows most of it.
    pub fn mounts(&self) -> &Mounts {
        &self.mounts
    }

    /// The mount of cgroup v2.
    pub fn v2(&self) -> Option<&CgroupMount> {
        self.mounts.iter().find(|mount| mount.hierarchy == Hierarchy::V2)
    }

    /// Where the v2 cgroup is mounted that is the root of our own cgroup namespace.
    pub fn own_v2_root(&self) -> Option<&Path> {
        self.mounts.own_root(&Hierarchy::V2).map(|mount| mount.dir.as_path())
    }

    /// The hierarchies worth watching for containers: v2's, and a v1 one that every engine uses (`name=systemd`, `pids`,
    /// `memory`, the first that there is). On a hybrid host either may be without a container's directory.
    pub fn witnesses(&self) -> impl Iterator<Item = &CgroupMount> {
        let v1 = ["name=systemd", "pids", "memory"].iter().find_map(|name| self.mounts.find(name));
        self.v2().into_iter().chain(v1)
    }

    /// The path of a cgroup with this id, below the mount's directory. `None` when there is none (any more).
    ///
    /// Asks the kernel by handle (1.6 us; CAP_DAC_READ_SEARCH in the first user namespace); without that right walks all
    /// of the mount (2.5 ms for 1,000 containers, 50 ms for 10,000): see [`CgroupMount::path_by_handle`].
    pub fn path_of(&self, mount: &CgroupMount, id: u64) -> io::Result<Option<String>> {
        match mount.path_by_handle(id) {
            Ok(path) => Ok(path),
            Err(_) => Ok(walk::find(&mount.dir, id).map(|path| mount.below(&path))),
        }
    }
}

impl CgroupMount {
    /// The part of a path below the mount's directory: `/` for the directory itself.
    fn below(&self, path: &Path) -> String {
        let rest = path.strip_prefix(&self.dir).unwrap_or(path).to_string_lossy();
        format!("/{}", rest.trim_start_matches('/'))
    }

    /// The directory of a path that is relative to the mount's.
    pub fn dir_of(&self, path: &str) -> PathBuf {
        self.dir.join(path.trim_start_matches('/'))
    }
}

/// Whether this process sees the host's cgroups as the host does, or from a cgroup namespace of its own, where paths of
/// others begin with `/..`. `Unknown` only where /proc is not to be read; a kernel without these namespaces (before 4.6)
/// has the host's alone.
pub fn own_namespace() -> Whose {
    let proc = Path::new("/proc");
    match whose_namespace(proc, "self", NamespaceKind::Cgroup) {
        Whose::Unknown if proc.join("self/ns").is_dir() && fs::symlink_metadata("/proc/self/ns/cgroup").is_err() => {
            Whose::Host
        }
        whose => whose,
    }
}

/// Mount points may hold any byte: what is no UTF-8 is replaced, and then found nowhere.
fn read_table(path: &Path) -> io::Result<String> {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}
