//! The processes of the host, and which root directory each sees.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::files;
use crate::config::Config;
use crate::host::namespace::{NamespaceKind, namespace_of};

/// The host's processes, from /proc below its root.
pub(super) struct Processes {
    root: PathBuf,
    proc: PathBuf,
    /// The number of the host's mount namespace, if it can be read.
    host_mounts: Option<u64>,
}

/// Whose files a process sees.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// The host's.
    Host,
    /// The files of a container, below this directory.
    Inside(PathBuf),
}

impl Processes {
    pub fn new(config: &Config) -> Self {
        let proc = config.host_root.join("proc");
        let host_mounts = namespace_of(&proc, "1", NamespaceKind::Mount).ok();
        Processes { root: config.host_root.clone(), proc, host_mounts }
    }

    /// All pids, in order. Errors: those of opendir(3).
    pub fn pids(&self) -> io::Result<Vec<i32>> {
        let entries = fs::read_dir(&self.proc)?.flatten();
        let mut pids: Vec<i32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        pids.sort_unstable();
        Ok(pids)
    }

    /// The command line: words, each followed by a NUL.
    pub fn command_line(&self, pid: i32) -> io::Result<Vec<u8>> {
        files::bytes(&self.proc, Path::new(&format!("{pid}/cmdline")))
    }

    /// Whether the process's user is root or this process's own. Any other user's process could call itself kubelet.
    pub fn is_trusted(&self, pid: i32) -> bool {
        let owner = |path: PathBuf| fs::metadata(path).map(|metadata| metadata.uid()).ok();
        let its = owner(self.proc.join(pid.to_string()));
        its == Some(0) || its.is_some() && its == owner("/proc/self".into())
    }

    /// The process's root directory, as a path of ours.
    pub fn root_of(&self, pid: i32) -> PathBuf {
        self.proc.join(format!("{pid}/root"))
    }

    /// The number of the process's mount namespace, if it is neither the host's nor ours.
    pub fn other_mounts(&self, pid: i32) -> io::Result<Option<u64>> {
        let its = namespace_of(&self.proc, &pid.to_string(), NamespaceKind::Mount)?;
        let ours = namespace_of(Path::new("/proc"), "self", NamespaceKind::Mount).ok();
        Ok(Some(its).filter(|its| Some(*its) != self.host_mounts && Some(*its) != ours))
    }

    /// Whose files the process sees. Its own mount namespace alone does not mean a container: services of the host have
    /// one, too.
    pub fn home(&self, pid: i32) -> Home {
        let inside = || Home::Inside(self.root_of(pid));
        let place = |path: &Path| fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino())).ok();
        match (self.other_mounts(pid), place(&self.root_of(pid))) {
            (Ok(None), _) => Home::Host,
            (Ok(Some(_)), Some(root)) if Some(root) != place(&self.root) => inside(),
            (Ok(Some(_)), _) => Home::Host,
            // The process's root may not be read, but everybody may read that it has its own pid namespace.
            (Err(_), _) if self.is_in_pid_namespace(pid) => inside(),
            (Err(_), _) => Home::Host,
        }
    }

    fn is_in_pid_namespace(&self, pid: i32) -> bool {
        let status = files::text(&self.proc, Path::new(&format!("{pid}/status"))).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
        line.split_ascii_whitespace().count() > 1
    }
}
