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

/// Where cgroup v2 is mounted, below a root: first on hosts with only v2, then on those with both versions.
const USUAL_V2: [&str; 2] = ["sys/fs/cgroup", "sys/fs/cgroup/unified"];

/// How a host uses the two versions of cgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Only version 2. Its ids identify containers.
    Unified,
    /// Both versions. Only some runtimes (runc since 1.1) also make a container's directory in the v2 tree, and
    /// processes that enter later may not be put there. So a v2 id identifies a container only if its first process was
    /// seen to have that id.
    Hybrid,
    /// Only version 1. Each hierarchy has ids of its own, so one number may be different cgroups in different
    /// hierarchies.
    Legacy,
}

/// The cgroup file systems below `host.root`.
#[derive(Debug)]
pub struct Cgroups {
    mounts: Mounts,
    /// For each mount, the names on the path from its root to the root of our own cgroup namespace.
    own: Vec<OnceLock<Result<Vec<String>, Unplaced>>>,
}

impl Cgroups {
    /// The cgroup file systems that this process sees below `root` (`host.root`). Finding none is no error, see
    /// [`Cgroups::mode`].
    ///
    /// Reads /proc/self/mountinfo. If nothing is mounted below the root, because the root is another process's
    /// (`/proc/1/root`), reads the table of process 1 below that root. The cost grows with the table, so keep the
    /// result.
    pub fn read(root: &Path) -> io::Result<Self> {
        let own = Mounts::parse(&read_table(Path::new("/proc/self/mountinfo"))?, root, Path::new("/"));
        let mut mounts = own.visible();
        if mounts.is_empty() && root != Path::new("/") {
            // Below such a root, paths are as that process sees them, and continue from the root.
            if let Ok(table) = read_table(&root.join("proc/1/mountinfo")) {
                mounts = Mounts::parse(&table, Path::new("/"), root).visible();
            }
        }
        Ok(Cgroups::new(mounts))
    }

    /// Only cgroup v2, if all of it is mounted in its usual place. `None`: the table of mounts has to be read.
    ///
    /// At most seven system calls, which do not take longer where many things are mounted.
    pub fn usual_v2(root: &Path) -> Option<Self> {
        // In our own cgroup namespace, paths of /proc would not begin at the mount's root.
        if own_namespace() != Whose::Host {
            return None;
        }
        let mounts =
            USUAL_V2.map(|dir| CgroupMount { hierarchy: Hierarchy::V2, root: "/".into(), dir: root.join(dir) });
        let whole = mounts.into_iter().find(CgroupMount::is_all_of_v2)?;
        Some(Cgroups::new(Mounts::only(whole)))
    }

    /// The cgroup file systems of a table that was read already. They are not checked.
    pub fn new(mounts: Mounts) -> Self {
        let own = mounts.iter().map(|_| OnceLock::new()).collect();
        Cgroups { mounts, own }
    }

    /// Which versions are mounted; `None` if no cgroup file system is mounted below the root.
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

    /// The mounts: for each hierarchy, the one that shows most of it.
    pub fn mounts(&self) -> &Mounts {
        &self.mounts
    }

    /// The mount of cgroup v2.
    pub fn v2(&self) -> Option<&CgroupMount> {
        self.mounts.iter().find(|mount| mount.hierarchy == Hierarchy::V2)
    }

    /// Where the root of our own cgroup namespace is mounted in v2.
    pub fn own_v2_root(&self) -> Option<&Path> {
        self.mounts.own_root(&Hierarchy::V2).map(|mount| mount.dir.as_path())
    }

    /// The hierarchies to watch for containers: v2's, and one of v1 that every engine uses (`name=systemd`, `pids` or
    /// `memory`, whichever is found first). On a hybrid host, either may lack a container's directory.
    pub fn witnesses(&self) -> impl Iterator<Item = &CgroupMount> {
        let v1 = ["name=systemd", "pids", "memory"].iter().find_map(|name| self.mounts.find(name));
        self.v2().into_iter().chain(v1)
    }

    /// The path of the cgroup with this id, below the mount's directory; `None` if there is no such cgroup (any more).
    ///
    /// Asks the kernel by handle (1.6 us; needs CAP_DAC_READ_SEARCH in the first user namespace). Without that right,
    /// walks the whole mount (2.5 ms for 1,000 containers, 50 ms for 10,000): see [`CgroupMount::path_by_handle`].
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

    /// The directory of a path that is relative to the mount's directory.
    pub fn dir_of(&self, path: &str) -> PathBuf {
        self.dir.join(path.trim_start_matches('/'))
    }
}

/// Whether this process sees the cgroups as the host does, or from its own cgroup namespace, in which the paths of
/// others begin with `/..`. `Unknown` only if /proc cannot be read. A kernel without these namespaces (before 4.6) has
/// only the host's.
pub fn own_namespace() -> Whose {
    let proc = Path::new("/proc");
    match whose_namespace(proc, "self", NamespaceKind::Cgroup) {
        Whose::Unknown if proc.join("self/ns").is_dir() && fs::symlink_metadata("/proc/self/ns/cgroup").is_err() => {
            Whose::Host
        }
        whose => whose,
    }
}

/// Reads a table of mounts. Mount points may contain any bytes. One that is not UTF-8 gets replacements, and then is
/// not found anywhere.
fn read_table(path: &Path) -> io::Result<String> {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}
