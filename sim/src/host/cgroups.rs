//! One cgroup per process, whose path names the container's id as on a real node. One hierarchy is enough:
//! the v2 mount, or the first v1 hierarchy that lets us.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Of the cgroup that holds all of one process's.
const PREFIX: &str = "cri-sim-";

pub struct Cgroups {
    /// How /proc/PID/cgroup calls the hierarchy: "v2" or the v1 controllers.
    hierarchy: String,
    /// Everything of this process lies below, so that two simulated nodes never meet.
    folder: PathBuf,
}

impl Cgroups {
    /// `None` where no hierarchy is mounted writable (or we are not root).
    pub fn find() -> Option<Cgroups> {
        let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
        candidates(&mounts).into_iter().find_map(|(hierarchy, mount)| {
            remove_orphans(&mount);
            let folder = mount.join(format!("{PREFIX}{}", std::process::id()));
            fs::create_dir(&folder).ok().map(|()| Cgroups { hierarchy, folder })
        })
    }

    pub fn hierarchy(&self) -> &str {
        &self.hierarchy
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn add(&self, cgroups_path: &str, pid: u32) -> io::Result<()> {
        let folder = self.folder.join(relative(cgroups_path));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("cgroup.procs"), pid.to_string())
    }

    /// The cgroup of an ended process, and its parents as far as they are empty. What the kernel still holds
    /// is left to `remove_all`.
    pub fn remove(&self, cgroups_path: &str) {
        let leaf = self.folder.join(relative(cgroups_path));
        for folder in leaf.ancestors().take_while(|f| *f != self.folder) {
            if fs::remove_dir(folder).is_err() {
                return;
            }
        }
    }

    pub fn remove_all(&self) -> io::Result<()> {
        remove_tree(&self.folder)
    }
}

/// What killed predecessors left behind. A cgroup that holds a process cannot be removed, so this harms nobody.
fn remove_orphans(mount: &Path) {
    for entry in fs::read_dir(mount).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|n| n.strip_prefix(PREFIX)?.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            // Not ours to complain about.
            let _ = remove_tree(&entry.path());
        }
    }
}

/// rmdir bottom-up: the files of a cgroup cannot be unlinked, and go with it.
fn remove_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(folder)
}

/// Mounted hierarchies in the order of our liking, from the text of /proc/self/mounts.
fn candidates(mounts: &str) -> Vec<(String, PathBuf)> {
    let (mut unified, mut v1) = (Vec::new(), Vec::new());
    for line in mounts.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let [_, at, kind, options, ..] = fields[..] else {
            continue;
        };
        match kind {
            "cgroup2" => unified.push(("v2".to_owned(), PathBuf::from(at))),
            // A cpuset cgroup takes no process before it is configured.
            "cgroup" if !options.split(',').any(|o| o == "cpuset") => {
                let name = Path::new(at).file_name().map_or(at.into(), |n| n.to_string_lossy());
                v1.push((format!("v1:{name}"), PathBuf::from(at)));
            }
            _ => {}
        }
    }
    unified.append(&mut v1);
    unified
}

/// A cgroupsPath of an OCI spec as a path below the hierarchy's root: runc's reading of both its forms.
fn relative(cgroups_path: &str) -> PathBuf {
    match cgroups_path.split(':').collect::<Vec<_>>()[..] {
        [slice, prefix, name] => Path::new(slice).join(format!("{prefix}-{name}.scope")),
        _ => PathBuf::from(cgroups_path.trim_start_matches('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unified_hierarchy_is_preferred() {
        let mounts = "proc /proc proc rw 0 0\n\
                      cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0\n\
                      cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0\n\
                      cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        let expected: Vec<(String, PathBuf)> =
            vec![("v2".into(), "/sys/fs/cgroup/unified".into()), ("v1:pids".into(), "/sys/fs/cgroup/pids".into())];
        assert_eq!(candidates(mounts), expected);
    }

    #[test]
    fn cgroups_paths_of_both_drivers() {
        assert_eq!(relative("/kubepods/podx/abc"), Path::new("kubepods/podx/abc"));
        assert_eq!(
            relative("kubepods-podx.slice:cri-containerd:abc"),
            Path::new("kubepods-podx.slice/cri-containerd-abc.scope")
        );
    }
}
