//! Removes what an engine leaves behind: shims and containers outlive containerd, mounts outlive both.

use std::fs;
use std::path::{Path, PathBuf};

use super::wait;

/// The folders of engines, and their containers' cgroups, begin with this.
pub const PREFIX: &str = "cri-lab-";

/// Ends every process that belongs to the engine of `dir`, unmounts what is mounted there, removes its shims' sockets
/// and its cgroups. The folder itself stays. Says what could not be removed.
pub fn remove(dir: &Path) -> Result<(), String> {
    let sockets = shim_sockets(dir);
    end_processes(dir)?;
    unmount_below(dir)?;
    for socket in sockets {
        if let Err(error) = fs::remove_file(&socket)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(format!("{}: {error}", socket.display()));
        }
    }
    remove_cgroups(&cgroup_parent(dir))
}

/// The name of the cgroup in which the engine of `dir` puts its pods.
pub fn cgroup_parent(dir: &Path) -> String {
    dir.file_name().expect("an engine's folder has a name").to_string_lossy().into_owned()
}

/// The processes of the engine of `dir`: containerd and its shims name the folder in their command line (as its
/// clients may do), containers are in its cgroup.
pub fn processes(dir: &Path) -> Vec<i32> {
    let folder = dir.to_string_lossy();
    let cgroup = format!("/{}/", cgroup_parent(dir));
    let own = std::process::id() as i32;
    let belongs = |pid: &i32| {
        let read = |name: &str| {
            String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default()).into_owned()
        };
        let is_engine = read("comm").starts_with("containerd") && read("cmdline").contains(&*folder);
        is_engine || read("cgroup").contains(&cgroup)
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| *pid != own && !is_zombie(*pid)).filter(belongs).collect()
}

fn is_zombie(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'))
}

fn end_processes(dir: &Path) -> Result<(), String> {
    wait::until("the engine's processes to end", wait::PATIENCE, || {
        let left = processes(dir);
        for pid in &left {
            // SAFETY: kill takes plain numbers.
            unsafe { libc::kill(*pid, libc::SIGKILL) };
        }
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?} are still there")) }
    })
}

/// The folders of the tasks of the engine of `dir`. Its state folder is `dir` itself, as on most nodes, or a folder in it.
pub fn tasks(dir: &Path) -> Vec<PathBuf> {
    let folders = ["", "state"].map(|state| dir.join(state).join("io.containerd.runtime.v2.task/k8s.io"));
    let tasks = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    tasks.map(|task| task.path()).collect()
}

/// Where the shims of the engine of `dir` listen: outside of `dir`, at a place that no option changes.
pub fn shim_sockets(dir: &Path) -> Vec<PathBuf> {
    let mut sockets = Vec::new();
    for task in tasks(dir) {
        for name in ["address", "bootstrap.json"] {
            let text = fs::read_to_string(task.join(name)).unwrap_or_default();
            let address = text.split("unix://").nth(1).and_then(|rest| rest.split('"').next());
            sockets.extend(address.map(|path| PathBuf::from(path.trim())));
        }
    }
    sockets
}

fn unmount_below(dir: &Path) -> Result<(), String> {
    // A mount point that was mounted over is listed, and unmounted, once for each layer.
    for point in mount_points(dir).iter().rev() {
        let path = std::ffi::CString::new(point.as_bytes()).map_err(|error| format!("{point}: {error}"))?;
        // SAFETY: the path is a NUL-terminated string that outlives the call.
        if unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) } != 0 {
            return Err(format!("umount {point}: {}", std::io::Error::last_os_error()));
        }
    }
    Ok(())
}

/// The mount points below `dir`, in the order in which they were mounted.
pub fn mount_points(dir: &Path) -> Vec<String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4));
    points.filter(|point| Path::new(point).starts_with(dir)).map(str::to_owned).collect()
}

/// The cgroup hierarchies of this machine: one, or in a hybrid set-up one for each controller.
pub fn cgroup_mounts() -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let is_cgroup = |line: &&str| line.split(" - ").nth(1).is_some_and(|rest| rest.starts_with("cgroup"));
    mounts.lines().filter(is_cgroup).filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from).collect()
}

fn remove_cgroups(parent: &str) -> Result<(), String> {
    let roots: Vec<PathBuf> = cgroup_mounts().iter().map(|mount| mount.join(parent)).collect();
    // A cgroup is busy for a moment after its last process has ended.
    wait::until("the engine's cgroups to go", wait::PATIENCE, || {
        roots.iter().try_for_each(|root| remove_cgroup(root).map_err(|error| format!("{}: {error}", root.display())))
    })
}

fn remove_cgroup(cgroup: &Path) -> std::io::Result<()> {
    if !cgroup.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(cgroup)?.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_cgroup(&entry.path())?;
        }
    }
    fs::remove_dir(cgroup)
}
