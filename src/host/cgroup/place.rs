//! Finds the directory for a path that /proc/PID/cgroup shows.

use std::fmt;
use std::path::PathBuf;

use super::super::cgroup_name::Line;
use super::ids::id_of;
use super::mounts::{CgroupMount, levels_up};
use super::{Cgroups, walk};

/// The place of a cgroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path below the mount's directory; it begins with `/`, and never with `/..`.
    pub path: String,
    /// The directory, a path of this process.
    pub dir: PathBuf,
}

/// The reason why a path of /proc/PID/cgroup has no directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unplaced {
    /// The cgroup was removed; the process in it is a zombie.
    Removed,
    /// The hierarchy is not mounted below `host.root`: its controllers (`""`: cgroup v2).
    NotMounted(String),
    /// Only a part of the hierarchy is mounted, and the cgroup is not in that part. The value is the part, as our
    /// cgroup namespace shows it.
    OutsideMount(String),
    /// This process has its own cgroup namespace, and its place in the host's tree cannot be found. The value is the
    /// reason.
    OwnNamespace(&'static str),
}

impl fmt::Display for Unplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unplaced::Removed => f.write_str("the cgroup was removed"),
            Unplaced::NotMounted(controllers) if controllers.is_empty() => {
                f.write_str("cgroup v2 is not mounted below host.root")
            }
            Unplaced::NotMounted(controllers) => {
                write!(f, "the cgroup hierarchy of {controllers} is not mounted below host.root")
            }
            Unplaced::OutsideMount(root) => write!(f, "only {root} of the cgroups is mounted below host.root"),
            Unplaced::OwnNamespace(why) => write!(f, "this process has its own cgroup namespace, and {why}"),
        }
    }
}

impl std::error::Error for Unplaced {}

impl Cgroups {
    /// The directory that a line of /proc/PID/cgroup means. It may be gone by now.
    ///
    /// To a process in its own cgroup namespace, the kernel shows other processes' paths with `/..` at their beginning.
    /// If the host's tree is mounted nevertheless (a bind below `host.root`), the path from its root to ours is found
    /// once, and provides the names that the kernel leaves out.
    pub fn place(&self, line: &Line<'_>) -> Result<Place, Unplaced> {
        if line.path.is_deleted() {
            return Err(Unplaced::Removed);
        }
        let not_mounted = || Unplaced::NotMounted(line.controllers.to_owned());
        let at = self.mounts.position(line.controllers).ok_or_else(not_mounted)?;
        let mount = self.mounts.iter().nth(at).ok_or_else(not_mounted)?;
        let path = self.below_mount(at, mount, line.path.path())?;
        Ok(Place { dir: mount.dir_of(&path), path })
    }

    fn below_mount(&self, at: usize, mount: &CgroupMount, path: &str) -> Result<String, Unplaced> {
        let outside = || Unplaced::OutsideMount(mount.root.clone());
        if mount.root == "/" && path.starts_with('/') && levels_up(path) == 0 {
            return Ok(path.to_owned());
        }
        let (up, names) = split(path);
        let (root_up, root_names) = split(&mount.root);
        if up == root_up {
            let names = names.strip_prefix(root_names.as_slice()).ok_or_else(outside)?;
            return Ok(join(names.iter().copied()));
        }
        // The kernel writes as few `..` as possible, so a path that goes further up than the mount is in another
        // branch.
        if up > root_up || !root_names.is_empty() {
            return Err(outside());
        }
        let own = self.own[at].get_or_init(|| self.way_to_own(mount, root_up)).as_ref().map_err(Clone::clone)?;
        Ok(join(own[..root_up - up].iter().map(String::as_str).chain(names)))
    }

    /// The names from the mount's root down to the root of our namespace, which is `levels` deeper.
    fn way_to_own(&self, mount: &CgroupMount, levels: usize) -> Result<Vec<String>, Unplaced> {
        let fail = Unplaced::OwnNamespace;
        let own = self.mounts.own_root(&mount.hierarchy);
        let own = own.ok_or(fail("its own cgroups are not mounted"))?;
        let id = id_of(&own.dir).map_err(|_| fail("the id of its own cgroup cannot be read"))?;
        let path = match mount.path_by_handle(id) {
            Ok(Some(path)) => Some(path),
            _ => walk::find(&mount.dir, id).map(|path| mount.below(&path)),
        };
        let path = path.ok_or(fail("its own cgroup is not found in the host's"))?;
        let names: Vec<String> = split(&path).1.into_iter().map(str::to_owned).collect();
        if names.len() == levels { Ok(names) } else { Err(fail("its own cgroup is found at another depth")) }
    }
}

/// How many levels up a path begins, and the names after that.
fn split(path: &str) -> (usize, Vec<&str>) {
    let up = levels_up(path);
    (up, path.split('/').filter(|part| !part.is_empty()).skip(up).collect())
}

fn join<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut path = String::new();
    for name in names {
        path.push('/');
        path.push_str(name);
    }
    if path.is_empty() { "/".into() } else { path }
}
