//! Finds the mounted cgroup file systems in a process's mountinfo.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::super::filesystem::{FileSystem, of_path};

/// A hierarchy of cgroups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hierarchy {
    /// The one hierarchy of version 2.
    V2,
    /// A hierarchy of version 1, by its controllers, or `name=systemd` and the like, as in its mount options.
    V1(Vec<String>),
}

/// A mounted hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupMount {
    /// The hierarchy that is mounted.
    pub hierarchy: Hierarchy,
    /// The mounted cgroup, as our cgroup namespace shows it: mostly `/`; a container's own for a mount that is bound
    /// into a container; `/../..` for the host's, seen from a namespace two levels deeper.
    pub root: String,
    /// The mount point, as a path of this process.
    pub dir: PathBuf,
}

/// One mount for each hierarchy.
#[derive(Debug, Clone, Default)]
pub struct Mounts {
    best: Vec<CgroupMount>,
    /// Mounts of the root of our own cgroup namespace, anywhere. They show where it is in the other mounts.
    own: Vec<CgroupMount>,
}

impl Mounts {
    /// The mounts of a mountinfo table whose mount point is below `root`. `base` is put before each mount point, for a
    /// table of a process with another root.
    pub fn parse(table: &str, root: &Path, base: &Path) -> Self {
        let mut all: Vec<(bool, CgroupMount)> = Vec::new();
        let mut own = Vec::new();
        for mut mount in table.lines().filter_map(parse_line) {
            let usual = mount.dir.starts_with(root.join("sys/fs/cgroup"));
            let below = mount.dir.starts_with(root);
            mount.dir = base.join(mount.dir.strip_prefix("/").unwrap_or(&mount.dir));
            if mount.root == "/" {
                own.push(mount.clone());
            }
            if below {
                all.push((usual, mount));
            }
        }
        // The widest view first: the most levels above our own namespace, then the fewest below.
        all.sort_by_key(|(usual, mount)| (std::cmp::Reverse(levels_up(&mount.root)), mount.root.len(), !usual));
        let mut mounts = Mounts { best: Vec::new(), own };
        for (_, mount) in all {
            if mounts.best.iter().all(|other| other.hierarchy != mount.hierarchy) {
                mounts.best.push(mount);
            }
        }
        mounts
    }

    /// A single mount, which shows all of its hierarchy.
    pub(super) fn only(mount: CgroupMount) -> Self {
        Mounts { best: vec![mount.clone()], own: vec![mount] }
    }

    /// Drops mounts that another mount hides, or that do not exist here: their mount points are not on a cgroup file
    /// system.
    pub(super) fn visible(mut self) -> Self {
        self.best.retain(CgroupMount::is_there);
        self.own.retain(CgroupMount::is_there);
        self
    }

    /// All mounts, one for each hierarchy.
    pub fn iter(&self) -> impl Iterator<Item = &CgroupMount> {
        self.best.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.best.is_empty()
    }

    /// The hierarchy of a line of /proc/PID/cgroup, by its controllers; empty for v2.
    pub fn find(&self, controllers: &str) -> Option<&CgroupMount> {
        self.position(controllers).map(|at| &self.best[at])
    }

    pub(super) fn position(&self, controllers: &str) -> Option<usize> {
        self.best.iter().position(|mount| mount.hierarchy.has(controllers))
    }

    /// Where the root of our own cgroup namespace is mounted.
    pub(super) fn own_root(&self, hierarchy: &Hierarchy) -> Option<&CgroupMount> {
        self.own.iter().find(|mount| mount.hierarchy == *hierarchy)
    }
}

impl Hierarchy {
    fn has(&self, controllers: &str) -> bool {
        match self {
            Hierarchy::V2 => controllers.is_empty(),
            Hierarchy::V1(own) => {
                !controllers.is_empty() && controllers.split(',').all(|name| own.iter().any(|word| word == name))
            }
        }
    }
}

impl CgroupMount {
    /// Whether the mount point is on a cgroup file system.
    pub(super) fn is_there(&self) -> bool {
        let wanted = match self.hierarchy {
            Hierarchy::V2 => FileSystem::Cgroup2,
            Hierarchy::V1(_) => FileSystem::Cgroup,
        };
        of_path(&self.dir) == Some(wanted)
    }
}

/// How many times the path begins with `/..`.
pub(super) fn levels_up(path: &str) -> usize {
    path.split('/').skip(1).take_while(|part| *part == "..").count()
}

/// `36 35 98:0 /root /mount/point rw,noatime master:1 - type source superoptions`; proc_pid_mountinfo(5).
fn parse_line(line: &str) -> Option<CgroupMount> {
    let (before, after) = line.split_once(" - ")?;
    let mut fields = before.split(' ').skip(3);
    let (root, dir) = (unescape(fields.next()?), unescape(fields.next()?));
    let mut fields = after.split(' ');
    let hierarchy = match fields.next()? {
        "cgroup2" => Hierarchy::V2,
        "cgroup" => {
            let options = fields.nth(1)?.split(',');
            Hierarchy::V1(options.filter(|word| !matches!(*word, "rw" | "ro")).map(str::to_owned).collect())
        }
        _ => return None,
    };
    Some(CgroupMount { hierarchy, root: root.into_string().ok()?, dir: dir.into() })
}

/// Space, tab, newline and backslash are written as a backslash and three octal digits.
fn unescape(text: &str) -> OsString {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let octal = tail.get(..3).filter(|_| *first == b'\\');
        let value = octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(value.unwrap_or(*first));
        rest = if value.is_some() { &tail[3..] } else { tail };
    }
    OsString::from_vec(bytes)
}
