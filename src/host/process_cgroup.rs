//! Finds a process's cgroup with few system calls, and no allocation for an answer of usual size.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::cgroup::{CgroupMount, Cgroups, id_of, own_namespace};
use super::cgroup_name::lines;
use super::namespace::{NamespaceKind, Whose, namespace_of, whose_namespace};
use super::pidfd::try_cgroup_id_of;
use super::proc_file::At;
use super::process::Proc;
use super::process_stat::parse_start_ticks;

/// The content of a process's /proc/PID/cgroup.
#[derive(Debug, Clone, Copy)]
pub struct CgroupText<'a> {
    /// The text, with paths as the host sees them, as far as those are known.
    pub text: &'a str,
    /// Whether some paths are as our own cgroup namespace shows them. Then `/` is our own cgroup, and `/..` leads to
    /// parents whose names are hidden.
    pub is_own_view: bool,
}

/// Reads the cgroups of processes below `host.root`. Nothing is remembered of a process. The table of mounts is read
/// once.
#[derive(Debug)]
pub struct ProcessCgroups {
    proc: Proc,
    /// The directory /proc below the root.
    folder: PathBuf,
    root: PathBuf,
    cgroups: OnceLock<Option<Cgroups>>,
    is_own_namespace: OnceLock<bool>,
    /// Set if the kernel has no PIDFD_GET_INFO, if a filter forbids it, or if this /proc has other pids than ours.
    no_pidfd_info: AtomicBool,
    is_counting_as_we_do: OnceLock<bool>,
    /// Process 1's namespaces of the kinds without a constant number; `None` if they may not be read.
    first_net: OnceLock<Option<u64>>,
    first_mnt: OnceLock<Option<u64>>,
}

impl ProcessCgroups {
    /// A reader for this root. It reads nothing yet.
    pub fn new(root: &Path) -> Self {
        ProcessCgroups {
            proc: Proc::new(root),
            folder: root.join("proc"),
            root: root.to_owned(),
            cgroups: OnceLock::new(),
            is_own_namespace: OnceLock::new(),
            no_pidfd_info: AtomicBool::new(false),
            is_counting_as_we_do: OnceLock::new(),
            first_net: OnceLock::new(),
            first_mnt: OnceLock::new(),
        }
    }

    /// The cgroup file systems; `None` if their table cannot be read.
    pub fn cgroups(&self) -> Option<&Cgroups> {
        self.cgroups.get_or_init(|| Cgroups::read(&self.root).ok()).as_ref()
    }

    /// Whether this process has its own cgroup namespace, so that the kernel shows it other paths than the host's.
    pub fn is_own_namespace(&self) -> bool {
        let whose = || match self.root == Path::new("/") {
            true => own_namespace(),
            false => whose_namespace(&self.folder, "self", NamespaceKind::Cgroup),
        };
        *self.is_own_namespace.get_or_init(|| whose() == Whose::Own)
    }

    /// The id of a process's v2 cgroup, by its pidfd: 1 us on Linux 6.13 and later. `None` if the kernel does not give
    /// it; then use [`ProcessCgroups::read`]. Also `None` for a thread that is not the first of its process.
    pub fn v2_id(&self, pid: i32) -> Option<u64> {
        if self.no_pidfd_info.load(Ordering::Relaxed) {
            return None;
        }
        let counts = || self.proc.counts_as_we_do().unwrap_or(false);
        if !*self.is_counting_as_we_do.get_or_init(counts) {
            self.no_pidfd_info.store(true, Ordering::Relaxed);
            return None;
        }
        match try_cgroup_id_of(pid) {
            Ok(id) => id,
            Err(error) => {
                // These errors concern the kernel; all others, the process or a lack of descriptors.
                if matches!(error.raw_os_error(), Some(libc::ENOTTY | libc::ENOSYS | libc::EPERM)) {
                    self.no_pidfd_info.store(true, Ordering::Relaxed);
                }
                None
            }
        }
    }

    /// Calls `with` with /proc/PID/cgroup; takes 3 to 5 us. `pid` may be a thread's. Errors: `NotFound` or ESRCH if
    /// there is no such process; others prove nothing about it.
    pub fn read<T>(&self, pid: i32, with: impl FnOnce(CgroupText<'_>) -> T) -> io::Result<T> {
        At::Path(&self.folder).read(format_args!("{pid}/cgroup"), |text| {
            if !self.is_own_namespace() {
                return with(CgroupText { text, is_own_view: false });
            }
            let (text, is_own_view) = self.as_the_host_sees(text);
            with(CgroupText { text: &text, is_own_view })
        })
    }

    /// When the process began, in clock ticks since boot; takes 2 us. Errors: as for [`ProcessCgroups::read`].
    pub fn start_ticks(&self, pid: i32) -> io::Result<u64> {
        let ticks = At::Path(&self.folder).read(format_args!("{pid}/stat"), parse_start_ticks)?;
        ticks.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// The v2 cgroup that is the root of our own cgroup namespace.
    pub fn own_v2_id(&self) -> Option<u64> {
        id_of(self.cgroups()?.own_v2_root()?).ok()
    }

    /// The mount of cgroup v2, if there is one.
    pub fn v2(&self) -> Option<&CgroupMount> {
        self.cgroups()?.v2()
    }

    /// The host's own namespace of a kind: a constant of the kernel, or that of process 1, which not every user may
    /// read. It is read once.
    pub fn host_namespace(&self, kind: NamespaceKind) -> Option<u64> {
        let known = match kind {
            NamespaceKind::Net => &self.first_net,
            NamespaceKind::Mount => &self.first_mnt,
            _ => return kind.initial(),
        };
        *known.get_or_init(|| namespace_of(&self.folder, "1", kind).ok())
    }

    fn as_the_host_sees(&self, text: &str) -> (String, bool) {
        let (mut whole, mut is_own_view) = (String::with_capacity(2 * text.len()), false);
        for line in lines(text) {
            // A mount of only our own part of the tree shows nothing of what is above.
            let above = |cgroups: &Cgroups| {
                cgroups.mounts().find(line.controllers).is_some_and(|mount| mount.root.starts_with("/.."))
            };
            let place = self.cgroups().filter(|it| above(it)).and_then(|cgroups| cgroups.place(&line).ok());
            is_own_view |= place.is_none();
            let path = place.as_ref().map_or(line.path.path(), |place| &place.path);
            whole.extend(["0:", line.controllers, ":", path, "\n"]);
        }
        (whole, is_own_view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> i32 {
        std::process::id() as i32
    }

    #[test]
    fn it_says_what_the_files_say() {
        let it = ProcessCgroups::new(Path::new("/"));
        let proc = Proc::new(Path::new("/"));
        if !it.is_own_namespace() {
            assert_eq!(it.read(own(), |cgroup| cgroup.text.to_owned()).unwrap(), proc.cgroup(own()).unwrap());
        }
        assert_eq!(it.start_ticks(own()).ok(), proc.start_ticks(own()));
        let gone = it.read(i32::MAX, |_| ()).unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn pids_that_are_not_ours_are_not_opened() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(ProcessCgroups::new(root.path()).v2_id(7), None);
    }
}
