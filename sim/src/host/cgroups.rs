//! One cgroup for each process; its path has the container's id, as on a real node. It uses one hierarchy: the v2
//! mount, or the first v1 hierarchy that is writable.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The name of the cgroup that holds all cgroups of one cri-sim begins with this.
const PREFIX: &str = "cri-sim-";

pub struct Cgroups {
    /// The hierarchy's name in /proc/PID/cgroup: "v2" or the v1 controllers.
    hierarchy: String,
    /// The folder of this cri-sim; two simulated nodes never share one.
    folder: PathBuf,
}

impl Cgroups {
    /// Finds a hierarchy. `None` if none is writable, for example without root.
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

    /// Removes the cgroup of an ended process, and its parents if they are empty. `remove_all` removes what the kernel
    /// still holds.
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

/// Removes what killed cri-sims left behind. A cgroup with a process cannot be removed, so this harms nobody.
fn remove_orphans(mount: &Path) {
    for entry in fs::read_dir(mount).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|n| n.strip_prefix(PREFIX)?.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            // Another cri-sim may use it: no warning.
            let _ = remove_tree(&entry.path());
        }
    }
}

/// Removes folders from the bottom up. A cgroup's files cannot be unlinked; they go with their folder.
fn remove_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(folder)
}

/// The mounted hierarchies, best first, from the text of /proc/self/mounts.
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

/// An OCI spec's cgroupsPath as a path below the hierarchy's root. It reads both forms as runc does.
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
